package import Configuration
import Kernel
package import Telemetry

/// Which logs of calls there are.
package struct LogPlan: Sendable, Equatable {
    /// A log of calls.
    package struct Calls: Sendable, Equatable {
        /// Where it goes.
        package var target: LogTarget
        /// How a line looks.
        package var format: LogFormat
        /// Which calls get a line.
        package var rule: CallLog.Rule
    }

    /// Nil: there is none.
    package var access: Calls?
    /// Nil: there is none.
    package var slow: Calls?
    /// Nil: there is none.
    package var audit: LogTarget?

    /// No logs.
    package init() {}

    /// The logs of a checked configuration.
    package init(_ global: GlobalConfiguration) {
        if let log = global.accessLog {
            var rule = CallLog.Rule()
            rule.slow = log.slow.map { Interval($0).nanoseconds }
            rule.sample = log.sample
            access = Calls(target: LogTarget(log.destination), format: LogFormat(log.style), rule: rule)
        }
        if let log = global.slowLog {
            var rule = CallLog.Rule()
            rule.slow = Interval(log.over).nanoseconds
            rule.onlySlow = true
            slow = Calls(target: LogTarget(log.destination), format: LogFormat(log.style), rule: rule)
        }
        audit = global.auditLog.map { LogTarget($0.destination) }
    }
}

extension LogTarget {
    fileprivate init(_ destination: LogDestination) {
        switch destination {
        case .standardOutput: self = .standardOutput
        case .standardError: self = .standardError
        case .file(let path): self = .file(path)
        case .syslog: self = .syslog
        case .udp(let host, let port):
            // The configuration has checked that it is an address.
            self = .udp(SocketAddress(literal: host, port: port) ?? .loopback(port: port))
        }
    }
}

extension LogFormat {
    fileprivate init(_ style: LogStyle) {
        switch style {
        case .json: self = .json
        case .text: self = .text
        }
    }
}
