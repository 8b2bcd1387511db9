import ASCII

/// Walks through the objects of a text that is at hand as a whole, as long as nothing is unusual.
///
/// Names with escapes, nesting of more than 64, what is cut off and what is malformed count as unusual: then the caller
/// begins again with `JSONReader`, which says what it is. What the cursor steps over is checked as the reader checks it.
package struct JSONCursor: Sendable {
    /// The name of a member.
    package struct Name: Sendable {
        /// Its first 8 bytes, the first one the lowest; 0 where it is shorter.
        package let word: UInt64
        /// Where it begins, behind its quote.
        package let start: Int
        /// Its bytes; -1 at the end of the object, -2 if something is unusual.
        package let count: Int

        static var end: Name { Name(word: 0, start: 0, count: -1) }
        static var unusual: Name { Name(word: 0, start: 0, count: -2) }
    }

    /// Behind a name, where its value begins; else behind what has been read.
    package private(set) var position = 0
    private var isFirst = true

    package init() {}

    /// Steps into an object, before which white space may stand; false if something else comes next.
    package mutating func enter(_ text: Span<UInt8>) -> Bool {
        position = text.spaceEnd(from: position)
        guard position < text.count, text[position] == UInt8(ascii: "{") else { return false }
        position &+= 1
        isFirst = true
        return true
    }

    /// Reads the name of the next member and steps to its value, which must be read or entered before the next call.
    package mutating func nextName(_ text: Span<UInt8>) -> Name {
        var index = text.spaceEnd(from: position)
        guard index < text.count else { return .unusual }
        if text[index] == UInt8(ascii: "}") {
            position = index &+ 1
            isFirst = false
            return .end
        }
        if !isFirst {
            guard text[index] == UInt8(ascii: ",") else { return .unusual }
            index = text.spaceEnd(from: index &+ 1)
        }
        isFirst = false
        guard index < text.count, text.count >= 8, text[index] == UInt8(ascii: "\"") else { return .unusual }
        index &+= 1
        // Near the end of the text the last 8 bytes are moved into place; the zeros behind them end the name.
        let missing = Swift.max(0, 8 &- (text.count &- index))
        let word = text.word(at: index &- missing) &>> UInt64((missing & 7) &* 8)
        let special = WordScan.firstStringSpecial(in: word)
        let end =
            special != 0
            ? index &+ WordScan.index(of: special) : text.stringSpecial(from: Swift.min(index &+ 8, text.count))
        guard end < text.count, text[end] == UInt8(ascii: "\"") else { return .unusual }
        let colon = text.spaceEnd(from: end &+ 1)
        guard colon < text.count, text[colon] == UInt8(ascii: ":") else { return .unusual }
        position = text.spaceEnd(from: colon &+ 1)
        guard position < text.count else { return .unusual }
        let mask = special != 0 ? ~(UInt64.max &<< UInt64((end &- index) &* 8)) : .max
        return Name(word: word & mask, start: index, count: end &- index)
    }

    /// Steps over a value; false if something is unusual.
    package mutating func skipValue(_ text: Span<UInt8>) -> Bool {
        guard let end = text.valueEnd(from: position) else { return false }
        position = end
        return true
    }

    /// Whether nothing is left but white space.
    package func isAtEnd(_ text: Span<UInt8>) -> Bool { text.spaceEnd(from: position) == text.count }
}
