/// `health_check`: how a server is checked.
package struct HealthCheckConfiguration: Sendable, Equatable {
    package var kind = HealthCheckKind.tcp
    /// From the start of one check to the start of the next.
    package var interval = Duration.seconds(2)
    /// The longest one check may take, at most `interval`.
    package var timeout = Duration.seconds(1)
    /// Successes in a row that bring a server back, 1...100.
    package var rise = 2
    /// Failures in a row that take a server out, 1...100.
    package var fall = 3
    /// Percent of servers, 0...100: with fewer available, all are tried. 0 never tries a server that is down.
    package var panicThreshold = 0

    package init() {}
}

/// What a health check does.
package enum HealthCheckKind: Sendable, Equatable {
    /// Connects.
    case tcp
    /// Asks for a path and wants 200...399 for it. Without a host, the Host field is the server's own address.
    case http(path: String, host: String?)
}
