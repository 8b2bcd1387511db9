// Where a JSON string stops being plain text: at its closing quote, at a backslash, or at a control character, which no
// string may contain (RFC 8259 section 7). Most strings are short and end within the first words; long ones are looked
// at in blocks of 32 bytes.
extension WordScan {
    /// Finds quotes, backslashes and control characters. Only the lowest set bit is exact.
    @inlinable
    @inline(__always)
    public static func firstStringSpecial(in word: UInt64) -> UInt64 {
        // A quote is 0x22: with its second bit flipped it lies right behind the control characters.
        let quotes = (word ^ (everyByte &* 0x02)) &- everyByte &* 0x21
        let backslashes = (word ^ (everyByte &* 0x5C)) &- everyByte
        return (quotes | backslashes) & ~word & everyTopBit
    }
}

extension Span where Element == UInt8 {
    /// The index of the first quote, backslash or control character from `offset` on, which is at most `count`; `count`
    /// if there is none.
    @inlinable
    @inline(__always)
    public func stringSpecial(from offset: Int) -> Int {
        guard count &- offset >= 16 else { return stringSpecialBehindWords(from: offset) }
        let first = WordScan.firstStringSpecial(in: word(at: offset))
        if first != 0 { return offset &+ WordScan.index(of: first) }
        let second = WordScan.firstStringSpecial(in: word(at: offset &+ 8))
        if second != 0 { return offset &+ 8 &+ WordScan.index(of: second) }
        return stringSpecialBehindWords(from: offset &+ 16)
    }

    /// The same, for long strings and for the last bytes.
    @inline(never)
    public func stringSpecialBehindWords(from offset: Int) -> Int {
        var index = offset
        while count &- index >= 32, !hasStringSpecial(inBlockAt: index) { index &+= 32 }
        while count &- index >= 8 {
            let found = WordScan.firstStringSpecial(in: word(at: index))
            if found != 0 { return index &+ WordScan.index(of: found) }
            index &+= 8
        }
        while index < count, !self[index].isStringSpecial { index &+= 1 }
        return index
    }

    /// Whether there is one among the 32 bytes from `offset` on, which must be there.
    @inline(__always)
    private func hasStringSpecial(inBlockAt offset: Int) -> Bool {
        precondition(offset >= 0 && count &- offset >= 32, "a block reaches past the end")
        // Four words at once: what `firstStringSpecial` does.
        let block = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: SIMD4<UInt64>.self)
        let quotes = (block ^ (WordScan.everyByte &* 0x02)) &- WordScan.everyByte &* 0x21
        let backslashes = (block ^ (WordScan.everyByte &* 0x5C)) &- WordScan.everyByte
        let found = (quotes | backslashes) & ~block & WordScan.everyTopBit
        return found[0] | found[1] | found[2] | found[3] != 0
    }
}

extension UInt8 {
    /// Whether the byte is a quote, a backslash or a control character.
    @inlinable
    @inline(__always)
    package var isStringSpecial: Bool {
        self < 0x20 || self == UInt8(ascii: "\"") || self == UInt8(ascii: "\\")
    }
}
