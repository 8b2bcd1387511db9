/// The mixing function of the splitmix64 generator (Steele, Lea and Flood, 2014).
package enum SplitMix64 {
    /// Mixes a number: a bijection in which every bit of the input changes about half of the bits of the output. Session
    /// ids depend on it, so it must never change.
    @inline(__always)
    package static func avalanche(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// The number that the generator draws after `ordinal` others, if `seed` was its state at first. Placement depends on
    /// it, so it must never change.
    @inline(__always)
    static func number(_ ordinal: Int, from seed: UInt64) -> UInt64 {
        avalanche(seed &+ UInt64(truncatingIfNeeded: ordinal) &* 0x9E37_79B9_7F4A_7C15)
    }
}
