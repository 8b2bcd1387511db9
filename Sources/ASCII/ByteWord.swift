// The parsers scan and compare eight bytes as one number. The first byte is the lowest on every machine, so
// `trailingZeroBitCount / 8` of a mask is the index of the first byte that it marks.
extension Span where Element == UInt8 {
    /// The eight bytes from `offset` on, the first one the lowest. Traps if they are not all there.
    @inlinable
    @inline(__always)
    public func word(at offset: Int) -> UInt64 {
        // Written like this, the compiler merges the check with the same condition of a caller's loop.
        precondition(offset >= 0 && count &- offset >= 8, "a word reaches past the end")
        return UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }
}

extension UInt64 {
    /// Eight ASCII characters as `word(at:)` reads them. For a literal it is a constant in optimised code.
    @inlinable
    @inline(__always)
    public init(ascii text: StaticString) {
        precondition(text.utf8CodeUnitCount == 8, "a word has eight bytes")
        let start = UnsafeRawPointer(text.utf8Start)
        self.init(littleEndian: start.loadUnaligned(as: UInt64.self))
    }
}
