import MCP
import Reactor
import Telemetry

/// What is known so far of a call that is in progress: the event that it becomes when it ends, and how far its answer has
/// been read.
struct OpenCall {
    var event = CallEvent()
    /// Of the request's body; nil if that was not whole, or no message.
    var summary: RequestSummary?
    /// Set while the response is read for what came of the call.
    var scanner: ReplyScanner?

    /// Reads a whole body.
    fileprivate mutating func readRequest(_ body: Span<UInt8>, _ known: RequestSummary?) {
        summary = known ?? RequestSummary(of: body)
        if let summary { event.readRequest(body, summary) }
    }
}

/// The calls in progress of one worker. An exchange has a place here from its head to its end, unless it is a stream that only
/// listens: of those there are many, and nothing is to be said about them in the end. Events are filled where they lie.
struct OpenCalls: ~Copyable {
    private var slab: Slab<OpenCall>

    init(limit: Int) { slab = Slab(limit: min(limit, Int(OpenCalls.none))) }

    /// No call has this slot.
    static var none: UInt32 { 0xff_ffff }

    /// Takes a call in: its slot, or `none` if there is no space.
    mutating func begin() -> UInt32 { slab.insert(OpenCall())?.slot ?? OpenCalls.none }

    mutating func discard(_ slot: UInt32) {
        if let call = slab.handle(inSlot: Int(slot)) { slab.discard(call) }
    }

    /// Changes a call that is there; nothing happens if it is not.
    @inline(__always)
    mutating func update(_ slot: UInt32, _ change: (inout OpenCall) -> Void) {
        if let call = slab.handle(inSlot: Int(slot)) { change(&slab[call]) }
    }

    /// The call reads what its request asks for, whose whole body stands at `place` of a buffer. `known` is its summary, if somebody
    /// has that.
    mutating func readRequest(
        _ slot: UInt32, _ buffer: borrowing ByteBuffer, _ place: Range<Int>, known: RequestSummary?
    ) {
        guard let call = slab.handle(inSlot: Int(slot)) else { return }
        slab[call].readRequest(buffer.span.extracting(place), known)
    }

    /// The same of a body that did not stand in one piece.
    mutating func readRequest(_ slot: UInt32, body: [UInt8]) {
        guard let call = slab.handle(inSlot: Int(slot)) else { return }
        slab[call].readRequest(body.span, nil)
    }

    /// What the body of a call's request asks for; nil if that is not known, or there is no such call.
    func summary(_ slot: UInt32) -> RequestSummary? { slab.handle(inSlot: Int(slot)).flatMap { slab[$0].summary } }

    /// The call reads a piece of its response, if it does that; `isLast`: nothing follows.
    mutating func readAnswer(_ slot: UInt32, _ buffer: borrowing ByteBuffer, _ range: ByteRange, isLast: Bool) {
        guard let call = slab.handle(inSlot: Int(slot)), slab[call].scanner != nil else { return }
        slab[call].scanner?.scan(buffer.span.extracting(range.range), isLast: isLast)
    }

    /// The trace of a call; empty if there is none, or no such call.
    func trace(_ slot: UInt32) -> TraceContext {
        guard let call = slab.handle(inSlot: Int(slot)) else { return TraceContext() }
        return slab[call].event.trace
    }

    /// Whether the response of the call has to be read.
    @inline(__always)
    func isReading(_ slot: UInt32) -> Bool {
        guard slot != OpenCalls.none, let call = slab.handle(inSlot: Int(slot)) else { return false }
        return slab[call].scanner?.isDecided == false
    }
}

extension CallEvent {
    /// Takes the name of a tool or prompt, or the URI of a resource without its query, which may hold arguments.
    private mutating func readName(_ text: Span<UInt8>) {
        var end = text.count
        if method != .toolsCall, method != .promptsGet {
            end = 0
            while end < text.count, text[end] != UInt8(ascii: "?"), text[end] != UInt8(ascii: "#") { end += 1 }
        }
        name = CallName(text.extracting(0..<end))
    }

    /// Takes over what a whole body asks for.
    fileprivate mutating func readRequest(_ body: Span<UInt8>, _ summary: RequestSummary) {
        method = summary.method
        if summary.hasID { flags.insert(.request) }
        if let subject = summary.subject { readName(body.extracting(subject)) }
        if let range = summary.traceparent, let parent = MetaTrace(body.extracting(range)) {
            trace = TraceContext(parent: parent.high, parent.low, span: parent.span, flags: parent.flags)
        }
        if revision == 0, let version = summary.protocolVersion {
            revision = ProtocolRevisions(version: body.extracting(version)).rawValue
        }
    }
}
