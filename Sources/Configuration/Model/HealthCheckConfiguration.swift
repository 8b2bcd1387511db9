/// `health_check`: how servers are checked.
package struct HealthCheckConfiguration: Sendable, Equatable {
    /// The kind of check.
    package var kind = HealthCheckKind.tcp
    /// What an http check must get to pass.
    package var expectation = HealthCheckExpectation()
    /// From the start of one check to the start of the next.
    package var interval = Duration.seconds(2)
    /// The longest one check may take, at most `interval`.
    package var timeout = Duration.seconds(1)
    /// Successes in a row after which a server is healthy, 1...100.
    package var rise = 2
    /// Failures in a row after which a server is unhealthy, 1...100.
    package var fall = 3
    /// With fewer than this percentage of servers healthy, 0...100, unhealthy ones are used as well. 0 never uses them.
    package var panicThreshold = 0
    /// What becomes of the calls and streams of a server that goes down.
    package var onDown = OnServerDown.keep
    /// How long the share of new work grows of a server that comes back; nil: it has its whole share at once.
    package var slowStart: Duration?

    package init() {}
}

/// What becomes of the calls and streams of a server that the checks find down.
package enum OnServerDown: String, Sendable, CaseIterable {
    /// They go on: a server that answers no check may only be busy.
    case keep
    /// They end at once.
    case close
}

/// The kind of a health check.
package enum HealthCheckKind: Sendable, Equatable {
    /// The check passes if a connection is established.
    case tcp
    /// The check passes if the response to a GET of `path` is as expected. `host`: the Host field; nil for the server's
    /// address.
    case http(path: String, host: String?)
    /// The check passes if the server answers `server/discover` (2026-07-28), or `ping` in a session that is kept for
    /// it, with a POST to `path`.
    case mcp(path: String, host: String?)
}

/// `expect` of an http check: the responses that pass.
package struct HealthCheckExpectation: Sendable, Equatable {
    /// Status codes, 200...599.
    package var status: [ClosedRange<Int>] = [200...399]
    /// What the body must contain; nil: it is not read.
    package var body: String?

    package init() {}
}
