/// base64url without padding, as tokens have it (RFC 7515 section 2). Strict: every byte string has exactly one text.
enum Base64URLText {
    /// The bytes that a text stands for; nil if no encoder writes this text.
    static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        guard text.count & 3 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var bitCount: UInt32 = 0
        for index in text.indices {
            guard let six = value(of: text[index]) else { return nil }
            bits = bits << 6 | UInt32(six)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
            }
        }
        // The remaining bits must be zero (RFC 4648 section 3.5).
        guard bits & (1 << bitCount - 1) == 0 else { return nil }
        return bytes
    }

    /// The same for a string.
    static func decode(_ text: String) -> [UInt8]? { decode(Array(text.utf8).span) }

    private static func value(of character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character + 4
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
