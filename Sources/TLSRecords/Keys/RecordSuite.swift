import COpenSSL

/// The cipher suites whose records are decrypted and encrypted here (RFC 8446 section B.4).
package enum RecordSuite: UInt8, Sendable, CaseIterable {
    case aes128, aes256, chaCha20

    /// The suite of this number (IANA's TLS Cipher Suites); nil: none of these.
    package init?(number: UInt16) {
        switch number {
        case 0x1301: self = .aes128
        case 0x1302: self = .aes256
        case 0x1303: self = .chaCha20
        default: return nil
        }
    }

    /// OpenSSL's name of the suite.
    package var name: String {
        switch self {
        case .aes128: "TLS_AES_128_GCM_SHA256"
        case .aes256: "TLS_AES_256_GCM_SHA384"
        case .chaCha20: "TLS_CHACHA20_POLY1305_SHA256"
        }
    }

    /// The hash that keys are derived with.
    package var hash: HashFunction { self == .aes256 ? .sha384 : .sha256 }

    /// Bytes of a key.
    var keyBytes: Int { self == .aes128 ? 16 : 32 }

    /// Fetched once, for a fetch costs more than a record.
    var cipher: OpaquePointer? { Self.ciphers[Int(rawValue)] }

    /// Written once, before the first use.
    nonisolated(unsafe) private static let ciphers: [OpaquePointer?] = [
        EVP_CIPHER_fetch(nil, "AES-128-GCM", nil), EVP_CIPHER_fetch(nil, "AES-256-GCM", nil),
        EVP_CIPHER_fetch(nil, "ChaCha20-Poly1305", nil),
    ]
}
