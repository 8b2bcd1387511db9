/// `tcp`: how the kernel notices that a peer has vanished without a word.
package struct TCPConfiguration: Sendable, Equatable {
    /// Silence after which the peer is probed; nil: it never is.
    package var keepAlive: Duration? = .seconds(30)
    /// How long bytes or probes may stay unacknowledged before the connection is given up; nil: as long as the kernel goes
    /// on, a quarter of an hour or more.
    package var userTimeout: Duration? = .seconds(60)

    package init() {}
}
