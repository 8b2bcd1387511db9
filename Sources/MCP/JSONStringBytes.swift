import ASCII

/// The UTF-8 that a JSON string says, byte by byte, its escapes undone (RFC 8259 section 7).
struct JSONStringBytes {
    private var position = 0
    /// What is left of a character that was escaped, the next byte in the highest 8 bits that count.
    private var pending: UInt32 = 0
    private var pendingCount: UInt32 = 0

    /// The next byte of what the string with this content between its quotes says; nil at its end, and if it is malformed
    /// or has half of a surrogate pair.
    mutating func next(in content: Span<UInt8>) -> UInt8? {
        if pendingCount > 0 {
            pendingCount -= 1
            return UInt8(truncatingIfNeeded: pending >> (pendingCount * 8))
        }
        guard position < content.count else { return nil }
        let byte = content[position]
        position += 1
        guard byte == UInt8(ascii: "\\") else { return byte }
        guard let scalar = escaped(content), let bytes = Unicode.UTF8.encode(scalar) else {
            position = content.count + 1
            return nil
        }
        for byte in bytes {
            pending = pending << 8 | UInt32(byte)
            pendingCount += 1
        }
        return next(in: content)
    }

    /// Whether everything was given out, and nothing was malformed.
    func isAtEnd(of content: Span<UInt8>) -> Bool { position == content.count && pendingCount == 0 }

    /// The character of an escape whose backslash has been read; steps over it.
    private mutating func escaped(_ content: Span<UInt8>) -> Unicode.Scalar? {
        guard position < content.count else { return nil }
        let byte = content[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: return nil
        }
        guard let unit = digits(content) else { return nil }
        guard 0xD800...0xDBFF ~= unit else { return Unicode.Scalar(unit) }
        guard content.has("\\u", at: position) else { return nil }
        position += 2
        guard let low = digits(content), 0xDC00...0xDFFF ~= low else { return nil }
        return Unicode.Scalar(0x1_0000 + (unit - 0xD800) << 10 + (low - 0xDC00))
    }

    private mutating func digits(_ content: Span<UInt8>) -> UInt32? {
        guard content.count - position >= 4 else { return nil }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = content[position].hexadecimalValue else { return nil }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
