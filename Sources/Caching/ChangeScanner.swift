import ASCII
import JSON
import MCP

/// Finds in an event stream that passes by, in pieces of any size, what its server says has changed.
///
/// Between events it keeps nothing. An event that is not complete is kept up to 16 KiB; of a longer one nothing is found,
/// and notifications are short.
package struct ChangeScanner: Sendable {
    /// Of the event that is under way; if it is skipped, its last two bytes: its blank line may lie across pieces.
    private var partial: [UInt8] = []
    /// The event that is under way is too long to be kept.
    private var skips = false

    private static var maximumEvent: Int { 16_384 }

    /// At the start of a stream.
    package init() {}

    /// No part of an event is kept.
    package var isIdle: Bool { partial.isEmpty && !skips }

    /// Looks at the bytes that come next: what they say has changed.
    package mutating func scan(_ piece: Span<UInt8>) -> [ServerChange] {
        var start = 0
        if skips {
            guard let end = endOfSkipped(in: piece) else { return [] }
            skips = false
            partial = []
            start = end
        }
        guard partial.isEmpty else {
            for index in start..<piece.count { partial.append(piece[index]) }
            let end = Self.lastEnd(in: partial.span)
            let changes = Self.changes(in: partial.span.extracting(0..<end))
            partial.removeFirst(end)
            bound()
            return changes
        }
        let rest = piece.extracting(start..<piece.count)
        let end = Self.lastEnd(in: rest)
        if rest.count - end > Self.maximumEvent {
            skip(rest)
        } else {
            for index in end..<rest.count { partial.append(rest[index]) }
        }
        return Self.changes(in: rest.extracting(0..<end))
    }

    private mutating func bound() {
        guard partial.count > Self.maximumEvent else { return }
        let long = partial
        skip(long.span)
    }

    private mutating func skip(_ text: Span<UInt8>) {
        skips = true
        partial = []
        for index in max(0, text.count - 2)..<text.count { partial.append(text[index]) }
    }

    /// Behind the blank line that ends what is skipped; nil: it has not come.
    private mutating func endOfSkipped(in piece: Span<UInt8>) -> Int? {
        let before = partial.count
        for index in 0..<min(2, piece.count) { partial.append(piece[index]) }
        for index in before..<partial.count where Self.isEnd(partial.span, index) { return index - before + 1 }
        if let end = Self.firstEnd(in: piece) { return end }
        partial = Array(partial.suffix(2))
        if piece.count > 2 { partial = [piece[piece.count - 2], piece[piece.count - 1]] }
        return nil
    }

    /// Behind the first blank line, or the last one: 0 or nil if there is none.
    private static func firstEnd(in text: Span<UInt8>) -> Int? {
        for index in text.indices where isEnd(text, index) { return index + 1 }
        return nil
    }

    private static func lastEnd(in text: Span<UInt8>) -> Int {
        var index = text.count
        while index > 0 {
            if isEnd(text, index - 1) { return index }
            index -= 1
        }
        return 0
    }

    /// Whether a blank line ends with this byte. A carriage return that ends a piece may be followed by a line feed, which is
    /// then a blank line of its own: that is no event.
    private static func isEnd(_ text: Span<UInt8>, _ index: Int) -> Bool {
        switch text[index] {
        case UInt8(ascii: "\n"):
            guard index > 0 else { return false }
            if text[index - 1] == UInt8(ascii: "\n") { return true }
            return index > 1 && text[index - 1] == UInt8(ascii: "\r")
                && (text[index - 2] == UInt8(ascii: "\n") || text[index - 2] == UInt8(ascii: "\r"))
        case UInt8(ascii: "\r"): return index > 0 && text[index - 1] == UInt8(ascii: "\r")
        default: return false
        }
    }

    // MARK: - Messages

    private static func changes(in events: Span<UInt8>) -> [ServerChange] {
        guard mentions(events) else { return [] }
        var changes: [ServerChange] = []
        EventStream.forEachMessage(in: events) { message in
            if let change = change(in: message), !changes.contains(change) { changes.append(change) }
        }
        return changes
    }

    /// Whether any of the names that count may stand there. An escape may hide one.
    private static func mentions(_ text: Span<UInt8>) -> Bool {
        for index in text.indices {
            switch text[index] {
            case UInt8(ascii: "l") where text.has("list_changed", at: index): return true
            case UInt8(ascii: "u") where text.has("updated", at: index): return true
            case UInt8(ascii: "\\"): return true
            default: break
            }
        }
        return false
    }

    private static func change(in message: Span<UInt8>) -> ServerChange? {
        guard let summary = RequestSummary(of: message), !summary.hasID,
            let method = CanonicalJSON.spelling(ofString: message.extracting(summary.methodText))
        else { return nil }
        let name = method.span
        if name.equals("notifications/tools/list_changed") { return .tools }
        if name.equals("notifications/prompts/list_changed") { return .prompts }
        if name.equals("notifications/resources/list_changed") { return .resources }
        guard name.equals("notifications/resources/updated") else { return nil }
        let uri = summary.uri.flatMap { CanonicalJSON.spelling(ofString: message.extracting($0)) }
        return uri.map { .resource($0) } ?? .someResource
    }
}
