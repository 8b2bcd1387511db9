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
    /// The word that eight ASCII characters make. Of a literal it is a constant in optimised code.
    @inlinable
    @inline(__always)
    public init(ascii text: StaticString) {
        precondition(text.utf8CodeUnitCount == 8, "a word has eight bytes")
        let start = UnsafeRawPointer(text.utf8Start)
        self.init(littleEndian: start.loadUnaligned(as: UInt64.self))
    }
}
