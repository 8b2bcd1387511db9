/// Where the lines of a log go.
package enum LogDestination: Sendable, Equatable {
    case standardOutput
    case standardError
    /// A file that is appended to.
    case file(String)
    /// The log daemon of this machine, by /dev/log.
    case syslog
    /// A log daemon that listens at an IP address, over UDP.
    case udp(host: String, port: UInt16)

    /// As the file writes it.
    package var text: String {
        switch self {
        case .standardOutput: "stdout"
        case .standardError: "stderr"
        case .file(let path): path
        case .syslog: "syslog"
        case .udp(let host, let port): host.contains(":") ? "udp:[\(host)]:\(port)" : "udp:\(host):\(port)"
        }
    }
}

/// How a log writes a call.
package enum LogStyle: String, Sendable, CaseIterable {
    /// One JSON object a line.
    case json
    /// The Common Log Format, with more behind it.
    case text
}

/// `access_log`: a line for each exchange.
package struct AccessLogConfiguration: Sendable, Equatable {
    /// Where it goes.
    package var destination: LogDestination
    /// How a line looks.
    package var style = LogStyle.json
    /// From how long on a call is marked as slow; nil: none is.
    package var slow: Duration? = .seconds(1)
    /// The share of calls that get a line, 0...1. Those that failed or were slow always do.
    package var sample = 1.0

    package init(destination: LogDestination) {
        self.destination = destination
    }
}

/// `slow_log`: a line for each slow call.
package struct SlowLogConfiguration: Sendable, Equatable {
    /// Where it goes.
    package var destination: LogDestination
    /// How a line looks.
    package var style = LogStyle.json
    /// From how long on a call gets a line.
    package var over = Duration.seconds(1)

    package init(destination: LogDestination) {
        self.destination = destination
    }
}

/// `audit_log`: who did what.
package struct AuditLogConfiguration: Sendable, Equatable {
    /// Where it goes.
    package var destination: LogDestination

    package init(destination: LogDestination) {
        self.destination = destination
    }
}
