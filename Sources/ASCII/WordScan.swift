/// Questions asked of eight bytes at once. Each answer has the top bit of a byte set where that byte is meant; of the
/// cheap ones only the lowest set bit can be trusted, and that is all a scan for the first such byte needs.
///
/// Public rather than package: Swift 6.3 does not inline what a package type declares into other modules, inlinable or
/// not, and a call for every word would slow the parsers down.
public enum WordScan {
    /// 1 in every byte: times a byte, that byte everywhere.
    @inlinable
    @inline(__always)
    public static var everyByte: UInt64 { 0x0101_0101_0101_0101 }
    /// The top bit of every byte.
    @inlinable
    @inline(__always)
    public static var everyTopBit: UInt64 { 0x8080_8080_8080_8080 }
    /// Or-ed onto ASCII letters it makes them lower case; hyphens and digits stay what they are.
    @inlinable
    @inline(__always)
    public static var lowerCaseBits: UInt64 { 0x2020_2020_2020_2020 }

    /// Where `byte` is. The lowest set bit is exact.
    @inlinable
    @inline(__always)
    public static func first(_ byte: UInt8, in word: UInt64) -> UInt64 {
        let difference = word ^ (everyByte &* UInt64(byte))
        return (difference &- everyByte) & ~difference & everyTopBit
    }

    /// Where ASCII bytes below `bound` are, which is at most 0x80. The lowest set bit is exact.
    @inlinable
    @inline(__always)
    public static func first(below bound: UInt8, in word: UInt64) -> UInt64 {
        (word &- everyByte &* UInt64(bound)) & ~word & everyTopBit
    }

    /// Where `byte` is; every bit is exact.
    @inlinable
    @inline(__always)
    public static func every(_ byte: UInt8, in word: UInt64) -> UInt64 {
        let difference = word ^ (everyByte &* UInt64(byte))
        return ~(((difference & ~everyTopBit) &+ ~everyTopBit) | difference) & everyTopBit
    }

    /// Where there is neither an ASCII letter nor a hyphen; every bit is exact. Nearly all field names have no such
    /// byte before their colon.
    @inlinable
    @inline(__always)
    public static func everyNonLetter(in word: UInt64) -> UInt64 {
        let lower = (word | lowerCaseBits) & ~everyTopBit
        let fromA = lower &+ everyByte &* UInt64(0x80 - UInt8(ascii: "a"))
        let pastZ = lower &+ everyByte &* UInt64(0x80 - UInt8(ascii: "z") - 1)
        let letters = fromA & ~pastZ & ~word
        return ~(letters | every(UInt8(ascii: "-"), in: word)) & everyTopBit
    }

    /// The index of the first byte that an answer means, 8 if none.
    @inlinable
    @inline(__always)
    public static func index(of answer: UInt64) -> Int {
        answer.trailingZeroBitCount >> 3
    }
}
