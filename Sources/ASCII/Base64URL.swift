/// base64url without padding (RFC 4648 section 5). It is strict: every byte string has exactly one text, and every
/// other text is refused, so that no two texts decode to the same bytes.
package enum Base64URL {
    /// The number of characters that encode `bytes` bytes.
    package static func encodedCount(of bytes: Int) -> Int { (bytes * 4 + 2) / 3 }

    /// Writes the text of `bytes` at `offset` and returns its end. The output must have space for it.
    package static func encode(_ bytes: Span<UInt8>, into output: inout MutableSpan<UInt8>, at offset: Int) -> Int {
        var position = offset
        var bits: UInt32 = 0
        var bitCount = 0
        for index in bytes.indices {
            bits = bits << 8 | UInt32(bytes[index])
            bitCount += 8
            while bitCount >= 6 {
                bitCount -= 6
                output[position] = character(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)) & 63)
                position += 1
            }
        }
        if bitCount > 0 {
            output[position] = character(UInt8(truncatingIfNeeded: bits << UInt32(6 - bitCount)) & 63)
            position += 1
        }
        return position
    }

    /// Writes the bytes of `text` at the start of `output` and returns their number. Nil if `encode` would not write
    /// this text, or if `output` is too small.
    package static func decode(_ text: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int? {
        guard text.count & 3 != 1, text.count * 3 / 4 <= output.count else { return nil }
        var position = 0
        var bits: UInt32 = 0
        var bitCount = 0
        for index in text.indices {
            guard let six = value(of: text[index]) else { return nil }
            bits = bits << 6 | UInt32(six)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                output[position] = UInt8(truncatingIfNeeded: bits >> UInt32(bitCount))
                position += 1
            }
        }
        // The remaining bits must be zero (RFC 4648 section 3.5).
        guard bits & (1 << UInt32(bitCount) - 1) == 0 else { return nil }
        return position
    }

    /// The bytes of `text`; nil if `encode` would not write this text.
    package static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: text.count / 4 * 3 + 2)
        var output = bytes.mutableSpan
        guard let count = decode(text, into: &output) else { return nil }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Whether `decode` would accept the text, whatever its length.
    package static func isCanonical(_ text: Span<UInt8>) -> Bool {
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

    /// The value of a character of the alphabet; nil for any other.
    package static func value(of character: UInt8) -> UInt8? {
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
