package import Kernel

/// Where the servers of an upstream are found.
package enum DiscoverySource: Sendable, Hashable, CustomStringConvertible {
    /// The addresses of a name, A and AAAA, each with this port.
    case dns(name: String, port: UInt16)
    /// The records of a service (RFC 2782).
    case srv(name: String)
    /// A list of targets as Prometheus reads it, at this path.
    case file(path: String)

    /// As in "dns mcp-headless.prod.svc, port 3001".
    package var description: String {
        switch self {
        case .dns(let name, let port): "dns \(name), port \(port)"
        case .srv(let name): "srv \(name)"
        case .file(let path): "file \(path)"
        }
    }
}

/// What is to be found for an upstream, and within which limits.
package struct DiscoveryPlan: Sendable, Hashable {
    /// The upstream's name.
    package var upstream: String
    /// Where its servers are found.
    package var source: DiscoverySource
    /// The name server that is asked; nil: those of /etc/resolv.conf.
    package var nameServer: SocketAddress?
    /// What of an answer comes into force, and when the next one is asked for.
    package var limits = DiscoveryLimits()

    package init(upstream: String, source: DiscoverySource) {
        self.upstream = upstream
        self.source = source
    }
}

/// What of an answer comes into force, and when the next one is asked for.
package struct DiscoveryLimits: Sendable, Hashable {
    /// From an answer to the next question at least, whatever its TTL.
    package var minimumTTL = Interval.seconds(1)
    /// At most; not less than `minimumTTL`.
    package var maximumTTL = Interval.seconds(30)
    /// Servers that one answer may bring; at least 1.
    package var maximumServers = 500
    /// Servers that may appear or vanish within `changeWindow`; at least 1. The rest waits.
    package var maximumChanges = 100

    /// The time in which changes are counted.
    package static var changeWindow: Interval { .seconds(10) }
    /// A server that comes back within this time after it vanished is flapping.
    package static var flapWindow: Interval { .seconds(300) }

    package init() {}
}
