import COpenSSL

/// HMAC-SHA256 (RFC 2104) under one key, truncated to 128 bits (RFC 2104 section 5). It signs session ids and derives
/// the keys of session tickets.
///
/// The key's inner and outer blocks are hashed once, in `init`; a tag then hashes only its message. The value has no
/// shared mutable state: threads may use copies of it, or one value at the same time.
package struct MessageAuthenticator: Sendable {
    private let inner: SHA256_CTX
    private let outer: SHA256_CTX

    /// Takes a key of 1 to 64 bytes; 32 random bytes are recommended. Of a longer key only the first 64 bytes are used.
    package init(key: [UInt8]) {
        inner = Self.state(key, padding: 0x36)
        outer = Self.state(key, padding: 0x5c)
    }

    /// The first 16 bytes of HMAC-SHA256 over `first` followed by `second`, as two big-endian words.
    package func tag(_ first: Span<UInt8>, _ second: Span<UInt8>) -> (UInt64, UInt64) {
        var context = inner
        Self.hash(first, &context)
        Self.hash(second, &context)
        return finish(&context)
    }

    private static func hash(_ bytes: Span<UInt8>, _ context: inout SHA256_CTX) {
        bytes.withUnsafeBytes { _ = SHA256_Update(&context, $0.baseAddress, $0.count) }
    }

    private func finish(_ context: inout SHA256_CTX) -> (UInt64, UInt64) {
        var digest: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &digest) { digest in
            let bytes = digest.baseAddress?.assumingMemoryBound(to: UInt8.self)
            SHA256_Final(bytes, &context)
            context = outer
            SHA256_Update(&context, bytes, digest.count)
            SHA256_Final(bytes, &context)
        }
        return (UInt64(bigEndian: digest.0), UInt64(bigEndian: digest.1))
    }

    /// Whether two tags are equal. The time taken does not depend on where they differ.
    package static func matches(_ a: (UInt64, UInt64), _ b: (UInt64, UInt64)) -> Bool {
        (a.0 ^ b.0) | (a.1 ^ b.1) == 0
    }

    private static func state(_ key: [UInt8], padding: UInt8) -> SHA256_CTX {
        var block = [UInt8](repeating: padding, count: 64)
        for (index, byte) in key.prefix(64).enumerated() { block[index] ^= byte }
        var context = SHA256_CTX()
        SHA256_Init(&context)
        SHA256_Update(&context, block, block.count)
        return context
    }
}
