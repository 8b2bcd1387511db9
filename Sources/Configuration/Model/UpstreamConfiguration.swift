/// One `[upstream.<name>]`: the replicas of one MCP server, and how they are used.
package struct UpstreamConfiguration: Sendable, Equatable {
    package var name: String
    /// In the order of the file; at least one takes new sessions from the start. No address appears twice.
    package var servers: [ServerConfiguration]
    package var balance = Balance.roundRobin
    package var host = HostPolicy.keep
    /// Nil speaks to servers in clear.
    package var tls: UpstreamTLSConfiguration?
    package var session = SessionConfiguration()
    package var pool = PoolConfiguration()
    package var queue = QueueConfiguration()
    package var timeouts = UpstreamTimeouts()
    package var events = EventStreamConfiguration()
    package var healthCheck = HealthCheckConfiguration()

    package init(name: String, servers: [ServerConfiguration]) {
        self.name = name
        self.servers = servers
    }
}

/// `tls` of an upstream: how its servers are spoken to.
package struct UpstreamTLSConfiguration: Sendable, Equatable {
    /// Path of a PEM file: who may vouch for servers; nil: whoever the system trusts.
    package var authorities: String?
    /// What we show to servers that ask.
    package var certificate: CertificateFiles?
    /// The name that servers' certificates must bear; nil: each server's own host.
    package var serverName: String?
    /// Whether servers' certificates are checked at all.
    package var verifies = true

    package init() {}
}

/// One replica.
package struct ServerConfiguration: Sendable, Equatable {
    package var address: ServerAddress
    /// Share of new work beside the others, 1...1000.
    package var weight = 1
    /// Takes work only while no other server can.
    package var isBackup = false
    /// Keeps its sessions and gets no new ones.
    package var isDraining = false

    package init(address: ServerAddress) {
        self.address = address
    }
}

/// Where a replica listens.
package struct ServerAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name in lower case, or an IP address without brackets.
    package var host: String
    /// 1...65535.
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// How a server is chosen for what no session ties to one.
package enum Balance: String, Sendable, CaseIterable {
    case roundRobin = "round-robin"
    case ipHash = "ip-hash"
    case sessionHash = "session-hash"
    case leastRequests = "least-requests"
    case powerOfTwo = "power-of-two"
}

/// The Host field a replica sees.
package enum HostPolicy: Sendable, Equatable {
    /// What the client sent.
    case keep
    /// The server's own address.
    case upstream
    /// Always this, as it is written.
    case fixed(String)
}
