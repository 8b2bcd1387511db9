/// Hashes what tells the clients of a rule apart, with a secret, so that nobody can choose keys that meet in the table:
/// SipHash-2-4 (Aumasson and Bernstein, 2012).
package struct KeyHasher: Sendable {
    private var v0, v1, v2, v3: UInt64

    /// A hasher with nothing in it. `seed` is secret.
    package init(seed: (UInt64, UInt64)) {
        v0 = seed.0 ^ 0x736f_6d65_7073_6575
        v1 = seed.1 ^ 0x646f_7261_6e64_6f6d
        v2 = seed.0 ^ 0x6c79_6765_6e65_7261
        v3 = seed.1 ^ 0x7465_6462_7974_6573
    }

    /// Adds a number.
    @inline(__always)
    package mutating func combine(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    /// Adds a text, with its length: texts that follow each other cannot be taken for others.
    package mutating func combine(_ text: Span<UInt8>) {
        var word: UInt64 = 0
        for index in text.indices {
            word |= UInt64(text[index]) << UInt64(index & 7 * 8)
            if index & 7 == 7 {
                combine(word)
                word = 0
            }
        }
        combine(word | UInt64(text.count) << 56)
    }

    /// The hash of all that was added.
    package func finish() -> UInt64 {
        var last = self
        last.v2 ^= 0xff
        for _ in 0..<4 { last.round() }
        return last.v0 ^ last.v1 ^ last.v2 ^ last.v3
    }

    @inline(__always)
    private mutating func round() {
        v0 &+= v1
        v1 = Self.rotated(v1, 13) ^ v0
        v0 = Self.rotated(v0, 32)
        v2 &+= v3
        v3 = Self.rotated(v3, 16) ^ v2
        v0 &+= v3
        v3 = Self.rotated(v3, 21) ^ v0
        v2 &+= v1
        v1 = Self.rotated(v1, 17) ^ v2
        v2 = Self.rotated(v2, 32)
    }

    @inline(__always)
    private static func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }
}
