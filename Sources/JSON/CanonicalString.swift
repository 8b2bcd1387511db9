import ASCII

/// Strings in the one spelling of RFC 8785 section 3.2.2.2: escapes only where JSON demands them, in lower case, and the short
/// ones where there are any.
enum CanonicalString {
    /// Appends the string with this content between its quotes. Half a surrogate pair and what is not UTF-8 are refused.
    static func append(_ content: Span<UInt8>, to text: inout [UInt8]) -> CanonicalJSON.Result {
        guard (try? UTF8Span(validating: content)) != nil else { return .refused }
        text.append(UInt8(ascii: "\""))
        var position = 0
        while position < content.count {
            let byte = content[position]
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                position += 1
                continue
            }
            guard let scalar = unescaped(content, &position) else { return .refused }
            append(scalar, to: &text)
        }
        text.append(UInt8(ascii: "\""))
        return .appended
    }

    /// The UTF-16 code units of a canonical string's content.
    static func units(_ content: ArraySlice<UInt8>) -> [UInt16] {
        var bytes: [UInt8] = []
        let copy = Array(content)
        var position = 0
        while position < copy.count {
            if copy[position] == UInt8(ascii: "\\"), let scalar = unescaped(copy.span, &position) {
                bytes += Array(String(scalar).utf8)
            } else {
                bytes.append(copy[position])
                position += 1
            }
        }
        return Array(String(decoding: bytes, as: UTF8.self).utf16)
    }

    /// The character that the escape at `position` stands for; steps over it.
    private static func unescaped(_ content: Span<UInt8>, _ position: inout Int) -> Unicode.Scalar? {
        guard position + 1 < content.count else { return nil }
        let kind = content[position + 1]
        position += 2
        switch kind {
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return escapedScalar(content, &position)
        default: return Unicode.Scalar(kind)
        }
    }

    /// The character of one `\u` escape, or of two that are a surrogate pair. `position` is behind the `u`.
    private static func escapedScalar(_ content: Span<UInt8>, _ position: inout Int) -> Unicode.Scalar? {
        guard let first = unit(content, &position) else { return nil }
        guard (0xD800...0xDBFF).contains(first) else { return Unicode.Scalar(first) }
        guard position + 1 < content.count, content[position] == UInt8(ascii: "\\"),
            content[position + 1] == UInt8(ascii: "u")
        else { return nil }
        position += 2
        guard let second = unit(content, &position), (0xDC00...0xDFFF).contains(second) else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private static func unit(_ content: Span<UInt8>, _ position: inout Int) -> UInt32? {
        guard content.count - position >= 4 else { return nil }
        var value: UInt32 = 0
        for index in position..<position + 4 {
            guard let digit = content[index].hexadecimalValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }

    private static func append(_ scalar: Unicode.Scalar, to text: inout [UInt8]) {
        switch scalar {
        case "\"": text += Array("\\\"".utf8)
        case "\\": text += Array("\\\\".utf8)
        case "\u{8}": text += Array("\\b".utf8)
        case "\u{c}": text += Array("\\f".utf8)
        case "\n": text += Array("\\n".utf8)
        case "\r": text += Array("\\r".utf8)
        case "\t": text += Array("\\t".utf8)
        case "\0"..<" ":
            let digits = String(scalar.value, radix: 16)
            text += Array("\\u".utf8) + Array(repeating: UInt8(ascii: "0"), count: 4 - digits.count)
            text += Array(digits.utf8)
        default: text += Array(String(scalar).utf8)
        }
    }
}
