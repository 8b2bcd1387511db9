// Where JSON strings end. A control character ends one too, which no string may contain (RFC 8259 section 7). Most strings
// are short and end within the first words; long ones are looked at in blocks of 64 bytes.
extension WordScan {
    /// Finds quotes and control characters. Only the lowest set bit is exact.
    @inlinable
    @inline(__always)
    public static func firstQuoteOrControl(in word: UInt64) -> UInt64 {
        // A quote is 0x22: with its second bit flipped it lies right behind the control characters.
        ((word ^ (everyByte &* 0x02)) &- everyByte &* 0x21) & ~word & everyTopBit
    }

    /// Finds quotes, backslashes and control characters. Only the lowest set bit is exact.
    @inlinable
    @inline(__always)
    public static func firstStringSpecial(in word: UInt64) -> UInt64 {
        let quotes = (word ^ (everyByte &* 0x02)) &- everyByte &* 0x21
        let backslashes = (word ^ (everyByte &* 0x5C)) &- everyByte
        return (quotes | backslashes) & ~word & everyTopBit
    }
}

extension WordScan {
    /// The index of the first quote that is not escaped, or of the first control character; 8 if there is neither. The first
    /// byte may be escaped by what is before it.
    @inline(__always)
    static func stringEnd(in word: UInt64, isFirstEscaped: Bool) -> Int {
        let backslashes = every(UInt8(ascii: "\\"), in: word)
        let controls = ~((word & ~everyTopBit &+ everyByte &* 0x60) | word) & everyTopBit
        var escaped = backslashes &<< 8 | (isFirstEscaped ? 0x80 : 0)
        // Of backslashes in a row every other one is escaped itself.
        if backslashes & escaped != 0 { escaped = escapedBytes(backslashes, isFirstEscaped ? 0x80 : 0) }
        return index(of: (every(UInt8(ascii: "\""), in: word) & ~escaped) | controls)
    }

    /// The bytes that backslashes escape, one after the other.
    @inline(never)
    private static func escapedBytes(_ backslashes: UInt64, _ first: UInt64) -> UInt64 {
        var escaped = first
        var bit: UInt64 = 0x80
        for _ in 0..<7 {
            if backslashes & bit != 0, escaped & bit == 0 { escaped |= bit &<< 8 }
            bit &<<= 8
        }
        return escaped
    }
}

extension Span where Element == UInt8 {
    /// The index of the quote that ends a string, or of a control character before it, from `offset` on, which lies in the
    /// string and is at most `count`; `count` if the string does not end here. The byte at `offset` must not be escaped.
    @inlinable
    @inline(__always)
    public func stringEnd(from offset: Int) -> Int {
        guard count &- offset >= 16 else { return longStringEnd(from: offset, start: offset) }
        let first = WordScan.firstQuoteOrControl(in: word(at: offset))
        let second = first != 0 ? first : WordScan.firstQuoteOrControl(in: word(at: offset &+ 8))
        guard second != 0 else { return longStringEnd(from: offset &+ 16, start: offset) }
        let end = offset &+ (first != 0 ? 0 : 8) &+ WordScan.index(of: second)
        guard end > offset, self[end &- 1] == 0x5C else { return end }
        return longStringEnd(from: end, start: offset)
    }

    /// The same, where `offset` may be escaped by bytes from `start` on.
    @inline(never)
    public func longStringEnd(from offset: Int, start: Int) -> Int {
        var index = offset
        // Where quotes are near, as in a text that is JSON itself, blocks would be looked at in vain.
        var wordsWithout = 0
        while count &- index >= 8 {
            let found = WordScan.firstQuoteOrControl(in: word(at: index))
            if found == 0 {
                index &+= 8
                wordsWithout &+= 1
                guard wordsWithout >= 4 else { continue }
                while count &- index >= 64, !hasQuoteOrControl(inBlockAt: index) { index &+= 64 }
                continue
            }
            let end = WordScan.stringEnd(in: word(at: index), isFirstEscaped: isEscaped(index, since: start))
            if end < 8 { return index &+ end }
            index &+= 8
            wordsWithout = 0
        }
        while index < count {
            let byte = self[index]
            if byte < 0x20 || (byte == UInt8(ascii: "\"") && !isEscaped(index, since: start)) { return index }
            index &+= 1
        }
        return index
    }

