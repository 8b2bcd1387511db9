import Kernel
import Reactor

/// One request and its answer, from the moment it is due.
struct Call: ~Copyable {
    /// What is done with the body of the answer.
    enum Sink {
        /// Nobody asked for it.
        case discard
        /// One JSON-RPC message.
        case message
        /// Events, each a JSON-RPC message.
        case events
        /// A long text, checked as it comes.
        case bytes(PatternCheck)
    }

    let kind: RequestKind
    let id: UInt64
    let session: Handle
    /// When it was to be sent by the schedule; in a closed loop, when it was sent.
    let due: Instant
    /// When it counts as failed.
    var deadline: Instant
    /// The connection that carries it; `.none` once its exchange has ended.
    var connection: Handle
    /// Its stream on the connection (HTTP/2).
    var stream: Int32 = 0
    var status: UInt16 = 0
    var sink = Sink.discard
    /// Of the body: what cannot be judged before more has come.
    var body = ByteBuffer()
    /// How much of `body` is known to hold no end of an event.
    var scanned = 0
    /// The answer to its id has come.
    var isAnswered = false
    /// The session's oracle has heard of its outcome.
    var isCounted = false
    /// Something about it was untrue: it does not count as completed.
    var isWrong = false
    /// Numbered events on its stream.
    var events = StreamOracle()
    /// When its stream brought something last.
    var lastHeard: Instant

    init(_ kind: RequestKind, id: UInt64, session: Handle, due: Instant, deadline: Instant, connection: Handle) {
        self.kind = kind
        self.id = id
        self.session = session
        self.due = due
        self.deadline = deadline
        self.connection = connection
        lastHeard = due
    }
}
