/// One listener. A `[listen]` table with both `https` and `http` makes two that differ only in address and TLS.
package struct ListenerConfiguration: Sendable, Equatable {
    /// The address to listen on.
    package var address: ListenAddress
    /// Whether and how the listener uses TLS.
    package var security: ListenerSecurity
    /// Addresses whose X-Forwarded-* fields are kept; those of all others are removed.
    package var trustedProxies: [AddressRange] = []
    /// Whether connections begin with a PROXY protocol header, and are accepted from `trustedProxies` only.
    package var proxyProtocol = false
    /// The scheme that servers are told for requests of untrusted clients; nil: that of the client's connection.
    package var forwardedProto: ForwardedProto?
    /// The name of the field in which `trustedProxies` say the client's address; nil: X-Forwarded-For has it.
    package var trustedHeader: String?
    /// Whose requests are served.
    package var access = AccessConfiguration()
    /// Hosts that requests may be for: names in lower case, IP addresses without brackets. Empty: all.
    package var hosts: [String] = []
    /// Scheme, host and port by which clients reach it, serialised as an origin (RFC 6454 section 6.2); nil: those of each
    /// request.
    package var publicURL: String?
    /// Of a plain listener: the port to which requests are redirected, over https; nil: they are served.
    package var redirectPort: UInt16?
    /// Whether a plain listener speaks HTTP/2 with clients that begin with it, without negotiation.
    package var h2c = true
    /// Client connections open at a time, over all workers, 1...10_000_000.
    package var maximumConnections = 100_000
    /// Client connections of one IPv4 address, or of one /64 of IPv6, over all workers, 1...10_000_000; nil: any number.
    package var maximumPerAddress: Int?
    /// How fast one IPv4 address, or one /64 of IPv6, may open connections, over all workers; nil: as it likes.
    package var connectionOpens: RateText?
    /// The protocols offered by ALPN, in order of preference; never empty.
    package var protocols = ApplicationProtocol.allCases
    /// Timeouts of clients.
    package var timeouts = ListenerTimeouts()
    /// Limits on requests.
    package var limits = ListenerLimits()
    /// How clients that vanished are noticed.
    package var tcp = TCPConfiguration()

    /// Hosts of one listener, at most.
    static let maximumHosts = 100

    package init(address: ListenAddress, security: ListenerSecurity) {
        self.address = address
        self.security = security
    }
}

/// `forwarded_proto`: the scheme that a balancer in front was dialled with. There is one value: without the key a plain
/// listener says `http`.
package enum ForwardedProto: String, Sendable, CaseIterable {
    case https
}

/// Whether a listener uses TLS.
package enum ListenerSecurity: Sendable, Equatable {
    /// Plain HTTP.
    case plain
    /// HTTPS.
    case tls(ListenerTLS)

    /// Clients are asked for a certificate.
    package var asksForCertificates: Bool {
        if case .tls(let tls) = self { tls.clientAuthentication != nil } else { false }
    }
}

/// The TLS settings of a listener.
package struct ListenerTLS: Sendable, Equatable {
    /// In the order of the file; the first is the default. At least one.
    package var certificates: [CertificateFiles]
    /// The lowest version that is accepted.
    package var minimumVersion = TLSVersion.tls12
    /// The cipher list for TLS 1.2 in OpenSSL's syntax; nil: ciphers with forward secrecy and AEAD.
    package var ciphers: String?
    /// Whether clients get session tickets, for resumption (RFC 8446 section 4.6.1).
    package var tickets = true
    /// Whose code decrypts and encrypts records of TLS 1.3.
    package var records = TLSRecordLayer.berth
    /// Nil: clients are not asked for a certificate.
    package var clientAuthentication: ClientAuthenticationConfiguration?

    /// The default settings with one certificate. `certificate`, `key`: paths of PEM files.
    package init(certificate: String, key: String) {
        certificates = [CertificateFiles(certificate: certificate, key: key)]
    }

    init() {
        certificates = []
    }
}

/// `tls.records`: whose code decrypts and encrypts the records of TLS 1.3.
package enum TLSRecordLayer: String, Sendable, Equatable, CaseIterable {
    /// Berth's, with OpenSSL's ciphers: an idle connection needs no OpenSSL objects.
    case berth
    /// OpenSSL's.
    case openssl
}

/// A certificate and its key.
package struct CertificateFiles: Sendable, Equatable {
    /// Path of a PEM file: the certificate, then its chain.
    package var certificate: String
    /// Path of a PEM file: the private key.
    package var key: String
    /// Path of a DER file: an OCSP response to staple (RFC 6066 section 8).
    package var ocsp: String?
    /// The path of its table in the file: "listen[0]", "listen[0].certificate[1]".
    var table = ""

    package init(certificate: String, key: String, ocsp: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.ocsp = ocsp
    }

    /// Compares the paths of the files; the table is ignored.
    package static func == (a: CertificateFiles, b: CertificateFiles) -> Bool {
        (a.certificate, a.key, a.ocsp) == (b.certificate, b.key, b.ocsp)
    }
}

/// `client_auth`: client certificates.
package struct ClientAuthenticationConfiguration: Sendable, Equatable {
    /// Whether a certificate is required.
    package var mode = ClientAuthenticationMode.required
    /// Path of a PEM file: the authorities that client certificates are verified against.
    package var authorities: String

    package init(mode: ClientAuthenticationMode, authorities: String) {
        self.mode = mode
        self.authorities = authorities
    }
}

/// How clients without a certificate are handled.
package enum ClientAuthenticationMode: String, Sendable, CaseIterable {
    /// They are served, and servers are told that they have no certificate.
    case optional
    /// Their handshake fails.
    case required
}

/// A version of TLS.
package enum TLSVersion: String, Sendable, CaseIterable {
    case tls12 = "1.2"
    case tls13 = "1.3"
}

/// Timeouts of clients. None can be switched off, since an idle client would hold its connection forever.
package struct ListenerTimeouts: Sendable, Equatable {
    /// From accept to the end of the TLS handshake.
    package var tls = Duration.seconds(10)
    /// From a request's first byte to the end of its head.
    package var header = Duration.seconds(10)
    /// Between two reads of a request body.
    package var body = Duration.seconds(30)
    /// From the end of a response to the next request.
    package var idle = Duration.seconds(75)

    package init() {}
}

/// Limits on requests.
package struct ListenerLimits: Sendable, Equatable {
    /// Bytes of one request head, 1 KiB...64 KiB.
    package var headerBytes = 64 * 1024
    /// Field lines of one request head, 16...128.
    package var headers = 100
    /// Bytes of one request body, 0...1 TiB.
    package var requestBody = 8 * 1024 * 1024
    /// Concurrent HTTP/2 streams on one connection, 1...10,000.
    package var streams = 256

    package init() {}
}

/// A protocol for ALPN (RFC 7301).
package enum ApplicationProtocol: String, Sendable, CaseIterable {
    case http2 = "h2"
    case http11 = "http/1.1"
}
