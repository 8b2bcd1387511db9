import HTTP
import Kernel
import Reactor

/// One socket: takes requests off it one at a time, and holds what is to be sent.
///
/// The next request is not read before the last one was answered, so a client that pipelines costs the kernel's
/// buffer and not ours.
struct Connection: ~Copyable {
    enum Phase {
        case awaitingHead
        case body(rest: Int)
        case chunkedBody(ChunkDecoder)
        /// A request is with the loop; its answer, perhaps an endless one, is under way.
        case answering
        /// Nothing more is read; what is queued goes out, then the connection closes.
        case leaving
    }

    enum Step {
        /// A request is complete: `facts` and `body` are filled in, and the phase is `answering`.
        case request
        /// Unreadable; answer with the fault's status and leave.
        case fault(HTTPParseError)
        case needsInput
        /// Nothing can be done before the answer is complete or sent.
        case waits
    }

    enum Received {
        case some, none, ended, failed
    }

    let descriptor: Descriptor
    private(set) var phase = Phase.awaitingHead
    private(set) var facts = RequestFacts()
    var body = ByteBuffer()
    /// What `facts` has ranges into.
    var kept = ByteBuffer()
    var outbox = Outbox()
    private var input = ByteBuffer()

    /// Input may be waiting in the kernel. Starts true: it may have come before we watched.
    var mayHaveInput = true
    /// The peer has sent its FIN: reads go on to the end whatever their length.
    var peerHasFinished = false
    /// On the loop's list of those with something to flush.
    var isDirty = false
    /// The pending call whose answer this connection waits for.
    var job = Handle.none
    /// The session whose event stream this is.
    var streamOf: SessionID?
    /// The head of an event stream went out; its end is still to come.
    var isStreaming = false

    /// Bytes of a body. Servers built on the SDKs take 4 to 16 MiB.
    static let maximumBodyBytes = 16_777_216
    private static let readBytes = 16_384

    init(_ descriptor: Descriptor) {
        self.descriptor = descriptor
    }

    var isAnswering: Bool {
        if case .answering = phase { true } else { false }
    }

    var isLeaving: Bool {
        if case .leaving = phase { true } else { false }
    }

    /// Between requests, with nothing begun.
    var isIdle: Bool {
        if case .awaitingHead = phase { input.isEmpty } else { false }
    }

    /// A further step may find a request, now that the outbox has gone.
    var canGoOn: Bool {
        switch phase {
        case .awaitingHead, .body, .chunkedBody: !input.isEmpty || mayHaveInput
        case .answering, .leaving: false
        }
    }

    /// Goes on with what has been read.
    mutating func step(_ parser: RequestParser, _ head: inout RequestHead) -> Step {
        switch phase {
        case .awaitingHead: outbox.isHigh ? .waits : readHead(parser, &head)
        case .body(let rest): readBody(rest)
        case .chunkedBody(let decoder): readChunks(decoder)
        case .answering, .leaving: .waits
        }
    }

    /// One read from the socket.
    mutating func receive(_ world: inout Linux) -> Received {
        guard mayHaveInput else { return .none }
        let descriptor = descriptor
        input.reserve(Connection.readBytes)
        var space = input.space
        let room = space.count
        let transfer = world.receive(descriptor, into: &space)
        switch transfer {
        case .moved(let count):
            input.commit(count)
            if count < room, !peerHasFinished { mayHaveInput = false }
            return .some
        case .wouldBlock:
            mayHaveInput = false
            return .none
        case .ended: return .ended
        case .failed: return .failed
        }
    }

    /// The answer is queued: the next request may come, or the connection ends as the client or HTTP/1.0 asked.
    mutating func finishAnswer() {
        job = .none
        streamOf = nil
        isStreaming = false
        phase = facts.wantsKeepAlive ? .awaitingHead : .leaving
    }

    /// Nothing more is read from here on.
    mutating func leave() {
        phase = .leaving
        input.release()
        body.release()
    }

    /// Gives back what a connection that will only send for a long time does not need.
    mutating func releaseInput() {
        if input.isEmpty { input.release() }
        body.release()
        kept.release()
    }

    private mutating func readHead(_ parser: RequestParser, _ head: inout RequestHead) -> Step {
        if input.isEmpty { return .needsInput }
        switch parser.parse(input.span, into: &head) {
        case .incomplete: return .needsInput
        case .invalid(let fault): return .fault(fault)
        case .complete(let count):
            facts = Connection.facts(head, of: input, keepingIn: &kept)
            input.consume(count)
            return begin(head.framing, expectsContinue: head.expectsContinue)
        }
    }

    /// As a function, because a view of one field keeps the other from being changed.
    private static func facts(
        _ head: borrowing RequestHead, of input: borrowing ByteBuffer, keepingIn kept: inout ByteBuffer
    ) -> RequestFacts {
        RequestFacts(head, input.span, keepingIn: &kept)
    }

    private mutating func begin(_ framing: BodyFraming, expectsContinue: Bool) -> Step {
        body.clear()
        switch framing {
        case .none, .untilClose:
            phase = .answering
            return .request
        case .length(let length):
            guard length <= UInt64(Connection.maximumBodyBytes) else { return .fault(.bodyTooLarge) }
            if expectsContinue, input.count < Int(length) { outbox.append("HTTP/1.1 100 Continue\r\n\r\n") }
            return readBody(Int(length))
        case .chunked:
            if expectsContinue, input.isEmpty { outbox.append("HTTP/1.1 100 Continue\r\n\r\n") }
            return readChunks(ChunkDecoder())
        }
    }

    private mutating func readBody(_ rest: Int) -> Step {
        let count = min(rest, input.count)
        Connection.copy(0..<count, of: input, to: &body)
        input.consume(count)
        phase = rest == count ? .answering : .body(rest: rest - count)
        return rest == count ? .request : .needsInput
    }

    /// As a function for the same reason.
    private static func copy(_ range: Range<Int>, of input: borrowing ByteBuffer, to body: inout ByteBuffer) {
        body.append(input.span.extracting(range))
    }

    private mutating func readChunks(_ current: ChunkDecoder) -> Step {
        var decoder = current
        var offset = 0
        while true {
            switch decoder.next(input.span, from: offset) {
            case .data(let range):
                guard body.count + range.range.count <= Connection.maximumBodyBytes else {
                    return .fault(.bodyTooLarge)
                }
                Connection.copy(range.range, of: input, to: &body)
                offset = range.upperBound
            case .trailer(let range): offset = range.upperBound
            case .needsMore(let consumed):
                input.consume(consumed)
                phase = .chunkedBody(decoder)
                return .needsInput
            case .end(let end):
                input.consume(end)
                phase = .answering
                return .request
            case .invalid: return .fault(.malformed)
            }
        }
    }
}
