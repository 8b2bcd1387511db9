import Kernel
import Reactor
import TLS

/// A connection to a server, carrying one exchange at a time.
///
/// Parked: connected, idle, in its endpoint's list. A connection that goes from one exchange straight to another was
/// never parked.
struct UpstreamConnection: ~Copyable {
    enum Phase: UInt8 {
        case connecting
        /// The handshake of TLS is under way.
        case handshaking
        case parked
        case serving
        /// A health check; its exchange is the probe's own.
        case healthChecking
    }

    // In this order the parts pack without holes: an idle stream pays for each of these bytes.
    var input = ByteBuffer()
    /// Exchanges begun on it.
    var uses: UInt32 = 0
    var output = ByteBuffer()
    let descriptor: Descriptor
    let openedAt: Instant
    var deadline = Instant.never
    var exchange = Handle.none
    /// Neighbours in the endpoint's parked list, by slot.
    var previous = UInt32.max
    var next = UInt32.max
    var tls: TLSSession?
    /// Index in the snapshot.
    let server: Int16
    var phase = Phase.connecting
    var mayRead = false
    var mayWrite = false
    var hasEnded = false
    /// Has carried a whole exchange before the present one.
    var isReused = false
    /// Counted as a stream, not as a call.
    var isStreaming = false
    var isResuming = false
    /// The server said, or showed, that it will take no other request on this connection.
    var closesAfterResponse = false
    /// A send failed with nothing of a request accepted.
    var hasRefusedBytes = false

    init(descriptor: Descriptor, server: Int, openedAt: Instant) {
        self.descriptor = descriptor
        self.server = Int16(truncatingIfNeeded: server)
        self.openedAt = openedAt
    }

    mutating func note(_ readiness: Readiness) {
        if readiness.isReadable || readiness.hasEnded || readiness.hasFailed { mayRead = true }
        if readiness.isWritable { mayWrite = true }
        if readiness.hasEnded || readiness.hasFailed { hasEnded = true }
    }
}
