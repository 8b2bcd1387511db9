public import ASCII

/// Walks through the objects of a text that is at hand as a whole, as long as nothing is unusual.
///
/// Names with escapes, nesting of more than 64, what is cut off and what is malformed count as unusual: then the caller
/// begins again with `JSONReader`, which says what it is. What the cursor steps over is checked as the reader checks it.
///
/// Public rather than package, as `WordScan` is: what is usual is a few instructions, which other modules must inline.
@frozen
public struct JSONCursor: Sendable {
    /// The name of a member, and where its value begins.
    @frozen
    public struct Name: Sendable {
        /// Its first 8 bytes, the first one the lowest; 0 where it is shorter.
        public let word: UInt64
        /// Where it begins, behind its quote.
        public let start: Int
        /// Its bytes; -1 at the end of the object, -2 if something is unusual.
        public let count: Int

        @inlinable
        @inline(__always)
        init(word: UInt64, start: Int, count: Int) {
            self.word = word
            self.start = start
            self.count = count
        }
    }

    /// Behind a name, where its value begins; else behind what has been read.
    public var position: Int
    /// No member of the object has been read.
    @usableFromInline var isFirst: Bool

    /// At the beginning of a text.
    @inlinable
    public init() {
        position = 0
        isFirst = true
    }

    /// Steps into an object, before which white space may stand; false if something else comes next.
    @inlinable
    @inline(__always)
    public mutating func enter(_ text: Span<UInt8>) -> Bool {
        position = text.spaceEnd(from: position)
        guard position < text.count, text[position] == UInt8(ascii: "{") else { return false }
        position &+= 1
        isFirst = true
        return true
    }

    /// Reads the name of the next member and steps to its value, which must be read or entered before the next call.
    @inlinable
    @inline(__always)
    public mutating func nextName(_ text: Span<UInt8>) -> Name {
        // Nearly all names have up to 15 bytes, no white space around them, and something behind their member.
        if position >= 0, text.count &- position >= 26 {
            if text[position] == UInt8(ascii: "}") {
                position &+= 1
                isFirst = false
                return Name(word: 0, start: 0, count: -1)
            }
            let start = position &+ (isFirst ? 1 : 2)
            let word = text.word(at: start)
            let low = WordScan.firstStringSpecial(in: word)
            var count = WordScan.index(of: low)
            if low == 0 { count &+= WordScan.index(of: WordScan.firstStringSpecial(in: text.word(at: start &+ 8))) }
            let head = text.word(at: position) & (isFirst ? 0xFF : 0xFFFF)
            // A quote, a colon, and no white space.
            let tail = text.word(at: start &+ count)
            if head == (isFirst ? 0x22 : 0x222C), tail & 0xFFFF == 0x3A22, tail &>> 16 & 0xFF > 0x20 {
                position = start &+ count &+ 2
                isFirst = false
                let mask = low == 0 ? UInt64.max : ~(UInt64.max &<< UInt64(count &* 8))
                return Name(word: word & mask, start: start, count: count)
            }
        }
        let (name, next) = Self.name(text, from: position, isFirst: isFirst)
        position = next
        isFirst = false
        return name
    }

    /// The same for any name; also where its value begins.
    @usableFromInline
    static func name(_ text: Span<UInt8>, from offset: Int, isFirst: Bool) -> (name: Name, value: Int) {
        let unusual = (Name(word: 0, start: 0, count: -2), offset)
        var index = text.spaceEnd(from: offset)
        guard index < text.count else { return unusual }
        if text[index] == UInt8(ascii: "}") { return (Name(word: 0, start: 0, count: -1), index &+ 1) }
        if !isFirst {
            guard text[index] == UInt8(ascii: ",") else { return unusual }
            index = text.spaceEnd(from: index &+ 1)
        }
        guard index < text.count, text.count >= 8, text[index] == UInt8(ascii: "\"") else { return unusual }
        index &+= 1
        // Near the end of the text the last 8 bytes are moved into place; the zeros behind them end the name.
        let missing = Swift.max(0, 8 &- (text.count &- index))
        let word = text.word(at: index &- missing) &>> UInt64((missing & 7) &* 8)
        let special = WordScan.firstStringSpecial(in: word)
        let end =
            special != 0
            ? index &+ WordScan.index(of: special) : text.stringSpecial(from: Swift.min(index &+ 8, text.count))
        guard end < text.count, text[end] == UInt8(ascii: "\"") else { return unusual }
        let colon = text.spaceEnd(from: end &+ 1)
        guard colon < text.count, text[colon] == UInt8(ascii: ":") else { return unusual }
        let value = text.spaceEnd(from: colon &+ 1)
        guard value < text.count else { return unusual }
        let mask = special != 0 ? ~(UInt64.max &<< UInt64((end &- index) &* 8)) : .max
        return (Name(word: word & mask, start: index, count: end &- index), value)
    }

    /// Steps over a value; false if something is unusual.
    @inlinable
    @inline(__always)
    public mutating func skipValue(_ text: Span<UInt8>) -> Bool {
        // Nearly all values are short strings and small numbers.
        if position >= 0, text.count &- position >= 17 {
            let first = text[position]
            if first == UInt8(ascii: "\"") {
                let low = WordScan.firstStringSpecial(in: text.word(at: position &+ 1))
                let found = low != 0 ? low : WordScan.firstStringSpecial(in: text.word(at: position &+ 9))
                let end = position &+ (low != 0 ? 1 : 9) &+ WordScan.index(of: found)
                if found != 0, text[end] == UInt8(ascii: "\"") {
                    position = end &+ 1
                    return true
                }
            } else if first != UInt8(ascii: "0"), first.isDigit {
                // Up to three digits.
                let rest = text.word(at: position)
                let length =
                    UInt8(truncatingIfNeeded: rest &>> 8).isDigit
                    ? UInt8(truncatingIfNeeded: rest &>> 16).isDigit ? 3 : 2 : 1
                let next = UInt8(truncatingIfNeeded: rest &>> UInt64(length &* 8))
                if next == UInt8(ascii: ",") || next == UInt8(ascii: "}") {
                    position &+= length
                    return true
                }
            }
        }
        guard let end = text.valueEnd(from: position) else { return false }
        position = end
        return true
    }

    /// Whether nothing is left but white space.
    @inlinable
    @inline(__always)
    public func isAtEnd(_ text: Span<UInt8>) -> Bool { text.spaceEnd(from: position) == text.count }
}
