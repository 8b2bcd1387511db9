/// Draws the ids of traces and spans: two splitmix64 generators (Steele, Lea and Flood, 2014) added up. One worker uses one.
///
/// Ids are unique and evenly spread, and no secrets: whoever sees some can tell the next.
package struct TraceIDGenerator: BitwiseCopyable, Sendable {
    private var first: UInt64
    private var second: UInt64

    /// A generator with a seed of 128 bits, which must come from the kernel's generator: two workers with the same seed draw
    /// the same ids.
    package init(seed first: UInt64, _ second: UInt64) {
        self.first = first
        self.second = second
    }

    /// The next id, which is never 0. It neither allocates nor calls the kernel.
    @inline(__always)
    package mutating func next() -> UInt64 {
        first &+= 0x9E37_79B9_7F4A_7C15
        // Another odd increment, so that the two never run in step.
        second &+= 0xD1B5_4A32_D192_ED03
        let drawn = Self.mix(first) ^ Self.mix(second)
        return drawn == 0 ? 1 : drawn
    }

    /// Mixes a number: a bijection in which every bit of the input changes about half of the bits of the output.
    @inline(__always)
    static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
