/// `pool`: connections to each server, over all workers.
package struct PoolConfiguration: Sendable, Equatable {
    /// Connections per server, 1...1_000_000; those with event streams are counted by `maximumStreams` instead.
    package var maximum = 128
    /// Idle connections kept open per server, 0...`maximum`.
    package var minimum = 0
    /// How long a connection may be idle before it is closed.
    package var idleTimeout = Duration.seconds(30)
    /// How long establishing a connection may take.
    package var connectTimeout = Duration.seconds(5)
    /// Requests after which a connection is closed; nil: no limit.
    package var maximumUses: Int? = 7_500
    /// Age at which a connection is closed; nil: no limit.
    package var maximumAge: Duration? = .seconds(3600)
    /// Event streams per server, 1...10_000_000.
    package var maximumStreams = 10_000
    /// The part of a server's connections that one session may have, in percent, 50...100.
    package var maximumShare = 75

    package init() {}
}

/// `circuit_breaker`: bounds of what a server is asked to do at once, over all workers.
package struct CircuitBreakerConfiguration: Sendable, Equatable {
    /// Requests in progress at a server, 1...1_000_000, those that are answered by an event stream included; nil: no limit.
    package var maximumCalls: Int?
    /// Requests that wait for one server and can go to no other, 1...1_000_000; nil: no limit but that of the queue.
    package var maximumPending: Int?

    package init() {}
}

/// `queue`: requests that wait for a connection, session by session in turn.
package struct QueueConfiguration: Sendable, Equatable {
    /// Waiting requests, 0...1_000_000; with 0 none may wait.
    package var maximum = 1_000
    /// The longest wait.
    package var timeout = Duration.seconds(10)

    package init() {}
}

/// `timeouts` of an upstream.
package struct UpstreamTimeouts: Sendable, Equatable {
    /// From the request's last byte to the response's first; nil: no limit.
    package var firstByte: Duration? = .seconds(300)
    /// The longest time between two reads of a body that is no event stream, and between two writes of a request.
    package var read = Duration.seconds(60)
    /// The longest time without data on a server's event stream; nil: no limit.
    package var streamIdle: Duration?

    package init() {}
}

/// `sse`: handling of event streams.
package struct EventStreamConfiguration: Sendable, Equatable {
    /// The time without data after which the client gets a comment; nil: none is sent.
    package var heartbeat: Duration? = .seconds(15)

    package init() {}
}
