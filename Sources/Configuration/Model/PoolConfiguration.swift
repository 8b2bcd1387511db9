/// `pool`: connections to each server, all workers together.
package struct PoolConfiguration: Sendable, Equatable {
    /// Connections per server, 1...1_000_000; those that carry event streams count apart.
    package var maximum = 128
    /// Connections kept warm, 0...`maximum`.
    package var minimum = 0
    /// How long a connection may be parked.
    package var idleTimeout = Duration.seconds(30)
    package var connectTimeout = Duration.seconds(5)
    /// Requests before a connection is replaced; nil sets no limit.
    package var maximumUses: Int? = 7_500
    /// Age at which a connection is replaced; nil sets no limit.
    package var maximumAge: Duration? = .seconds(3600)
    /// Event streams per server, 1...10_000_000.
    package var maximumStreams = 10_000

    package init() {}
}

/// `queue`: requests that wait for a connection, per server and in order.
package struct QueueConfiguration: Sendable, Equatable {
    /// Requests, 0...1_000_000; 0 lets none wait.
    package var maximum = 1_000
    /// The longest wait.
    package var timeout = Duration.seconds(10)

    package init() {}
}

/// `timeouts` of an upstream.
package struct UpstreamTimeouts: Sendable, Equatable {
    /// From the request's last byte to the response's first; nil waits for ever.
    package var firstByte: Duration? = .seconds(300)
    /// The longest silence of a replica's event stream; nil bears any.
    package var streamIdle: Duration?

    package init() {}
}

/// `sse`: what is done for event streams.
package struct EventStreamConfiguration: Sendable, Equatable {
    /// Silence after which the client gets a comment between two events; nil sends none.
    package var heartbeat: Duration? = .seconds(15)

    package init() {}
}
