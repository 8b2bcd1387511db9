/// One `[listen]` table.
struct ImportedListener: Equatable {
    /// The address with TLS, as the file writes it; nil without.
    var https: String?
    /// The address in clear; nil without.
    var http: String?
    /// The certificates, the default one first.
    var certificates: [CertificatePair] = []
    /// Where `http` sends clients: "https", or "https:443" if another program listens there; nil: it serves them.
    var redirect: String?
    /// Whether TLS 1.2 is refused.
    var requiresTLS13 = false
    var clientAuthentication: ClientAuthentication?
    var trustedProxies: [String] = []
    var trustedHeader: String?
    var hasProxyProtocol = false
    /// Whether servers are told that clients use HTTPS, whatever the connection is.
    var forwardsHTTPS = false
    var access = AccessList()
    var maximumConnections: Int?
    var timeouts = ClientTimeouts()
    /// Bytes of a body; nil: the default.
    var requestBody: Int?
    var streams: Int?
    var blocks: [SourceBlock] = []

    struct CertificatePair: Equatable {
        var certificate: String
        var key: String
        /// Whether the source names none, so that these are only where one is expected.
        var isAssumed = false
    }

    struct ClientAuthentication: Equatable {
        var isOptional: Bool
        var authorities: String
    }

    /// Timeouts of clients; nil: the default.
    struct ClientTimeouts: Equatable {
        var header: Duration?
        var body: Duration?
        var idle: Duration?
    }
}
