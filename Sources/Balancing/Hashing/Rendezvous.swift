import Glibc

/// Weighted rendezvous hashing (Thaler and Ravishankar, 1998): of all servers a key goes to the one with the highest score. A
/// server that goes moves its own keys only, each to the next in the order of its scores.
///
/// Every proxy of a fleet comes to the same order, in whatever order its list stands. A choice looks at every server once,
/// and keeps nothing.
package enum Rendezvous {
    /// The key of some bytes.
    package static func key(of bytes: Span<UInt8>) -> UInt64 { ServerTag.tag(of: bytes) }

    /// What a server with this tag scores for a key, in proportion to its weight, at least 1: positive, and the higher the
    /// better.
    package static func score(key: UInt64, tag: UInt64, weight: Int32) -> Double {
        let hash = SplitMix64.avalanche(SplitMix64.avalanche(key) ^ tag)
        // Within 0 and 1, and neither of them.
        let share = (Double(hash >> 11) + 0.5) * 0x1p-53
        return Double(max(1, weight)) / -log(share)
    }
}
