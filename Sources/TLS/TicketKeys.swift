import COpenSSL
import Glibc

/// Seals and opens tickets with keys that follow from secrets and the time of day.
///
/// A key's name is in clear in each ticket: 8 bytes for the secret, 8 for the period. So no key is searched for, none
/// is kept, and there is nothing to lock: what a name stands for is derived on the spot, from hash states that are
/// made once, in under a microsecond.
final class TicketKeys: Sendable {
    private struct Secret {
        var name: UInt64
        var authenticator: MessageAuthenticator
    }

    private static let periodSeconds: Int64 = 43_200
    /// Fetched once: finding an algorithm by name takes a lock in OpenSSL.
    nonisolated(unsafe) private static let cipher = EVP_CIPHER_fetch(nil, "AES-256-CBC", nil)

    private let secrets: [Secret]
    private let secondsAhead: Int64

    init(_ source: TicketSecrets) {
        secrets = source.secrets.map { secret in
            let authenticator = MessageAuthenticator(key: secret)
            return Secret(name: Self.tag(authenticator, 0, 0).0, authenticator: authenticator)
        }
        secondsAhead = source.secondsAhead
    }

    /// Makes `context` use the keys among its belongings.
    static func install(in context: OpaquePointer) {
        SSL_CTX_set_tlsext_ticket_key_evp_cb(context) { ssl, name, iv, cipher, mac, isSealing in
            // -1: the handshake fails, which is right where there is no randomness or no memory.
            guard let ssl, let name, let iv, let cipher, let mac,
                let kept = ContextExtraData.of(SSL_get_SSL_CTX(ssl))?.tickets
            else { return -1 }
            if isSealing == 1 { return kept.seal(name, iv, cipher, mac) }
            return kept.open(name, iv, cipher, mac, mayKeep: SSL_version(ssl) < TLS1_3_VERSION)
        }
    }

    private var period: Int64 { (Int64(time(nil)) + secondsAhead) / Self.periodSeconds }

    private func seal(
        _ name: UnsafeMutablePointer<UInt8>, _ iv: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer,
        _ mac: OpaquePointer
    ) -> CInt {
        let period = period
        guard let secret = secrets.first, RAND_bytes(iv, EVP_CIPHER_get_iv_length(Self.cipher)) == 1 else { return -1 }
        let raw = UnsafeMutableRawPointer(name)
        raw.storeBytes(of: secret.name.bigEndian, as: UInt64.self)
        raw.storeBytes(of: period.bigEndian, toByteOffset: 8, as: Int64.self)
        return withKeys(secret, period) { keys in
            EVP_EncryptInit_ex(cipher, Self.cipher, nil, keys, iv) == 1 && berth_EVP_MAC_init(mac, keys + 32, 32) == 1
                ? 1 : -1
        }
    }

    /// 0: no such key, a full handshake follows. 2: good, and the client gets a new ticket; TLS 1.3 wants one each
    /// time (RFC 8446 section C.4), older versions before the old one's key is forgotten.
    private func open(
        _ name: UnsafeMutablePointer<UInt8>, _ iv: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer,
        _ mac: OpaquePointer, mayKeep: Bool
    ) -> CInt {
        let raw = UnsafeRawPointer(name)
        let wanted = UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self))
        let period = Int64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: Int64.self))
        let current = self.period
        guard period >= current - 1, period <= current + 1, let index = secrets.firstIndex(where: { $0.name == wanted })
        else { return 0 }
        return withKeys(secrets[index], period) { keys in
            guard EVP_DecryptInit_ex(cipher, Self.cipher, nil, keys, iv) == 1,
                berth_EVP_MAC_init(mac, keys + 32, 32) == 1
            else { return -1 }
            return mayKeep && index == 0 && period == current ? 1 : 2
        }
    }

    /// Runs `body` with 64 bytes: the key of the cipher, then that of the authenticator.
    private func withKeys(
        _ secret: Secret, _ period: Int64, _ body: (UnsafePointer<UInt8>) -> CInt
    ) -> CInt {
        let make = { Self.tag(secret.authenticator, $0, period) }
        var keys = (make(1), make(2), make(3), make(4))
        defer { withUnsafeMutableBytes(of: &keys) { OPENSSL_cleanse($0.baseAddress, $0.count) } }
        return withUnsafeBytes(of: &keys) { bytes in
            guard let start = bytes.baseAddress else { return -1 }
            return body(start.assumingMemoryBound(to: UInt8.self))
        }
    }

    /// 16 bytes of a secret for one purpose and period.
    private static func tag(
        _ authenticator: MessageAuthenticator, _ purpose: UInt64, _ period: Int64
    ) -> (UInt64, UInt64) {
        let label: InlineArray<8, UInt8> = [0x74, 0x69, 0x63, 0x6b, 0x65, 0x74, 0x20, UInt8(purpose)]
        var bytes = InlineArray<8, UInt8>(repeating: 0)
        for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: period >> (8 * index)) }
        return authenticator.tag(label.span, bytes.span)
    }
}
