/// Bytes compared with texts that are known at compile time, and read as numbers.
extension Span where Element == UInt8 {
    /// The bytes, in memory of their own.
    package var copied: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { target, used in
            for index in 0..<count { target.initializeElement(at: index, to: self[index]) }
            used = count
        }
    }

    /// Whether these bytes are exactly `text`.
    @inlinable
    @inline(__always)
    package func equals(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && has(text, at: 0)
    }

    /// Whether both have the same bytes.
    @inlinable
    @inline(__always)
    package func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index] != other[index] { return false }
        return true
    }

    /// Whether both are the same text, regardless of the case of ASCII letters.
    @inlinable
    package func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index].lowercased != other[index].lowercased { return false }
        return true
    }

    /// Whether `text` stands at `offset`. Any offset will do: nothing stands outside the bytes.
    @inlinable
    @inline(__always)
    package func has(_ text: StaticString, at offset: Int) -> Bool {
        let length = text.utf8CodeUnitCount
        guard 0...count ~= offset, length <= count &- offset else { return false }
        for index in 0..<length where self[offset &+ index] != text[byte: index] { return false }
        return true
    }

    /// Whether `text`, which must be in lower case, stands at `offset` in any case.
    @inlinable
    package func hasIgnoringCase(_ text: StaticString, at offset: Int) -> Bool {
        let length = text.utf8CodeUnitCount
        guard 0...count ~= offset, length <= count &- offset else { return false }
        for index in 0..<length where self[offset &+ index].lowercased != text[byte: index] { return false }
        return true
    }

    /// Whether every byte is a visible ASCII character (RFC 5234's VCHAR): no space, control character or byte of another text.
    @inlinable
    package var isVisible: Bool {
        var index = 0
        while count &- index >= 8 {
            let word = self.word(at: index)
            let others =
                WordScan.first(below: 0x21, in: word) | WordScan.first(0x7F, in: word) | (word & WordScan.everyTopBit)
            guard others == 0 else { return false }
            index &+= 8
        }
        while index < count {
            guard (0x21...0x7E).contains(self[index]) else { return false }
            index &+= 1
        }
        return true
    }

    /// The bytes as a number of 1 to 19 decimal digits, which always fits; nil if they are anything else.
    @inlinable
    package var decimal: UInt64? {
        guard 1...19 ~= count else { return nil }
        var value: UInt64 = 0
        for index in 0..<count {
            guard self[index].isDigit else { return nil }
            value = value &* 10 &+ UInt64(self[index] &- 48)
        }
        return value
    }
}

extension StaticString {
    /// The byte at `index`, which must lie within the text: it is a precondition, checked.
    @inlinable
    @inline(__always)
    package subscript(byte index: Int) -> UInt8 {
        precondition(0..<utf8CodeUnitCount ~= index, "a byte past the end of a text")
        return utf8Start[index]
    }
}
