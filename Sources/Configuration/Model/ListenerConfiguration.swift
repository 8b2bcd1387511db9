/// One listening socket. A `[listen]` table with both `https` and `http` makes two, alike in all else.
package struct ListenerConfiguration: Sendable, Equatable {
    package var address: ListenAddress
    package var security: ListenerSecurity
    /// Whose X-Forwarded-* fields are believed; from anyone else they are dropped.
    package var trustedProxies: [AddressRange] = []
    /// Connections begin with a PROXY protocol header, and are taken from `trustedProxies` only.
    package var proxyProtocol = false
    /// Client connections at once, all workers together, 1...10_000_000.
    package var maximumConnections = 100_000
    /// What is offered by ALPN, the preferred one first; never empty.
    package var protocols = ApplicationProtocol.allCases
    package var timeouts = ListenerTimeouts()
    package var limits = ListenerLimits()

    package init(address: ListenAddress, security: ListenerSecurity) {
        self.address = address
        self.security = security
    }
}

/// Whether a listener speaks TLS.
package enum ListenerSecurity: Sendable, Equatable {
    case plain
    case tls(ListenerTLS)
}

/// How a listener speaks TLS.
package struct ListenerTLS: Sendable, Equatable {
    /// In the order of the file; the first is the default. At least one.
    package var certificates: [CertificateFiles]
    package var minimumVersion = TLSVersion.tls12
    /// OpenSSL's cipher list for TLS 1.2; nil is Berth's own, forward secrecy and authenticated encryption only.
    package var ciphers: String?
    /// Whether clients get session tickets, with which they come back without a full handshake.
    package var tickets = true
    /// Nil asks no client for a certificate.
    package var clientAuthentication: ClientAuthenticationConfiguration?

    package init(certificate: String, key: String) {
        certificates = [CertificateFiles(certificate: certificate, key: key)]
    }

    init() {
        certificates = []
    }
}

/// A certificate and its key.
package struct CertificateFiles: Sendable, Equatable {
    /// Path of a PEM file: the certificate, then its chain.
    package var certificate: String
    /// Path of a PEM file: the private key.
    package var key: String
    /// Path of a DER file: an OCSP response to show to clients that ask.
    package var ocsp: String?
    /// The path of its table: "listen[0]", "listen[0].certificate[1]".
    var table = ""

    package init(certificate: String, key: String, ocsp: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.ocsp = ocsp
    }

    /// Where it was written makes no difference to what it is.
    package static func == (a: CertificateFiles, b: CertificateFiles) -> Bool {
        (a.certificate, a.key, a.ocsp) == (b.certificate, b.key, b.ocsp)
    }
}

/// `client_auth`: which clients must show a certificate.
package struct ClientAuthenticationConfiguration: Sendable, Equatable {
    package var mode = ClientAuthenticationMode.required
    /// Path of a PEM file: the authorities that may vouch for clients.
    package var authorities: String

    package init(mode: ClientAuthenticationMode, authorities: String) {
        self.mode = mode
        self.authorities = authorities
    }
}

/// What becomes of a client without a certificate.
package enum ClientAuthenticationMode: String, Sendable, CaseIterable {
    /// It is served, and servers are told that it showed none.
    case optional
    /// It is turned away in the handshake.
    case required
}

/// A protocol version a client must reach.
package enum TLSVersion: String, Sendable, CaseIterable {
    case tls12 = "1.2"
    case tls13 = "1.3"
}

/// How long a client may take; none can be switched off, or a silent peer would hold a connection for ever.
package struct ListenerTimeouts: Sendable, Equatable {
    /// From accept to the end of the handshake.
    package var tls = Duration.seconds(10)
    /// From a request's first byte to the end of its head, however it drips.
    package var header = Duration.seconds(10)
    /// Between two reads of a request body.
    package var body = Duration.seconds(30)
    /// Between requests.
    package var idle = Duration.seconds(75)

    package init() {}
}

/// How much a client may send.
package struct ListenerLimits: Sendable, Equatable {
    /// Bytes of one request head, 1 KiB...64 KiB.
    package var headerBytes = 64 * 1024
    /// Field lines of one request head, 16...128.
    package var headers = 100
    /// Bytes of one request body, 0...1 TiB.
    package var requestBody = 8 * 1024 * 1024
    /// HTTP/2 streams a client may have open on one connection, 1...10,000.
    package var streams = 256

    package init() {}
}

/// A protocol that ALPN can agree on (RFC 7301).
package enum ApplicationProtocol: String, Sendable, CaseIterable {
    case http2 = "h2"
    case http11 = "http/1.1"
}
