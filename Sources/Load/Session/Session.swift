import ASCII
import Kernel
import Reactor

/// One MCP client: what it does next, whom it talks to, and what its answers are held against. Not bound to a
/// connection: a session is an id, and each call of it may go another way.
struct Session: ~Copyable {
    /// What the client does next.
    enum Step {
        case initialize, initialized, list, call, delete
        /// Opens the stream that this client is there for.
        case stream
        /// Its stream is open and it has nothing to ask.
        case listening
        /// All was done, and the run is over.
        case done
    }

    /// The lane whose workload it follows.
    let group: Int
    /// The connection it keeps to where calls are not shuffled: an index into the lane's connections.
    let home: Int
    var step: Step
    /// Field lines of HTTP/1.1 that name it: `Mcp-Session-Id` and `MCP-Protocol-Version`, each with CRLF.
    var fields = ByteBuffer()
    /// The id alone; empty before there is one, and where the server gives none.
    var identifier = ByteBuffer()
    /// Where its messages go, if the server said so (2024-11-05): path and query.
    var target = ByteBuffer()
    var oracle = SessionOracle()
    /// Tool calls since it began.
    var calls = 0
    /// The call it waits for; `.none` if it does not.
    var call = Handle.none
    /// The call that is its event stream.
    var stream = Handle.none
    /// The id of the last call that was answered.
    var lastAnswered: UInt64 = 0
    /// The id of the last call that came to nothing.
    var lastFailed: UInt64 = 0
    /// It cannot have what it is there for, and leaves for good.
    var isGivenUp = false
    /// How often in a row it was told, with 400 or 404, that it does not exist. The same call is made again a few times
    /// before that is believed.
    var denials = 0
    /// The next in the line of sessions that wait for the same connection.
    var nextInLine: Int32 = -1

    init(group: Int, home: Int, step: Step) {
        self.group = group
        self.home = home
        self.step = step
    }

    func isNamed(_ id: Span<UInt8>) -> Bool { identifier.span.equals(id) }

    /// Forgets who it was, to begin anew.
    mutating func forget(beginningWith step: Step) {
        fields.clear()
        identifier.clear()
        target.clear()
        oracle = SessionOracle()
        calls = 0
        denials = 0
        self.step = step
    }
}
