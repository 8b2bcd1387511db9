/// `health_check`: how servers are checked.
package struct HealthCheckConfiguration: Sendable, Equatable {
    /// The kind of check.
    package var kind = HealthCheckKind.tcp
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
    /// The check passes if a GET of `path` has a status of 200...399. `host`: the Host field; nil for the server's
    /// address.
    case http(path: String, host: String?)
}
