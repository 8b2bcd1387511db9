/// Weighted rendezvous hashing: every endpoint draws a lot from the key and its own tag, and the best lot wins.
///
/// No ring and no table: whoever knows the list agrees, an endpoint that goes takes only its own keys with it, and one
/// that comes takes from each of the others its fair part. The result must be the same in every Berth of a fleet, so
/// neither the hash nor the arithmetic may change between versions or machines.
enum Rendezvous {
    static func choose(_ tier: Tier, from candidates: Span<Candidate>, key: UInt64) -> Int? {
        var best: Int?
        var bestLot: UInt64 = 0
        var bestWeight: Int32 = 1
        let mixedKey = Mix.avalanche(key)
        for index in candidates.indices where tier.contains(candidates[index], at: index) {
            let lot = Mix.avalanche(mixedKey ^ candidates[index].tag) >> 12
            let weight = max(1, candidates[index].weight)
            guard best == nil || isBetter(lot, weight, than: bestLot, bestWeight) else { continue }
            (best, bestLot, bestWeight) = (index, lot, weight)
        }
        return best
    }

    /// Lots compare by `weight / -ln(lot)`, which gives each endpoint its weight's share of the keys. Equal weights, the
    /// usual case, need no logarithm.
    private static func isBetter(_ lot: UInt64, _ weight: Int32, than otherLot: UInt64, _ otherWeight: Int32) -> Bool {
        if weight == otherWeight { return lot > otherLot }
        return Double(weight) * negatedLogarithm(otherLot) > Double(otherWeight) * negatedLogarithm(lot)
    }

    /// -ln of a lot of 52 bits, taken as a fraction strictly between 0 and 1. Our own, from operations that IEEE 754
    /// defines to the last bit: a library's logarithm may differ between machines, and two Berths must not.
    static func negatedLogarithm(_ lot: UInt64) -> Double {
        let fraction = (Double(lot) + 0.5) * 0x1p-52
        var exponent = Double(fraction.exponent)
        var significand = fraction.significand
        if significand > 1.414_213_562_373_095 {
            significand /= 2
            exponent += 1
        }
        // ln m = 2 artanh((m - 1) / (m + 1)); the argument is below 0.172, so eleven terms reach the last bit.
        let ratio = (significand - 1) / (significand + 1)
        let square = ratio * ratio
        var sum = 0.0
        for divisor in stride(from: 21.0, through: 1.0, by: -2.0) { sum = sum * square + 1 / divisor }
        return -(exponent * 0.693_147_180_559_945_3 + 2 * ratio * sum)
    }
}
