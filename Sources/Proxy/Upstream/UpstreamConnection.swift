import Balancing
import Kernel
import Reactor

/// A connection to a server, carrying one exchange at a time.
///
/// Parked: connected, idle, in its pool's list. A connection that goes from one exchange straight to another was never
/// parked.
struct UpstreamConnection: TurnTaking, ~Copyable {
    enum Phase: UInt8 {
        case connecting
        /// The TLS handshake is under way.
        case handshaking
        case parked
        case serving
        /// It serves, and its response waits for the store that is told of the session that it opens: it is not read.
        case held
        /// A health check; it carries no exchange.
        case healthCheck
    }

    // In this order the parts pack without holes: every idle stream pays for each of these bytes.
    var transport: Transport
    let openedAt: Instant
    var deadline = Instant.never
    var exchange = Handle.none
    /// The server's slot in the server table.
    let server: Int32
    /// Exchanges begun on it.
    var uses: UInt32 = 0
    var phase = Phase.connecting
    /// Opened to keep the pool's minimum, for no exchange.
    let isWarming: Bool
    /// Has carried a whole exchange before the present one.
    var isReused = false
    /// Counted as a stream, not as a call.
    var isStreaming = false
    /// In the worker's queue of those to look at again.
    var awaitsTurn = false
    /// The server said, or showed, that it will take no other request on this connection.
    var closesAfterResponse = false
    /// A send failed with nothing of a request accepted.
    var hasRefusedBytes = false
    /// Which of the server's addresses it is opened to.
    var address = AddressCursor()

    init(descriptor: Descriptor, server: Int, openedAt: Instant, isWarming: Bool = false) {
        self.isWarming = isWarming
        transport = Transport(descriptor, mayWrite: false)
        self.server = Int32(truncatingIfNeeded: server)
        self.openedAt = openedAt
    }

    /// What the pool calls what the connection is doing.
    var role: ServerPool.Role {
        switch phase {
        case .connecting, .handshaking: isWarming ? .warming : .connecting
        case .parked: .parked
        case .serving, .held: isStreaming ? .streaming : .serving
        case .healthCheck: .healthCheck
        }
    }
}
