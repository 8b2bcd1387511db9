/// Weighted rendezvous hashing: every endpoint draws a lot from the key and its own tag, and the best lot wins.
///
/// No ring and no table: whoever knows the list agrees, an endpoint that goes takes only its own keys with it, and one
/// that comes takes from each of the others its fair part. The result must be the same in every Berth of a fleet, so
/// neither the hash nor the arithmetic may change between versions or machines.
enum Rendezvous {
    static func choose(_ tier: Tier, from candidates: Span<Candidate>, key: UInt64) -> Int? {
        let mixedKey = SplitMix64.avalanche(key)
        var best: Int?
        var leader = Score(bits: 0, weight: 1)
        for index in candidates.indices where tier.contains(candidates[index], at: index) {
            var score = Score(
                bits: SplitMix64.avalanche(mixedKey ^ candidates[index].tag) >> 12,
                weight: max(1, candidates[index].weight))
            guard best == nil || score.beats(&leader) else { continue }
            (best, leader) = (index, score)
        }
        return best
    }
}

/// What one endpoint drew for a key: 52 bits, taken as a fraction strictly between 0 and 1.
struct Score {
    let bits: UInt64
    let weight: Int32
    private var knownLogarithm: Double?

    init(bits: UInt64, weight: Int32) {
        self.bits = bits
        self.weight = weight
    }

    /// Lots compare by `weight / -ln(fraction)`, which gives each endpoint its weight's share of the keys. Equal
    /// weights, the usual case, need no logarithm.
    mutating func beats(_ other: inout Score) -> Bool {
        if weight == other.weight { return bits > other.bits }
        return Double(weight) * other.negatedLogarithm() > Double(other.weight) * negatedLogarithm()
    }

    private mutating func negatedLogarithm() -> Double {
        if let knownLogarithm { return knownLogarithm }
        let logarithm = Self.negatedLogarithm(of: (Double(bits) + 0.5) * 0x1p-52)
        knownLogarithm = logarithm
        return logarithm
    }

    /// -ln, from operations that IEEE 754 defines to the last bit: a library's logarithm may differ between machines,
    /// and two Berths must not. Good to ten digits.
    private static func negatedLogarithm(of fraction: Double) -> Double {
        var exponent = Double(fraction.exponent)
        var significand = fraction.significand
        if significand > 1.414_213_562_373_095 {
            significand /= 2
            exponent += 1
        }
        // ln m = 2 artanh((m - 1) / (m + 1)), where the argument is below 0.172.
        let ratio = (significand - 1) / (significand + 1)
        let square = ratio * ratio
        var sum = 0.090_909_090_909_090_91 * square + 0.111_111_111_111_111_1
        sum = sum * square + 0.142_857_142_857_142_85
        sum = sum * square + 0.2
        sum = sum * square + 0.333_333_333_333_333_3
        sum = sum * square + 1
        return -(exponent * 0.693_147_180_559_945_3 + 2 * ratio * sum)
    }
}
