/// Eight bytes looked at as one number: how the parsers scan and compare. The first byte is the lowest, on every
/// machine, so `trailingZeroBitCount / 8` is the index of the first byte of interest.
extension Span where Element == UInt8 {
    /// The eight bytes from `offset` on. They must all be there: it is a precondition, checked.
    @inlinable
    @inline(__always)
    public func word(at offset: Int) -> UInt64 {
        // Spelled like this, the check merges with the loop condition of a caller that asks the same.
        precondition(offset >= 0 && count &- offset >= 8, "a word reaches past the end")
        return UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }
}

extension UInt64 {
    /// The word that up to eight ASCII characters make, padded with zero bytes at the end. Of a literal it is a
    /// constant in optimised code.
    @inlinable
    @inline(__always)
    public init(ascii text: StaticString) {
        let count = text.utf8CodeUnitCount
        precondition(count <= 8, "a word has eight bytes")
        var word: UInt64 = 0
        for index in 0..<count { word |= UInt64(text.utf8Start[index]) << UInt64(8 * index) }
        self = word
    }
}
