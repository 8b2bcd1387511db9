import Reactor

/// Walks JSON text (RFC 8259) once, front to back, and gives out ranges: no tree, no copies. Whatever is not JSON sets
/// `failed`, and from then on every call answers nil. The text must be UTF-8 already.
struct JSONScanner {
    private(set) var offset = 0
    private(set) var failed = false
    private var isAtStart = false
    /// More nesting than any client has reason for; recursion stays shallow.
    private static let depthLimit = 64

    /// What the next value is, told from its first byte.
    func peek(_ text: Span<UInt8>) -> UInt8? {
        var index = offset
        while index < text.count, JSONScanner.isSpace(text[index]) { index += 1 }
        return index < text.count && !failed ? text[index] : nil
    }

    /// True if nothing but white space is left.
    func isAtEnd(_ text: Span<UInt8>) -> Bool {
        !failed && peek(text) == nil
    }

    /// Steps into an object. False, and nothing consumed, if the next value is something else.
    mutating func openObject(_ text: Span<UInt8>) -> Bool {
        guard take(UInt8(ascii: "{"), text) else { return false }
        isAtStart = true
        return true
    }

    /// The next member's key, without quotes; its value must be read before the next call. Nil at the object's end.
    mutating func nextKey(_ text: Span<UInt8>) -> ByteRange? {
        let first = isAtStart
        isAtStart = false
        if take(UInt8(ascii: "}"), text) { return nil }
        if !first, !take(UInt8(ascii: ","), text) { return fail() }
        guard let key = string(text) else { return nil }
        return take(UInt8(ascii: ":"), text) ? key : fail()
    }

    /// A string's characters as they stand, escapes included, without its quotes.
    mutating func string(_ text: Span<UInt8>) -> ByteRange? {
        guard take(UInt8(ascii: "\""), text) else { return fail() }
        let start = offset
        while offset < text.count {
            if text.count &- offset >= 8 {
                let plain = JSONScanner.plainBytes(in: text.word(at: offset))
                offset += plain
                if plain == 8 { continue }
            }
            let byte = text[offset]
            offset += 1
            switch byte {
            case UInt8(ascii: "\""): return ByteRange(start: start, count: offset - 1 - start)
            case UInt8(ascii: "\\"): guard escape(text) else { return fail() }
            case 0..<0x20: return fail()
            default: continue
            }
        }
        return fail()
    }

    /// A value of any kind, quotes and brackets included.
    mutating func value(_ text: Span<UInt8>, depth: Int = 0) -> ByteRange? {
        guard depth < JSONScanner.depthLimit, let first = peek(text) else { return fail() }
        while JSONScanner.isSpace(text[offset]) { offset += 1 }
        let start = offset
        switch first {
        case UInt8(ascii: "\""): _ = string(text)
        case UInt8(ascii: "{"):
            _ = openObject(text)
            while nextKey(text) != nil { _ = value(text, depth: depth + 1) }
        case UInt8(ascii: "["): array(text, depth: depth)
        case UInt8(ascii: "t"): word("true", text)
        case UInt8(ascii: "f"): word("false", text)
        case UInt8(ascii: "n"): word("null", text)
        default: number(text)
        }
        return failed ? nil : ByteRange(start: start, count: offset - start)
    }

    private mutating func array(_ text: Span<UInt8>, depth: Int) {
        offset += 1
        if take(UInt8(ascii: "]"), text) { return }
        while value(text, depth: depth + 1) != nil {
            if take(UInt8(ascii: "]"), text) { return }
            guard take(UInt8(ascii: ","), text) else {
                failed = true
                return
            }
        }
    }

    private mutating func number(_ text: Span<UInt8>) {
        if offset < text.count, text[offset] == UInt8(ascii: "-") { offset += 1 }
        let isZero = offset < text.count && text[offset] == UInt8(ascii: "0")
        let whole = digits(text)
        if whole == 0 || (isZero && whole > 1) { failed = true }
        if offset < text.count, text[offset] == UInt8(ascii: ".") {
            offset += 1
            if digits(text) == 0 { failed = true }
        }
        guard offset < text.count, text[offset] | 0x20 == UInt8(ascii: "e") else { return }
        offset += 1
        if offset < text.count, text[offset] == UInt8(ascii: "+") || text[offset] == UInt8(ascii: "-") { offset += 1 }
        if digits(text) == 0 { failed = true }
    }

    private mutating func digits(_ text: Span<UInt8>) -> Int {
        let start = offset
        while offset < text.count, text[offset] &- 48 < 10 { offset += 1 }
        return offset - start
    }

    private mutating func escape(_ text: Span<UInt8>) -> Bool {
        guard offset < text.count else { return false }
        let byte = text[offset]
        offset += 1
        switch byte {
        case UInt8(ascii: "u"):
            for _ in 0..<4 {
                guard offset < text.count, hexadecimalDigit(text[offset]) != nil else { return false }
                offset += 1
            }
            return true
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return true
        default: return false
        }
    }

    private mutating func word(_ word: StaticString, _ text: Span<UInt8>) {
        let end = offset + word.utf8CodeUnitCount
        guard end <= text.count, text.extracting(offset..<end).equals(word) else {
            failed = true
            return
        }
        offset = end
    }

    private mutating func take(_ byte: UInt8, _ text: Span<UInt8>) -> Bool {
        while offset < text.count, JSONScanner.isSpace(text[offset]) { offset += 1 }
        guard !failed, offset < text.count, text[offset] == byte else { return false }
        offset += 1
        return true
    }

    /// How many of the word's bytes come before the first that a string cannot simply contain: a quote, a backslash, a
    /// control character. A borrow can mark a byte wrongly, but only one after the first that is marked rightly.
    private static func plainBytes(in word: UInt64) -> Int {
        let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        let quotes = word ^ ones &* 0x22
        let escapes = word ^ ones &* 0x5c
        let found =
            (quotes &- ones) & ~quotes | (escapes &- ones) & ~escapes | (word &- ones &* 0x20) & ~word
        return (found & highs).trailingZeroBitCount / 8
    }

    private mutating func fail() -> ByteRange? {
        failed = true
        return nil
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
    }
}
