/// Searches eight bytes at once. Each result has the top bit of every matching byte set. In the results of `first` only
/// the lowest set bit is exact, which is enough for finding the first match.
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
    /// Bits that make ASCII letters lower case; hyphens and digits do not change.
    @inlinable
    @inline(__always)
    public static var lowerCaseBits: UInt64 { 0x2020_2020_2020_2020 }

    /// Finds `byte`. Only the lowest set bit is exact.
    @inlinable
    @inline(__always)
    public static func first(_ byte: UInt8, in word: UInt64) -> UInt64 {
        let difference = word ^ (everyByte &* UInt64(byte))
        return (difference &- everyByte) & ~difference & everyTopBit
    }

    /// Finds ASCII bytes below `bound`, which is at most 0x80. Only the lowest set bit is exact.
    @inlinable
    @inline(__always)
    public static func first(below bound: UInt8, in word: UInt64) -> UInt64 {
        (word &- everyByte &* UInt64(bound)) & ~word & everyTopBit
    }

    /// Finds `byte`. Every bit is exact.
    @inlinable
    @inline(__always)
    public static func every(_ byte: UInt8, in word: UInt64) -> UInt64 {
        let difference = word ^ (everyByte &* UInt64(byte))
        return ~(((difference & ~everyTopBit) &+ ~everyTopBit) | difference) & everyTopBit
    }

    /// Finds bytes that are neither ASCII letters nor hyphens. Every bit is exact. Nearly all field names have no such
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

    /// The index of the first matching byte of a result; 8 if there is none.
    @inlinable
    @inline(__always)
    public static func index(of result: UInt64) -> Int {
        result.trailingZeroBitCount >> 3
    }
}
