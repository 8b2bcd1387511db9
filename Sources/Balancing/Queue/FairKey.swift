/// Whose turn a call takes: a hash of what tells agents apart.
package struct FairKey: Hashable, Sendable {
    /// Odd for an agent, even for an address.
    package let rawValue: UInt64

    /// A key that `rawValue` gave.
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The key of an agent, known by its session or its credential. `seed` is secret, so that nobody can choose what shares
    /// a key with another.
    package init(agent identity: Span<UInt8>, seed: UInt64) {
        var hash = seed
        var word: UInt64 = 0
        for index in identity.indices {
            word = word << 8 | UInt64(identity[index])
            if index & 7 == 7 {
                hash = SplitMix64.avalanche(hash ^ word)
                word = 0
            }
        }
        hash = SplitMix64.avalanche(hash ^ word) ^ UInt64(identity.count)
        rawValue = SplitMix64.avalanche(hash) | 1
    }

    /// The key of whoever comes from an address, by `AddressKey.key`.
    package init(address key: UInt64) { rawValue = key & ~1 }

    /// It stands for one agent. An address may stand for a whole office: it takes turns, and is not limited.
    package var isAgent: Bool { rawValue & 1 == 1 }
}
