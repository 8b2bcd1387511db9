/// What single bytes are as ASCII characters.
extension UInt8 {
    /// Whether the byte is a decimal digit.
    @inlinable
    @inline(__always)
    package var isDigit: Bool { self &- 48 < 10 }

    /// The value of a hexadecimal digit, 0 to 15; nil for any other byte.
    @inlinable
    @inline(__always)
    package var hexadecimalValue: UInt8? {
        if isDigit { return self &- 48 }
        let letter = (self | 0x20) &- 97
        return letter < 6 ? letter &+ 10 : nil
    }

    /// The byte in lower case if it is an upper-case letter, itself if not.
    @inlinable
    @inline(__always)
    package var lowercased: UInt8 { self &- 65 < 26 ? self | 0x20 : self }

    /// The byte in upper case if it is a lower-case letter, itself if not.
    @inlinable
    @inline(__always)
    package var uppercased: UInt8 { self &- 97 < 26 ? self & ~0x20 : self }

    /// The hexadecimal digit for a value of 0 to 15, in lower case.
    @inlinable
    @inline(__always)
    package init(hexadecimalDigit value: UInt8) {
        self = value < 10 ? value &+ 48 : value &+ 87
    }
}
