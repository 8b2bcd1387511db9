import Kernel
import Reactor

/// One request and its response, from the moment the request is due.
struct Call: ~Copyable {
    /// How the body of the response is processed.
    enum Sink {
        /// The body is ignored.
        case discard
        /// The body of an error status: its beginning is kept, for what the server says.
        case refusal
        /// The body is one JSON-RPC message.
        case message
        /// The body is an event stream; the data of each event is a JSON-RPC message.
        case events
        /// The body is a message with a long text, checked while it arrives (`bodies`).
        case bytes(PatternCheck)
    }

    let kind: RequestKind
    /// The JSON-RPC id; 0 for a request that has none.
    let id: UInt64
    let session: Handle
    /// The intended send time of an open loop; in a closed loop, the time it was sent. Latency counts from here.
    let due: Instant
    /// When it was created, which is just before it is sent.
    let sentAt: Instant
    /// The call times out at this time.
    var deadline: Instant
    /// The connection that carries it; `.none` once the HTTP exchange has ended.
    var connection: Handle
    /// The HTTP/2 stream on that connection.
    var stream: Int32 = 0
    /// The HTTP status; 0 before the response's head.
    var status: UInt16 = 0
    var sink = Sink.discard
    /// Body bytes kept until the message or event they belong to is complete.
    var body = ByteBuffer()
    /// Bytes at the start of `body` that were searched for the end of an event already.
    var scanned = 0
    /// A JSON-RPC response with its id was received.
    var isAnswered = false
    /// The session's oracle was told that the server has counted the call.
    var isCounted = false
    /// A check of the response failed: the call does not count as completed.
    var isWrong = false
    /// The server answered with an error: the call counts as failed.
    var isRefused = false
    /// Checks the numbers of the events of its stream.
    var events = StreamOracle()
    /// When its event stream last brought a numbered event.
    var lastEventAt: Instant

    init(
        _ kind: RequestKind, id: UInt64, session: Handle, due: Instant, sentAt: Instant, deadline: Instant,
        connection: Handle
    ) {
        self.kind = kind
        self.id = id
        self.session = session
        self.due = due
        self.sentAt = sentAt
        self.deadline = deadline
        self.connection = connection
        lastEventAt = due
    }
}
