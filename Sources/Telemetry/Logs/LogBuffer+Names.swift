import ASCII

/// Names that peers chose, made fit for a line: whatever bytes they have, they end neither the string nor the line, give a
/// terminal no order, and are valid UTF-8.
extension LogBuffer {
    /// The name as it stands between the quotes of a JSON string. `CallName` has it as it stood in one, with its escapes, which
    /// stay; it may be cut within a character.
    mutating func append(_ name: borrowing CallName) {
        let count = Int(name.count)
        var position = 0
        while position < count, !Self.needsCare(name[position]) { position += 1 }
        name.withBytes { append(UnsafeBufferPointer(rebasing: $0.bindMemory(to: UInt8.self)[..<position])) }
        while position < count { position = appendCharacter(of: name, at: position) }
    }

    /// Whether a byte is anything but a character that stands for itself.
    private static func needsCare(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte >= 0x7f || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// A text as it stands between the quotes of a JSON string.
    mutating func append(escaping text: String) {
        for scalar in text.unicodeScalars { append(scalar) }
    }

    /// Appends what begins at a position, and returns where the next begins.
    private mutating func appendCharacter(of name: borrowing CallName, at start: Int) -> Int {
        let byte = name[start]
        switch byte {
        case UInt8(ascii: "\\"): return appendEscape(of: name, at: start)
        case 0..<0x80:
            append(Unicode.Scalar(byte))
            return start + 1
        default: return appendUTF8(of: name, at: start)
        }
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": append("\\\"")
        case "\\": append("\\\\")
        case " "..."~": append(UInt8(truncatingIfNeeded: scalar.value))
        case _ where Self.isHarmful(scalar): append(unit: scalar.value)
        default: for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { append(byte) }
        }
    }

    /// Controls of C0 and C1, ends of lines, and what turns the direction of text or has no width: whoever reads the line would
    /// see another one.
    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f...0x9f, 0x61c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff: true
        default: false
        }
    }

    /// `\u` with four digits.
    private mutating func append(unit: UInt32) {
        append("\\u")
        for shift in stride(from: 12, through: 0, by: -4) { append(digit: UInt64(unit >> UInt32(shift))) }
    }

    private static var replacement: UInt32 { 0xfffd }

    // MARK: - Escapes

    /// An escape, as it is; what is none has its backslash escaped. What the end of the name cuts is left out.
    private mutating func appendEscape(of name: borrowing CallName, at start: Int) -> Int {
        let count = Int(name.count)
        guard start + 1 < count else { return count }
        switch name[start + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            append(UInt8(ascii: "\\"))
            append(name[start + 1])
            return start + 2
        case UInt8(ascii: "u"): return appendUnicodeEscape(of: name, at: start)
        default:
            append("\\\\")
            return start + 1
        }
    }

    private mutating func appendUnicodeEscape(of name: borrowing CallName, at start: Int) -> Int {
        guard start + 6 <= Int(name.count) else { return Int(name.count) }
        guard let high = unit(of: name, at: start) else {
            append("\\\\")
            return start + 1
        }
        switch high {
        case 0xd800...0xdbff:
            if let low = unit(of: name, at: start + 6), low >= 0xdc00, low <= 0xdfff {
                for index in start..<start + 12 { append(name[index]) }
                return start + 12
            }
            append(unit: Self.replacement)
        case 0xdc00...0xdfff: append(unit: Self.replacement)
        default: for index in start..<start + 6 { append(name[index]) }
        }
        return start + 6
    }

    /// The UTF-16 code unit that an escape at this position stands for; nil if there is none.
    private func unit(of name: borrowing CallName, at start: Int) -> UInt32? {
        guard start + 6 <= Int(name.count), name[start] == UInt8(ascii: "\\"), name[start + 1] == UInt8(ascii: "u")
        else {
            return nil
        }
        var value: UInt32 = 0
        for index in start + 2..<start + 6 {
            guard let digit = name[index].hexadecimalValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    // MARK: - UTF-8

    /// A character of several bytes (RFC 3629); U+FFFD for what is none.
    private mutating func appendUTF8(of name: borrowing CallName, at start: Int) -> Int {
        let first = name[start]
        let length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
        guard start + length <= Int(name.count), first >= 0xc2, first <= 0xf4 else {
            append(unit: Self.replacement)
            return start + 1
        }
        var value = UInt32(first) & (0x7f >> UInt32(length))
        for index in start + 1..<start + length {
            guard name[index] & 0xc0 == 0x80 else {
                append(unit: Self.replacement)
                return index
            }
            value = value << 6 | UInt32(name[index] & 0x3f)
        }
        // Longer forms than needed, surrogates, and what is above U+10FFFF are no characters.
        let isShortest = length == 2 || (length == 3 && value >= 0x800) || (length == 4 && value >= 0x1_0000)
        if isShortest, let scalar = Unicode.Scalar(value) {
            append(scalar)
        } else {
            append(unit: Self.replacement)
        }
        return start + length
    }
}
