import ASCII

/// What strings in JSON texts say (RFC 8259 section 7).
package enum JSONString {
    /// Whether the string with this content between its quotes says `text` (ASCII), `\u` and `\/` undone: `"\u0069d"` is
    /// the name `id`, and `"tools\/call"`, as PHP writes it, is `tools/call`. The other short escapes stand for nothing that
    /// a name of a protocol contains, and equal nothing.
    package static func content(_ content: Span<UInt8>, equals text: StaticString) -> Bool {
        // An escape is one or five bytes longer than what it stands for.
        let excess = content.count &- text.utf8CodeUnitCount
        guard excess > 0 else { return excess == 0 && content.has(text, at: 0) }
        var position = 0
        for index in 0..<text.utf8CodeUnitCount {
            guard position < content.count, let byte = unescaped(content, &position) else { return false }
            guard byte == text[byte: index] else { return false }
        }
        return position == content.count
    }

    /// The character at `position` if it is ASCII; steps over it.
    private static func unescaped(_ content: Span<UInt8>, _ position: inout Int) -> UInt8? {
        let byte = content[position]
        position += 1
        guard byte == UInt8(ascii: "\\") else { return byte }
        if position < content.count, content[position] == UInt8(ascii: "/") {
            position += 1
            return UInt8(ascii: "/")
        }
        guard content.count - position >= 5, content[position] == UInt8(ascii: "u") else { return nil }
        var value = 0
        for index in (position + 1)...(position + 4) {
            guard let digit = content[index].hexadecimalValue else { return nil }
            value = value << 4 | Int(digit)
        }
        position += 5
        return UInt8(exactly: value)
    }

    /// `text` as a JSON string, its quotes included.
    package static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
