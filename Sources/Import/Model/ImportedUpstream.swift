/// One `[upstream.<name>]` table.
struct ImportedUpstream {
    var name: String
    /// The number of the statement that it comes from.
    var place = 0
    var servers: [Server] = []
    var discover: Discovery?
    var balance = Balance.roundRobin
    var host = Host.keep
    var tls: TLS?
    /// Nil: sessions may be forgotten after the default time.
    var connectTimeout: Duration?
    var idleTimeout: Duration?
    var maximumUses: Int?
    var maximumAge: Duration?
    var maximumConnections: Int?
    var queueTimeout: Duration?
    var firstByte: Duration?
    var outliers: Outliers?
    var healthCheck: HealthCheck?
    var blocks: [SourceBlock] = []

    struct Server: Equatable {
        /// "host:port".
        var address: String
        var weight = 1
        var isBackup = false
        var isDraining = false
    }

    struct Discovery: Equatable {
        var name: String
        var port: Int
    }

    enum Balance: String {
        case roundRobin = "round-robin"
        case leastRequests = "least-requests"
        case powerOfTwo = "power-of-two"
    }

    enum Host: Equatable {
        case keep
        case upstream
        case fixed(String)
    }

    struct TLS: Equatable {
        var verifies = false
        var authorities: String?
        var certificate: String?
        var key: String?
        var serverName: String?
    }

    struct Outliers: Equatable {
        var failures: Int
        var ejection: Duration
    }

    /// An HTTP check if it has a path.
    struct HealthCheck: Equatable {
        var path: String?
        var host: String?
        var status: String?
        var interval: Duration?
        var timeout: Duration?
        var rise: Int?
        var fall: Int?
        var slowStart: Duration?
    }

    /// What to write if the one server has a name that stands for several; nil if that cannot be.
    var hint: String? {
        guard servers.count == 1, discover == nil, let colon = servers[0].address.lastIndex(of: ":") else { return nil }
        let address = servers[0].address
        let (host, port) = (String(address[..<colon]), String(address[address.index(after: colon)...]))
        guard host != "localhost", !host.hasPrefix("["), host.contains(where: \.isLetter), tls == nil else {
            return nil
        }
        return
            "# If \(host) is the name of several replicas: discover = { dns = \"\(host)\", port = \(port) }, without servers.\n"
    }

    /// Servers that are used in normal times.
    var activeServers: Int { servers.count { !$0.isBackup && !$0.isDraining } }
    /// Whether a session can have more than one server.
    var hasChoice: Bool { servers.count > 1 || discover != nil }
}
