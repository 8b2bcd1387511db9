/// `discover` of an upstream: where more of its servers are found, again and again.
package struct DiscoverConfiguration: Sendable, Equatable {
    /// What is asked.
    package enum Source: Sendable, Equatable {
        /// The addresses of a name, each with this port.
        case dns(name: String, port: UInt16)
        /// The records of a service (RFC 2782).
        case srv(name: String)
        /// A list of targets as Prometheus reads it, at this path.
        case file(path: String)
    }

    /// What is asked.
    package var source: Source
    /// From an answer to the next question at least.
    package var minimumTTL = Duration.seconds(1)
    /// At most.
    package var maximumTTL = Duration.seconds(30)
    /// The name server that is asked, an IP address; nil: those of /etc/resolv.conf.
    package var nameServer: ServerAddress?
    /// Servers that an answer may bring.
    package var maximumServers = 500
    /// Servers that may appear or vanish within ten seconds.
    package var maximumChanges = 100

    package init(source: Source) { self.source = source }
}
