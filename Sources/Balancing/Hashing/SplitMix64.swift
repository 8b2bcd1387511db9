/// Spreads the bits of a number.
enum SplitMix64 {
    /// A bijection in which every bit in changes about half of the bits out (the finaliser of splitmix64).
    static func avalanche(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
