import ASCII

/// The value of a header field that stands for any text (MCP 2026-07-28, "Value encoding"): itself if it is visible ASCII
/// with spaces and tabs within, `=?base64?…?=` with the base64 of its UTF-8 (RFC 4648 section 4) if not.
struct HeaderText: ~Escapable {
    private let characters: Span<UInt8>
    private let isBase64: Bool

    private static var prefix: StaticString { "=?base64?" }
    private static var suffix: StaticString { "?=" }

    /// A value that is taken as it is.
    @_lifetime(copy characters)
    init(plain characters: Span<UInt8>) {
        self.characters = characters
        isBase64 = false
    }

    /// A value that may be base64; nil if it may not stand in such a field, or if its base64 is not canonical.
    @_lifetime(copy value)
    init?(_ value: Span<UInt8>) {
        let around = Self.prefix.utf8CodeUnitCount + Self.suffix.utf8CodeUnitCount
        isBase64 =
            value.count >= around && value.has(Self.prefix, at: 0)
            && value.has(Self.suffix, at: value.count - Self.suffix.utf8CodeUnitCount)
        if isBase64 {
            characters = value.extracting(
                Self.prefix.utf8CodeUnitCount..<(value.count - Self.suffix.utf8CodeUnitCount))
            guard Base64.isCanonical(characters) else { return nil }
        } else {
            characters = value
            for index in value.indices where value[index] != 0x09 {
                guard 0x20...0x7E ~= value[index] else { return nil }
            }
        }
    }

    /// Whether the JSON string with this content between its quotes says the same.
    func equals(_ content: Span<UInt8>) -> Bool {
        var string = JSONStringBytes()
        var position = 0
        var bits = Base64.Bits()
        while position < characters.count {
            let byte: UInt8
            if isBase64 {
                let character = characters[position]
                position += 1
                guard let next = bits.append(character) else { continue }
                byte = next
            } else {
                byte = characters[position]
                position += 1
            }
            guard string.next(in: content) == byte else { return false }
        }
        return string.isAtEnd(of: content)
    }
}

/// base64 with padding (RFC 4648 section 4).
enum Base64 {
    /// Whether this is what an encoder writes: whole groups, padding only at the end, no bit left over.
    static func isCanonical(_ text: Span<UInt8>) -> Bool {
        guard text.count & 3 == 0 else { return false }
        var end = text.count
        while end > 0, text.count - end < 2, text[end - 1] == UInt8(ascii: "=") { end -= 1 }
        var last: UInt8 = 0
        for index in 0..<end {
            guard let six = value(of: text[index]) else { return false }
            last = six
        }
        switch text.count - end {
        case 1: return last & 3 == 0
        case 2: return last & 15 == 0
        default: return true
        }
    }

    /// Bytes out of characters, one after the other.
    struct Bits {
        private var bits: UInt32 = 0
        private var count: UInt32 = 0

        /// Takes a character; the byte that is complete with it, if one is. Padding completes none.
        mutating func append(_ character: UInt8) -> UInt8? {
            guard let six = Base64.value(of: character) else { return nil }
            bits = (bits << 6 | UInt32(six)) & 0xFFFF
            count += 6
            guard count >= 8 else { return nil }
            count -= 8
            return UInt8(truncatingIfNeeded: bits >> count)
        }
    }

    private static func value(of character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        case UInt8(ascii: "-"), UInt8(ascii: "_"): nil
        default: Base64URL.value(of: character)
        }
    }
}