    /// Whether an odd number of backslashes stands before `index`, which is at most `count`, and not before `start`.
    @inlinable
    @inline(__always)
    public func isEscaped(_ index: Int, since start: Int) -> Bool {
        var first = index
        while first > start, self[first &- 1] == UInt8(ascii: "\\") { first &-= 1 }
        return (index &- first) & 1 != 0
    }

    /// The index of the first quote, backslash or control character from `offset` on, which is at most `count`; `count` if
    /// there is none.
    @inline(never)
    public func stringSpecial(from offset: Int) -> Int {
        var index = offset
        let near = Swift.min(count, offset &+ 32)
        while near &- index >= 8 {
            let found = WordScan.firstStringSpecial(in: word(at: index))
            if found != 0 { return index &+ WordScan.index(of: found) }
            index &+= 8
        }
        while count &- index >= 64, !hasStringSpecial(inBlockAt: index) { index &+= 64 }
        while count &- index >= 8 {
            let found = WordScan.firstStringSpecial(in: word(at: index))
            if found != 0 { return index &+ WordScan.index(of: found) }
            index &+= 8
        }
        while index < count, self[index] >= 0x20, self[index] != UInt8(ascii: "\""), self[index] != UInt8(ascii: "\\") {
            index &+= 1
        }
        return index
    }

    // These look at two words at once, four times, each as the functions of `WordScan` do.

    /// Whether there is a quote or a control character among the 64 bytes from `offset` on, which must be there.
    @inline(__always)
    private func hasQuoteOrControl(inBlockAt offset: Int) -> Bool {
        anyTopBit(inBlockAt: offset) { words in
            ((words ^ (WordScan.everyByte &* 0x02)) &- WordScan.everyByte &* 0x21) & ~words
        }
    }

    /// Whether there is a quote, a backslash or a control character.
    @inline(__always)
    private func hasStringSpecial(inBlockAt offset: Int) -> Bool {
        anyTopBit(inBlockAt: offset) { words in
            let quotes = (words ^ (WordScan.everyByte &* 0x02)) &- WordScan.everyByte &* 0x21
            let backslashes = (words ^ (WordScan.everyByte &* 0x5C)) &- WordScan.everyByte
            return (quotes | backslashes) & ~words
        }
    }

    /// Whether one of two ASCII characters or a control character is there.
    @inlinable
    @inline(__always)
    public func hasControl(or first: UInt8, or second: UInt8, inBlockAt offset: Int) -> Bool {
        anyTopBit(inBlockAt: offset) { words in
            let one = (words ^ (WordScan.everyByte &* UInt64(first))) &- WordScan.everyByte
            let two = (words ^ (WordScan.everyByte &* UInt64(second))) &- WordScan.everyByte
            return (one | two | (words &- WordScan.everyByte &* 0x20)) & ~words
        }
    }

    /// Whether `marks` sets the top bit of any of the 64 bytes from `offset` on, which must be there.
    @inlinable
    @inline(__always)
    func anyTopBit(inBlockAt offset: Int, _ marks: (SIMD2<UInt64>) -> SIMD2<UInt64>) -> Bool {
        precondition(offset >= 0 && count &- offset >= 64, "a block reaches past the end")
        let first = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: SIMD2<UInt64>.self)
        let second = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ 16, as: SIMD2<UInt64>.self)
        let third = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ 32, as: SIMD2<UInt64>.self)
        let fourth = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ 48, as: SIMD2<UInt64>.self)
        let found = marks(first) | marks(second) | marks(third) | marks(fourth)
        return (found[0] | found[1]) & WordScan.everyTopBit != 0
    }
}

extension WordScan {
    /// Finds what a number or a literal cannot contain within an array or object, apart from white space, commas and
    /// colons: quotes, brackets, braces and control characters. Only the lowest set bit is exact.
    @inlinable
    @inline(__always)
    public static func firstBracketQuoteOrControl(in word: UInt64) -> UInt64 {
        // Brackets are braces without the bit 0x20.
        let folded = word | (everyByte &* 0x20)
        return first(0x7B, in: folded) | first(0x7D, in: folded) | firstQuoteOrControl(in: word)
    }
}
