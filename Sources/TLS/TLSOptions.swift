import COpenSSL

/// A supported TLS version. Older versions are never negotiated (RFC 8996).
package enum TLSVersion: Equatable, Sendable {
    /// TLS 1.2 (RFC 5246).
    // swift-format-ignore: AlwaysUseLowerCamelCase
    case v1_2
    /// TLS 1.3 (RFC 8446).
    // swift-format-ignore: AlwaysUseLowerCamelCase
    case v1_3

    /// OpenSSL's number for it.
    var number: CInt {
        switch self {
        case .v1_2: TLS1_2_VERSION
        case .v1_3: TLS1_3_VERSION
        }
    }
}

/// Whose code decrypts and encrypts records.
package enum RecordLayerChoice: String, Equatable, Sendable {
    /// `TLSRecords`, where it can: TLS 1.3, without a client certificate. An idle connection then needs no SSL object.
    case own = "berth"
    /// OpenSSL's, always.
    case openSSL = "openssl"
}

/// The protocol options of one TLS context.
package struct TLSOptions: Equatable, Sendable {
    /// The oldest version that is negotiated.
    package var minimumVersion: TLSVersion = .v1_2
    /// The newest version that is negotiated.
    package var maximumVersion: TLSVersion = .v1_3
    /// Protocol names for ALPN (RFC 7301), of 1 to 255 bytes each, in the server's order of preference. A handshake
    /// with a client that offers none of them, or no ALPN, still succeeds. Empty: the server does not answer ALPN.
    package var applicationProtocols: [String] = ["http/1.1"]
    /// Whether sessions can be resumed with tickets (RFC 8446 section 4.6.1, RFC 5077). The server keeps no state for
    /// them.
    package var tickets: Bool = true
    /// The secrets that ticket keys are derived from; nil: random keys, valid only in this context.
    package var ticketSecrets: TicketSecrets?
    /// How clients are authenticated; nil: no client certificates are requested. Servers only.
    package var clients: ClientAuthentication?
    /// Whose record layer a server's connections of TLS 1.3 have after the handshake.
    package var records = RecordLayerChoice.own
    /// The cipher list for TLS 1.2, in OpenSSL's syntax. The default is ECDHE with an AEAD only.
    package var ciphers: String = Self.safeCiphers

    /// The defaults.
    package init() {}

    /// The cipher suites of TLS 1.3 (RFC 8446 section B.4). They are not configurable, because all are safe.
    static let suites = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"

    /// Ciphers with forward secrecy and an AEAD only. The server's order decides, except that a client which prefers
    /// ChaCha20 (it has no AES instructions) gets ChaCha20.
    static let safeCiphers =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
        + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
}
