import ASCII

/// Hashes what tells clients apart, with a secret, so that nobody can choose keys that meet in a table: SipHash-2-4 (Aumasson and
/// Bernstein, 2012).
package struct KeyHasher: Sendable {
    private var v0, v1, v2, v3: UInt64

    /// A hasher with nothing in it. `seed` is secret.
    package init(seed: (UInt64, UInt64)) {
        v0 = seed.0 ^ 0x736f_6d65_7073_6575
        v1 = seed.1 ^ 0x646f_7261_6e64_6f6d
        v2 = seed.0 ^ 0x6c79_6765_6e65_7261
        v3 = seed.1 ^ 0x7465_6462_7974_6573
    }

    /// A hasher whose hash has 128 bits (`finishWide`): nobody who does not know the seed can find a second text with a hash.
    package static func wide(seed: (UInt64, UInt64)) -> KeyHasher {
        var hasher = KeyHasher(seed: seed)
        hasher.v1 ^= 0xee
        return hasher
    }

    /// Adds a number.
    @inline(__always)
    package mutating func combine(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    /// Adds a text, with the last eight bits of its length: who adds several texts that others choose adds their lengths before.
    package mutating func combine(_ text: Span<UInt8>) {
        var index = 0
        while text.count &- index >= 8 {
            combine(text.word(at: index))
            index &+= 8
        }
        var last = UInt64(truncatingIfNeeded: text.count) << 56
        var shift: UInt64 = 0
        while index < text.count {
            last |= UInt64(text[index]) << shift
            shift &+= 8
            index &+= 1
        }
        combine(last)
    }

    /// The hash of all that was added.
    package func finish() -> UInt64 {
        var last = self
        last.v2 ^= 0xff
        for _ in 0..<4 { last.round() }
        return last.v0 ^ last.v1 ^ last.v2 ^ last.v3
    }

    /// The same of a wide hasher.
    package func finishWide() -> (UInt64, UInt64) {
        var last = self
        last.v2 ^= 0xee
        for _ in 0..<4 { last.round() }
        let first = last.v0 ^ last.v1 ^ last.v2 ^ last.v3
        last.v1 ^= 0xdd
        for _ in 0..<4 { last.round() }
        return (first, last.v0 ^ last.v1 ^ last.v2 ^ last.v3)
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
