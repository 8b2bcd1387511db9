import COpenSSL
import Glibc

/// Encrypts and decrypts session tickets with keys that are derived from secrets and the current period.
///
/// Each ticket has its key's name in plaintext: 8 bytes for the secret, 8 for the period. The key is derived from the
/// name at each use, in under a microsecond, from hash states that are made once for each secret. So no key is stored.
final class TicketKeys: Sendable {
    /// The lifetime of a key in seconds: 12 hours.
    private static let periodSeconds: Int64 = 43_200
    /// Fetched once: finding an algorithm by name takes a lock in OpenSSL.
    nonisolated(unsafe) private static let cipher = EVP_CIPHER_fetch(nil, "AES-256-CBC", nil)

    private let source: TicketSecrets

    init(_ source: TicketSecrets) { self.source = source }

    /// What tickets name a secret by; it follows from the secret.
    static func name(_ secret: MessageAuthenticator) -> UInt64 { tag(secret, 0, 0).0 }

    /// Makes `context` use the keys in its `ContextExtraData`.
    static func install(in context: OpaquePointer) {
        SSL_CTX_set_tlsext_ticket_key_evp_cb(context) { ssl, name, iv, cipher, mac, isEncrypting in
            // -1 makes the handshake fail, as it must without randomness or memory.
            guard let ssl, let name, let iv, let cipher, let mac,
                let keys = ContextExtraData.of(SSL_get_SSL_CTX(ssl))?.tickets
            else { return -1 }
            if isEncrypting == 1 { return keys.prepareEncryption(name, iv, cipher, mac) }
            return keys.prepareDecryption(name, iv, cipher, mac, mayKeep: SSL_version(ssl) < TLS1_3_VERSION)
        }
    }

    private var period: Int64 { (Int64(time(nil)) + source.secondsAhead) / Self.periodSeconds }

    /// Chooses the key for a new ticket: writes its name and a random IV. Returns 1, or -1 on failure, as
    /// SSL_CTX_set_tlsext_ticket_key_evp_cb(3) specifies.
    private func prepareEncryption(
        _ name: UnsafeMutablePointer<UInt8>, _ iv: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer,
        _ mac: OpaquePointer
    ) -> CInt {
        let period = period
        guard let secret = source.prepared.first, RAND_bytes(iv, EVP_CIPHER_get_iv_length(Self.cipher)) == 1 else {
            return -1
        }
        let raw = UnsafeMutableRawPointer(name)
        raw.storeBytes(of: secret.name.bigEndian, as: UInt64.self)
        raw.storeBytes(of: period.bigEndian, toByteOffset: 8, as: Int64.self)
        return withKeys(secret, period) { keys in
            EVP_EncryptInit_ex(cipher, Self.cipher, nil, keys, iv) == 1 && berth_EVP_MAC_init(mac, keys + 32, 32) == 1
                ? 1 : -1
        }
    }

    /// Finds the key of a client's ticket. Returns 0 if the key is unknown or expired, and a full handshake follows; 1
    /// if the ticket is valid; 2 if it is valid and the client gets a new one. TLS 1.3 clients get a new one each time
    /// (RFC 8446 section C.4), older ones before the old ticket's key expires. -1: failure.
    private func prepareDecryption(
        _ name: UnsafeMutablePointer<UInt8>, _ iv: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer,
        _ mac: OpaquePointer, mayKeep: Bool
    ) -> CInt {
        let raw = UnsafeRawPointer(name)
        let secretName = UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self))
        let period = Int64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: Int64.self))
        let current = self.period
        let secrets = source.prepared
        guard period >= current - 1, period <= current + 1,
            let index = secrets.firstIndex(where: { $0.name == secretName })
        else { return 0 }
        return withKeys(secrets[index], period) { keys in
            guard EVP_DecryptInit_ex(cipher, Self.cipher, nil, keys, iv) == 1,
                berth_EVP_MAC_init(mac, keys + 32, 32) == 1
            else { return -1 }
            return mayKeep && index == 0 && period == current ? 1 : 2
        }
    }

    /// Runs `body` with 64 bytes: the cipher's key, then the authenticator's. They are erased afterwards.
    private func withKeys(
        _ secret: TicketSecrets.Prepared, _ period: Int64, _ body: (UnsafePointer<UInt8>) -> CInt
    ) -> CInt {
        let make = { Self.tag(secret.authenticator, $0, period) }
        var keys = (make(1), make(2), make(3), make(4))
        defer { withUnsafeMutableBytes(of: &keys) { OPENSSL_cleanse($0.baseAddress, $0.count) } }
        return withUnsafeBytes(of: &keys) { bytes in
            guard let start = bytes.baseAddress else { return -1 }
            return body(start.assumingMemoryBound(to: UInt8.self))
        }
    }

    /// Derives 16 bytes from a secret for one purpose and period.
    private static func tag(
        _ authenticator: MessageAuthenticator, _ purpose: UInt64, _ period: Int64
    ) -> (UInt64, UInt64) {
        let label: InlineArray<8, UInt8> = [0x74, 0x69, 0x63, 0x6b, 0x65, 0x74, 0x20, UInt8(purpose)]
        var bytes = InlineArray<8, UInt8>(repeating: 0)
        for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: period >> (8 * index)) }
        return authenticator.tag(label.span, bytes.span)
    }
}
