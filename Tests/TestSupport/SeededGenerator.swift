/// SplitMix64: the same numbers from the same seed on every machine, good enough to shuffle and to pick sizes.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A generator of its own for another purpose, so that drawing more for one does not shift the other.
    package mutating func split() -> SeededGenerator {
        SeededGenerator(seed: next())
    }

    /// True once in `count` draws on average.
    package mutating func oneIn(_ count: UInt64) -> Bool {
        next() % max(1, count) == 0
    }

    /// `count` bytes.
    package mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<count { bytes.append(UInt8(truncatingIfNeeded: next())) }
        return bytes
    }

    /// `count` bytes drawn from an alphabet of ASCII characters.
    package mutating func bytes(_ count: Int, from alphabet: String) -> [UInt8] {
        let letters = Array(alphabet.utf8)
        return (0..<count).map { _ in element(of: letters) }
    }

    /// One element of a list that is not empty.
    package mutating func element<Element>(of list: [Element]) -> Element {
        list[Int.random(in: list.indices, using: &self)]
    }
}
