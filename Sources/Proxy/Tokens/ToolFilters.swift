import MCP
import Reactor
import Tokens

/// Exchanges whose responses may name tools that their callers may not know of, by their slots. Empty as long as there are none:
/// only routes with `auth.tools` have them.
struct ToolFilters {
    fileprivate enum Form {
        /// There is no response yet.
        case undecided
        /// One body: its head, and what is there of it.
        case whole(head: [UInt8], body: [UInt8])
        case events(ToolListEvents)
    }

    private struct Entry {
        let allowed: ToolPolicy.AllowedTools
        let isAnswer: Bool
        var form = Form.undecided
        var isTooLong = false
    }

    /// What servers say of their bodies that is not true of what is left of them.
    static let untrueFields = ResponseFieldEdits(
        dropping: ["content-length", "content-digest", "repr-digest", "digest", "content-md5", "etag", "accept-ranges"])

    private var entries: [UInt32: Entry] = [:]
    /// Of all bodies and events that are held back.
    private var heldBytes = 0

    /// Of one response, or one event, in bytes.
    static var maximumBytes: Int { 4 << 20 }
    /// Of all that a worker holds back at a time.
    private static var maximumTotal: Int { 64 << 20 }

    var isEmpty: Bool { entries.isEmpty }

    func contains(_ slot: UInt32) -> Bool { entries[slot] != nil }

    /// What the slot's caller may know of. `isAnswer`: its request asks for tools.
    mutating func insert(_ allowed: ToolPolicy.AllowedTools, isAnswer: Bool, for slot: UInt32) {
        discard(slot)
        entries[slot] = Entry(allowed: allowed, isAnswer: isAnswer)
    }

    mutating func discard(_ slot: UInt32) {
        if let entry = entries.removeValue(forKey: slot) { heldBytes -= entry.form.held }
    }

    /// Whether a request asks for tools; nil: it is not filtered.
    func isAnswer(_ slot: UInt32) -> Bool? { entries[slot]?.isAnswer }

    /// Too much was to be held back, or an event could not be read: nothing more goes on.
    func hasFailed(_ slot: UInt32) -> Bool {
        guard let entry = entries[slot] else { return false }
        if case .events(let events) = entry.form, events.isUnreadable { return true }
        return entry.isTooLong
    }

    /// The limit that was passed; nil: none was.
    func passedLimit(_ slot: UInt32) -> UInt64? {
        entries[slot]?.isTooLong == true ? UInt64(Self.maximumBytes) : nil
    }

    // MARK: - Whole bodies

    /// The slot's response is held back until it is complete.
    func holdsWhole(_ slot: UInt32) -> Bool {
        if case .whole = entries[slot]?.form { true } else { false }
    }

    mutating func beginWhole(_ slot: UInt32) { entries[slot]?.form = .whole(head: [], body: []) }

    mutating func setHead(_ head: [UInt8], _ slot: UInt32) { entries[slot]?.form = .whole(head: head, body: []) }

    /// Takes a piece of a body.
    mutating func hold(_ slot: UInt32, _ buffer: borrowing ByteBuffer, _ range: ByteRange) {
        guard case .whole(let head, var body)? = entries[slot]?.form else { return }
        guard body.count + Int(range.count) <= Self.maximumBytes, heldBytes + Int(range.count) <= Self.maximumTotal
        else {
            entries[slot]?.isTooLong = true
            return
        }
        // Taken out, so that there is one of it.
        entries[slot]?.form = .undecided
        body.append(contentsOf: buffer.bytes(range.range))
        heldBytes += Int(range.count)
        entries[slot]?.form = .whole(head: head, body: body)
    }

    /// The head, the body and what is left of it; the slot's response is not held back any more.
    mutating func takeWhole(_ slot: UInt32) -> (head: [UInt8], body: [UInt8], outcome: ToolListFilter.Outcome)? {
        guard let entry = entries[slot], case .whole(let head, let body) = entry.form else { return nil }
        heldBytes -= body.count
        entries[slot]?.form = .undecided
        return (head, body, ToolListFilter.apply(to: body.span, allows: entry.allowed.contains))
    }

    /// What is left of a message; nil: the slot's responses are not filtered.
    func outcome(of message: [UInt8], _ slot: UInt32) -> ToolListFilter.Outcome? {
        entries[slot].map { ToolListFilter.apply(to: message.span, allows: $0.allowed.contains) }
    }

    // MARK: - Events

    mutating func beginEvents(_ slot: UInt32) {
        guard let entry = entries[slot] else { return }
        entries[slot]?.form = .events(ToolListEvents(isAnswer: entry.isAnswer))
    }

    /// Takes a piece of an event stream. Returns what goes on; nil: it is not filtered.
    mutating func pass(_ slot: UInt32, _ buffer: borrowing ByteBuffer, _ range: ByteRange) -> [UInt8]? {
        guard let allowed = entries[slot]?.allowed, case .events(var events)? = entries[slot]?.form else { return nil }
        if hasFailed(slot) { return [] }
        // Taken out, so that there is one of it.
        entries[slot]?.form = .undecided
        let before = events.heldCount
        let passed = events.take(buffer.span.extracting(range.range), allows: allowed.contains)
        heldBytes += events.heldCount - before
        entries[slot]?.isTooLong = events.heldCount > Self.maximumBytes || heldBytes > Self.maximumTotal
        entries[slot]?.form = .events(events)
        return passed
    }

    /// The stream is complete. Returns what is left of it.
    mutating func finishEvents(_ slot: UInt32) -> [UInt8] {
        guard let entry = entries[slot], case .events(var events) = entry.form else { return [] }
        heldBytes -= events.heldCount
        let rest = events.finish(allows: entry.allowed.contains)
        entries[slot]?.form = .events(events)
        return rest
    }
}

extension ToolFilters.Form {
    /// Bytes that are held back.
    fileprivate var held: Int {
        switch self {
        case .undecided: 0
        case .whole(_, let body): body.count
        case .events(let events): events.heldCount
        }
    }
}
