import COpenSSL

/// A protocol version this module speaks. Older ones are never offered (RFC 8996).
package enum TLSVersion: Equatable, Sendable {
    // swift-format-ignore: AlwaysUseLowerCamelCase
    case v1_2
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

/// What an operator may choose for one TLS listener.
package struct TLSOptions: Equatable, Sendable {
    /// The oldest version a peer may speak.
    package var minimumVersion: TLSVersion = .v1_2
    /// The newest version a peer may speak.
    package var maximumVersion: TLSVersion = .v1_3
    /// Names for ALPN (RFC 7301), each of 1 to 255 bytes, in the server's order of preference. A peer with none of
    /// them, or without ALPN, is served all the same. Empty: ALPN is not answered.
    package var applicationProtocols: [String] = ["http/1.1"]
    /// Whether clients get tickets to resume sessions with (RFC 8446 section 4.6.1, RFC 5077). They are stateless:
    /// the server remembers nothing.
    package var tickets: Bool = true
    /// What the tickets' keys follow from; nil: keys that nobody else has, and that go with the context.
    package var ticketSecrets: TicketSecrets?
    /// Nil: clients are not asked for certificates. Servers only.
    package var clients: ClientAuthentication?
    /// OpenSSL's cipher list for TLS 1.2. The default is ECDHE with an AEAD, nothing else.
    package var ciphers: String = Self.safeCiphers

    package init() {}

    /// The cipher suites of TLS 1.3 (RFC 8446 section B.4), not for operators to choose: all are good.
    static let suites = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"

    /// Forward secrecy and AEAD only. The server's order holds, save that a peer which puts ChaCha20 first (it has
    /// no AES instructions) gets ChaCha20.
    static let safeCiphers =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
        + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
}
