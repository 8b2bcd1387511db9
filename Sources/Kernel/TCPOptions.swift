/// How soon the kernel gives up a connection whose peer has vanished without FIN or RST: its machine lost power, or the
/// way to it is cut. Set on a listener, every accepted connection has them.
public struct TCPOptions: Equatable, Sendable {
    /// Seconds without a segment after which the peer is probed (RFC 9293 section 3.8.4); 0: never.
    public var keepAlive: CInt
    /// Milliseconds for which bytes or probes may stay unacknowledged before the connection fails with ETIMEDOUT
    /// (RFC 5482); 0: as long as the kernel goes on sending them, a quarter of an hour or more.
    public var userTimeout: CInt

    /// A peer that vanished is noticed within a minute, in an idle connection as in a busy one.
    public init(keepAlive: CInt = 30, userTimeout: CInt = 60_000) {
        self.keepAlive = keepAlive
        self.userTimeout = userTimeout
    }

    /// Probes sent before the user timeout has passed, and in vain where there is none.
    static var probes: CInt { 3 }

    /// Seconds between two probes: they fit between the first one and the user timeout.
    var probeInterval: CInt {
        guard userTimeout > 0 else { return 10 }
        return max(1, (userTimeout / 1_000 - keepAlive) / TCPOptions.probes)
    }
}
