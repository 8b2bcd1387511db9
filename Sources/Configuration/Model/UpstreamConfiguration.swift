/// One `[upstream.<name>]`: servers that can stand in for each other, and how they are used.
package struct UpstreamConfiguration: Sendable, Equatable {
    /// The name of the table.
    package var name: String
    /// In the order of the file; all addresses differ. Without `discover`, at least one is neither backup nor draining.
    package var servers: [ServerConfiguration]
    /// Where more servers are found; nil: those of the file are all.
    package var discover: DiscoverConfiguration?
    /// How a server is selected for requests without a session.
    package var balance = Balance.roundRobin
    /// What requests without a session that are to meet one server have in common; nil: nothing, each goes by `balance`.
    package var affinityKey: AffinityKeyConfiguration?
    /// The Host field of forwarded requests.
    package var host = HostPolicy.keep
    /// TLS settings; nil for plain HTTP.
    package var tls: UpstreamTLSConfiguration?
    /// Session affinity.
    package var session = SessionConfiguration()
    /// Connections to servers.
    package var pool = PoolConfiguration()
    /// Requests that wait for a connection.
    package var queue = QueueConfiguration()
    /// Bounds of what a server is asked to do at once.
    package var circuitBreaker = CircuitBreakerConfiguration()
    /// Timeouts of servers.
    package var timeouts = UpstreamTimeouts()
    /// How servers that vanished are noticed.
    package var tcp = TCPConfiguration()
    /// Event streams.
    package var events = EventStreamConfiguration()
    /// Health checks of the servers.
    package var healthCheck = HealthCheckConfiguration()
    /// Requests that are sent again.
    package var retry = RetryConfiguration()
    /// How clients of the revisions before 2026-07-28 are told of faults that pass.
    package var legacyErrors = LegacyErrors.http
    /// When servers are ejected whose work fails; nil: never.
    package var outlierDetection: OutlierDetectionConfiguration?
    /// Answers that are kept; nil: none are.
    package var cache: CacheConfiguration?

    package init(name: String, servers: [ServerConfiguration]) {
        self.name = name
        self.servers = servers
    }
}

/// `tls` of an upstream: TLS to its servers.
package struct UpstreamTLSConfiguration: Sendable, Equatable {
    /// Path of a PEM file: the authorities that servers are verified against; nil: those of the system.
    package var authorities: String?
    /// The client certificate for servers that request one.
    package var certificate: CertificateFiles?
    /// The name in the servers' certificates; nil: the host of each server's address.
    package var serverName: String?
    /// Whether servers' certificates are verified.
    package var verifies = true

    package init() {}
}

/// One server of an upstream.
package struct ServerConfiguration: Sendable, Equatable {
    /// Its address.
    package var address: ServerAddress
    /// Its share of new work in relation to the other servers, 1...1000.
    package var weight = 1
    /// Whether it is used only if no other server is available.
    package var isBackup = false
    /// Whether it keeps its sessions and gets no new ones.
    package var isDraining = false

    package init(address: ServerAddress) {
        self.address = address
    }
}

/// The address of a server.
package struct ServerAddress: Sendable, Hashable, CustomStringConvertible {
    /// A host name in lower case, or an IP address without brackets.
    package var host: String
    /// The port, 1...65535.
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// How a server is selected for requests without a session.
package enum Balance: String, Sendable, CaseIterable {
    case roundRobin = "round-robin"
    case ipHash = "ip-hash"
    case sessionHash = "session-hash"
    case leastRequests = "least-requests"
    case powerOfTwo = "power-of-two"
}

/// The Host field of forwarded requests (RFC 9110 section 7.2).
package enum HostPolicy: Sendable, Equatable {
    /// The client's.
    case keep
    /// The server's address.
    case upstream
    /// A fixed value.
    case fixed(String)
}
