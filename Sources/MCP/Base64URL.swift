/// base64url without padding (RFC 4648 section 5), strict: every byte string has one text and every other text is refused, so
/// a text cannot be altered without altering what it says.
enum Base64URL {
    /// Characters for that many bytes.
    static func encodedCount(of bytes: Int) -> Int { (bytes * 4 + 2) / 3 }

    /// Appends the text of `bytes` at `offset` and returns the end. The output must have room.
    static func encode(_ bytes: Span<UInt8>, into output: inout MutableSpan<UInt8>, at offset: Int) -> Int {
        var position = offset
        var bits: UInt32 = 0
        var held = 0
        for index in bytes.indices {
            bits = bits << 8 | UInt32(bytes[index])
            held += 8
            while held >= 6 {
                held -= 6
                output[position] = character(UInt8(truncatingIfNeeded: bits >> UInt32(held)) & 63)
                position += 1
            }
        }
        if held > 0 {
            output[position] = character(UInt8(truncatingIfNeeded: bits << UInt32(6 - held)) & 63)
            position += 1
        }
        return position
    }

    /// Puts the bytes of `text` at the start of `output` and returns their number; nil for a text that is not what
    /// `encode` writes, or that has more bytes than `output` has room.
    static func decode(_ text: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int? {
        guard text.count & 3 != 1, text.count * 3 / 4 <= output.count else { return nil }
        var position = 0
        var bits: UInt32 = 0
        var held = 0
        for index in text.indices {
            guard let six = value(of: text[index]) else { return nil }
            bits = bits << 6 | UInt32(six)
            held += 6
            if held >= 8 {
                held -= 8
                output[position] = UInt8(truncatingIfNeeded: bits >> UInt32(held))
                position += 1
            }
        }
        // The bits left over carry nothing and must say so.
        guard bits & (1 << UInt32(held) - 1) == 0 else { return nil }
        return position
    }

    /// Whether `decode` would accept the text, whatever its length.
    static func isCanonical(_ text: Span<UInt8>) -> Bool {
        guard text.count & 3 != 1 else { return false }
        var last: UInt8 = 0
        for index in text.indices {
            guard let six = value(of: text[index]) else { return false }
            last = six
        }
        switch text.count & 3 {
        case 2: return last & 15 == 0
        case 3: return last & 3 == 0
        default: return true
        }
    }

    static func value(of character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character + 4
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }

    private static func character(_ six: UInt8) -> UInt8 {
        switch six {
        case 0..<26: six + 65
        case 26..<52: six + 71
        case 52..<62: six - 4
        case 62: UInt8(ascii: "-")
        default: UInt8(ascii: "_")
        }
    }
}
