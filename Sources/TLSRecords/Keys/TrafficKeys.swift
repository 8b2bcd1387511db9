import COpenSSL

/// The keys of one direction of a connection (RFC 8446 section 7.3), and how far it has got.
struct TrafficKeys {
    private var secret = InlineArray<48, UInt8>(repeating: 0)
    private var key = InlineArray<32, UInt8>(repeating: 0)
    private var iv = InlineArray<12, UInt8>(repeating: 0)
    /// Records under the present key.
    private(set) var sequence: UInt64 = 0
    /// Keys before the present one; tells whether a cipher's context has the present one.
    private(set) var generation: UInt32 = 0

    /// After so many records the key is changed: well below the limits of AES-GCM (RFC 8446 section 5.5).
    static var recordsPerKey: UInt64 { 1 << 24 }

    /// The keys that follow from a traffic secret of `suite.hash.count` bytes. Nil if they cannot be derived.
    init?(_ suite: RecordSuite, secret bytes: UnsafeRawBufferPointer, recordsSoFar: UInt64) {
        guard bytes.count == suite.hash.count else { return nil }
        for index in bytes.indices { secret[index] = bytes[index] }
        sequence = recordsSoFar
        guard derive(suite) else { return nil }
    }

    private mutating func derive(_ suite: RecordSuite) -> Bool {
        withUnsafeBytes(of: secret) { secret in
            let secret = UnsafeRawBufferPointer(rebasing: secret[0..<suite.hash.count])
            let hasKey = withUnsafeMutableBytes(of: &key) { key in
                KeyDerivation.expand(
                    suite.hash, secret: secret, "key",
                    into: UnsafeMutableRawBufferPointer(rebasing: key[0..<suite.keyBytes]))
            }
            return hasKey
                && withUnsafeMutableBytes(of: &iv) {
                    KeyDerivation.expand(suite.hash, secret: secret, "iv", into: $0)
                }
        }
    }

    /// Goes to the next key, as KeyUpdate says (RFC 8446 section 7.2).
    mutating func update(_ suite: RecordSuite) -> Bool {
        var next = InlineArray<48, UInt8>(repeating: 0)
        defer { withUnsafeMutableBytes(of: &next) { OPENSSL_cleanse($0.baseAddress, $0.count) } }
        let isDerived = withUnsafeBytes(of: secret) { secret in
            withUnsafeMutableBytes(of: &next) { next in
                KeyDerivation.expand(
                    suite.hash, secret: UnsafeRawBufferPointer(rebasing: secret[0..<suite.hash.count]), "traffic upd",
                    into: UnsafeMutableRawBufferPointer(rebasing: next[0..<suite.hash.count]))
            }
        }
        guard isDerived else { return false }
        secret = next
        sequence = 0
        generation &+= 1
        return derive(suite)
    }

    /// Gives a context the key, if it has another one, and the nonce of the next record (RFC 8446 section 5.3).
    mutating func prepare(_ context: OpaquePointer?, hasKey: Bool, encrypting: Bool) -> Bool {
        var nonce = iv
        for index in 0..<8 {
            nonce[4 + index] ^= UInt8(truncatingIfNeeded: sequence >> UInt64(56 - 8 * index))
        }
        sequence &+= 1
        return withUnsafeBytes(of: key) { key in
            withUnsafeBytes(of: nonce) { nonce in
                let key = hasKey ? nil : key.baseAddress?.assumingMemoryBound(to: UInt8.self)
                let nonce = nonce.baseAddress?.assumingMemoryBound(to: UInt8.self)
                return EVP_CipherInit_ex2(context, nil, key, nonce, encrypting ? 1 : 0, nil) == 1
            }
        }
    }

    /// Overwrites the secrets.
    mutating func cleanse() {
        withUnsafeMutableBytes(of: &secret) { OPENSSL_cleanse($0.baseAddress, $0.count) }
        withUnsafeMutableBytes(of: &key) { OPENSSL_cleanse($0.baseAddress, $0.count) }
        withUnsafeMutableBytes(of: &iv) { OPENSSL_cleanse($0.baseAddress, $0.count) }
    }
}
