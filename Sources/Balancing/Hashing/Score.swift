/// What one server draws for a key in weighted rendezvous hashing: 52 bits, taken as a fraction strictly between 0 and 1.
/// The server with the best score wins the key.
///
/// No ring and no table: whoever knows the list of servers agrees, a server that goes gives up only its own keys, and one
/// that comes takes from each of the others its fair part. The result must be the same in every proxy of a fleet, so
/// neither the hash nor the arithmetic may change between versions or machines.
struct Score: Sendable {
    let bits: UInt64
    let weight: Int32
    private var knownLogarithm: Double?

    init(bits: UInt64, weight: Int32) {
        self.bits = bits
        self.weight = weight
    }

    /// The bits that a server with `tag` draws for a key that was mixed by `SplitMix64.avalanche`.
    @inline(__always)
    static func bits(mixedKey: UInt64, tag: UInt64) -> UInt64 {
        SplitMix64.avalanche(mixedKey ^ tag) >> 12
    }

    /// Scores compare by `weight / -ln(fraction)`, which gives each server its weight's share of the keys. Equal
    /// weights, the usual case, need no logarithm.
    mutating func beats(_ other: inout Score) -> Bool {
        if weight == other.weight { return bits > other.bits }
        return Double(weight) * other.negatedLogarithm() > Double(other.weight) * negatedLogarithm()
    }

    /// False if it is certain, without a logarithm, that `beats` is false: -ln x is at least 1 - x, and the margin is
    /// wider than the error of our logarithm.
    mutating func mayBeat(_ other: inout Score) -> Bool {
        if weight == other.weight { return bits > other.bits }
        let atLeast = Double(0x10_0000_0000_0000 - bits) * 0x1p-52 - 0x1p-52
        return Double(other.weight) * atLeast < Double(weight) * other.negatedLogarithm() * 1.000_000_01
    }

    private mutating func negatedLogarithm() -> Double {
        if let knownLogarithm { return knownLogarithm }
        let logarithm = Self.negatedLogarithm(of: (Double(bits) + 0.5) * 0x1p-52)
        knownLogarithm = logarithm
        return logarithm
    }

    /// -ln, from operations that IEEE 754 defines to the last bit: a library's logarithm may differ between machines,
    /// and two proxies of a fleet must not. Good to ten digits.
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
