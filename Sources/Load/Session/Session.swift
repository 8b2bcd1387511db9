import ASCII
import Kernel
import Reactor

/// One MCP client: its next step, its session id, and the expected state of the server. A session is not bound to a
/// connection; each of its calls may use another one.
struct Session: ~Copyable {
    /// The client's next request.
    enum Step {
        case initialize, initialized, list, call, delete
        /// Opens the event stream.
        case stream
        /// Its event stream is open and it makes no calls.
        case listening
        /// It makes no more requests.
        case done
    }

    /// Index of its group in `Engine.groups`.
    let group: Int
    /// Slot of the connection that it uses where calls are not shuffled.
    let home: Int
    var step: Step
    /// The HTTP/1.1 field lines of its requests: `Mcp-Session-Id` and `MCP-Protocol-Version`, each with CRLF.
    var fields = ByteBuffer()
    /// The value of `Mcp-Session-Id`; empty before initialize has ended, and if the server assigns none.
    var identifier = ByteBuffer()
    /// Path and query of the `endpoint` event (2024-11-05); empty if there was none.
    var target = ByteBuffer()
    var oracle = SessionOracle()
    /// Tool calls since the session began.
    var calls = 0
    /// The call under way; `.none` if there is none.
    var call = Handle.none
    /// The call that is its event stream.
    var stream = Handle.none
    /// The id of the last call that was answered.
    var lastAnswered: UInt64 = 0
    /// The id of the last call that failed.
    var lastFailed: UInt64 = 0
    /// The server refused its event stream: it is ended and not begun again.
    var isAbandoned = false
    /// 400 or 404 responses in a row. The same call is repeated up to `Engine.notFoundLimit` times before the session
    /// counts as lost.
    var notFoundInARow = 0
    /// When a result or an event last named its server.
    var namedAt = Instant(nanoseconds: 0)
    /// When its event streams last brought a numbered event; nil before the first.
    var lastEventAt: Instant?
    /// Numbered events of its streams.
    var events = 0
    /// Its event stream has ended and is opened again.
    var isResuming = false
    /// Slot of the next session in the queue of the same connection; -1 for none.
    var nextWaiting: Int32 = -1

    init(group: Int, home: Int, step: Step) {
        self.group = group
        self.home = home
        self.step = step
    }

    /// Whether `id` is its `Mcp-Session-Id`.
    func hasID(_ id: Span<UInt8>) -> Bool { identifier.span.equals(id) }

    /// Discards the session's state, to begin another at `step`.
    mutating func reset(to step: Step) {
        fields.clear()
        identifier.clear()
        target.clear()
        oracle = SessionOracle()
        calls = 0
        notFoundInARow = 0
        lastEventAt = nil
        events = 0
        isResuming = false
        self.step = step
    }
}
