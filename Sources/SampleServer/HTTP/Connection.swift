import HTTP
import Kernel
import Reactor

/// A client's connection: reads one request at a time and queues the bytes to send.
///
/// The next request is not read before the last one was answered, so the requests of a client that pipelines stay in
/// the kernel's buffer.
struct Connection: ~Copyable {
    enum Phase {
        /// Before or within a request's head.
        case awaitingHead
        /// Within a body of known length, of which `rest` bytes have not come.
        case body(rest: Int)
        /// Within a chunked body.
        case chunkedBody(ChunkDecoder)
        /// The request is complete and its response, perhaps an endless event stream, is not.
        case answering
        /// Input is discarded; the connection closes when the queued bytes are sent.
        case closing
    }

    enum Step {
        /// A request is complete: `facts` and `body` are filled in, and the phase is `answering`.
        case request
        /// The request cannot be parsed: the loop answers with the error's status and closes.
        case error(HTTPParseError)
        /// More input is needed.
        case needsInput
        /// The response must be completed or sent first, or the connection is closing.
        case blocked
    }

    enum Received {
        case some, none, ended, failed
    }

    let descriptor: Descriptor
    private(set) var phase = Phase.awaitingHead
    private(set) var facts = RequestFacts()
    var body = ByteBuffer()
    /// The text that the ranges of `facts` refer to.
    var headText = ByteBuffer()
    var output = OutputQueue()
    private var input = ByteBuffer()

    /// Whether the kernel may have input. Initially true, because input may have come before the socket was watched.
    var mayHaveInput = true
    /// Whether the client has sent FIN. Then a short read does not mean that the kernel has no more input.
    var peerHasClosed = false
    /// Whether the connection is in the loop's list of connections to flush.
    var isDirty = false
    /// The pending call whose answer is this connection's response.
    var pendingCall = Handle.none
    /// The session whose event stream this connection has.
    var streamOf: SessionID?
    /// Whether the head of an event stream was queued and its end was not.
    var isStreaming = false

    /// The largest request body, in bytes. Servers built with the SDKs accept 4 to 16 MiB.
    static let maximumBodyBytes = 16_777_216
    private static let readBytes = 16_384

    init(_ descriptor: Descriptor) {
        self.descriptor = descriptor
    }

    var isAnswering: Bool {
        if case .answering = phase { true } else { false }
    }

    var isClosing: Bool {
        if case .closing = phase { true } else { false }
    }

    /// Whether no request has begun.
    var isIdle: Bool {
        if case .awaitingHead = phase { input.isEmpty } else { false }
    }

    /// Whether another step may find a request, now that the queue is sent.
    var canContinue: Bool {
        switch phase {
        case .awaitingHead, .body, .chunkedBody: !input.isEmpty || mayHaveInput
        case .answering, .closing: false
        }
    }

    /// Processes the input as far as possible.
    mutating func step(_ parser: RequestParser, _ head: inout RequestHead) -> Step {
        switch phase {
        case .awaitingHead: output.isAboveHighWatermark ? .blocked : readHead(parser, &head)
        case .body(let rest): readBody(rest)
        case .chunkedBody(let decoder): readChunks(decoder)
        case .answering, .closing: .blocked
        }
    }

    /// Reads once from the socket.
    mutating func receive(_ world: inout Linux) -> Received {
        guard mayHaveInput else { return .none }
        let descriptor = descriptor
        input.reserve(Connection.readBytes)
        var space = input.space
        let capacity = space.count
        let transfer = world.receive(descriptor, into: &space)
        switch transfer {
        case .moved(let count):
            input.commit(count)
            if count < capacity, !peerHasClosed { mayHaveInput = false }
            return .some
        case .wouldBlock:
            mayHaveInput = false
            return .none
        case .ended: return .ended
        case .failed: return .failed
        }
    }

    /// The response is queued. The connection reads the next request, or closes if the client or HTTP/1.0 requires it.
    mutating func completeResponse() {
        pendingCall = .none
        streamOf = nil
        isStreaming = false
        phase = facts.wantsKeepAlive ? .awaitingHead : .closing
    }

    /// Discards all input from now on.
    mutating func beginClosing() {
        phase = .closing
        input.release()
        body.release()
    }

    /// Frees the memory that a connection does not need while it only sends.
    mutating func releaseInput() {
        if input.isEmpty { input.release() }
        body.release()
        headText.release()
    }

    private mutating func readHead(_ parser: RequestParser, _ head: inout RequestHead) -> Step {
        if input.isEmpty { return .needsInput }
        switch parser.parse(input.span, into: &head) {
        case .incomplete: return .needsInput
        case .invalid(let error): return .error(error)
        case .complete(let count):
            facts = Connection.facts(head, of: input, copyingTo: &headText)
            input.consume(count)
            return begin(head.framing, expectsContinue: head.expectsContinue)
        }
    }

    /// A separate function, because a span of one field would prevent changes of another.
    private static func facts(
        _ head: borrowing RequestHead, of input: borrowing ByteBuffer, copyingTo headText: inout ByteBuffer
    ) -> RequestFacts {
        RequestFacts(head, input.span, copyingTo: &headText)
    }

    private mutating func begin(_ framing: BodyFraming, expectsContinue: Bool) -> Step {
        body.clear()
        switch framing {
        case .none, .untilClose:
            phase = .answering
            return .request
        case .length(let length):
            guard length <= UInt64(Connection.maximumBodyBytes) else { return .error(.bodyTooLarge) }
            if expectsContinue, input.count < Int(length) { output.append("HTTP/1.1 100 Continue\r\n\r\n") }
            return readBody(Int(length))
        case .chunked:
            if expectsContinue, input.isEmpty { output.append("HTTP/1.1 100 Continue\r\n\r\n") }
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

    /// A separate function for the same reason.
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
                    return .error(.bodyTooLarge)
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
            case .invalid: return .error(.malformed)
            }
        }
    }
}
