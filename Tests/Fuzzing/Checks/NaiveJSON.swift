/// JSON, read as simply as can be, for comparison (RFC 8259).
indirect enum NaiveJSON {
    case object([Member])
    case array([NaiveJSON])
    /// The content between the quotes, and what it says; nil if that is no Unicode.
    case string(Range<Int>, [UInt16])
    case number(Range<Int>)
    case word(Range<Int>)

    struct Member {
        var name: [UInt16]
        var value: NaiveJSON
        /// The value, with its quotes or brackets.
        var range: Range<Int>
    }

    /// The members of an object with this name.
    func members(_ name: String) -> [Member] {
        guard case .object(let members) = self else { return [] }
        return members.filter { $0.name == Array(name.utf16) }
    }

    /// Reads a whole text; nil if it is none, or nests deeper than `depth`.
    static func read(_ text: [UInt8], depth: Int) -> NaiveJSON? {
        var reader = Reader(text: text, left: depth)
        guard let value = reader.value() else { return nil }
        reader.space()
        return reader.index == text.count ? value : nil
    }

    private struct Reader {
        let text: [UInt8]
        var left: Int
        var index = 0

        private var next: UInt8 { index < text.count ? text[index] : 0 }

        mutating func space() { while [0x20, 9, 10, 13].contains(next) { index += 1 } }

        private mutating func take(_ byte: Character) -> Bool {
            guard index < text.count, next == byte.asciiValue else { return false }
            index += 1
            return true
        }

        mutating func value() -> NaiveJSON? {
            space()
            let start = index
            switch next {
            case UInt8(ascii: "{"): return object()
            case UInt8(ascii: "["): return array()
            case UInt8(ascii: "\""): return string().map { .string(start + 1..<index - 1, $0) }
            case UInt8(ascii: "-"), 0x30...0x39: return number() ? .number(start..<index) : nil
            default:
                for word in ["true", "false", "null"] where text[index...].starts(with: word.utf8) {
                    index += word.utf8.count
                    return .word(start..<index)
                }
                return nil
            }
        }

        private mutating func object() -> NaiveJSON? {
            index += 1
            left -= 1
            guard left >= 0 else { return nil }
            defer { left += 1 }
            space()
            if take("}") { return .object([]) }
            var members: [Member] = []
            repeat {
                space()
                guard next == UInt8(ascii: "\""), let name = string() else { return nil }
                space()
                guard take(":") else { return nil }
                space()
                let start = index
                guard let value = value() else { return nil }
                members.append(Member(name: name, value: value, range: start..<index))
                space()
            } while take(",")
            return take("}") ? .object(members) : nil
        }

        private mutating func array() -> NaiveJSON? {
            index += 1
            left -= 1
            guard left >= 0 else { return nil }
            defer { left += 1 }
            space()
            if take("]") { return .array([]) }
            var elements: [NaiveJSON] = []
            repeat {
                guard let value = value() else { return nil }
                elements.append(value)
                space()
            } while take(",")
            return take("]") ? .array(elements) : nil
        }

        /// What a string says; bytes that are no UTF-8 stand for U+FFFD.
        private mutating func string() -> [UInt16]? {
            index += 1
            var units: [UInt16] = []
            var raw: [UInt8] = []
            while index < text.count {
                let byte = text[index]
                index += 1
                guard byte >= 0x20 else { return nil }
                if byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                    raw.append(byte)
                    continue
                }
                units += String(decoding: raw, as: UTF8.self).utf16
                raw = []
                if byte == UInt8(ascii: "\"") { return units }
                guard let unit = escape() else { return nil }
                units.append(unit)
            }
            return nil
        }

        private mutating func escape() -> UInt16? {
            guard index < text.count else { return nil }
            let byte = text[index]
            index += 1
            switch Character(Unicode.Scalar(byte)) {
            case "\"", "\\", "/": return UInt16(byte)
            case "b": return 8
            case "f": return 12
            case "n": return 10
            case "r": return 13
            case "t": return 9
            case "u":
                guard text.count - index >= 4 else { return nil }
                let digits = text[index..<index + 4]
                guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
                index += 4
                return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
            default: return nil
            }
        }

        private mutating func digits() -> Bool {
            let start = index
            while (0x30...0x39).contains(next) { index += 1 }
            return index > start
        }

        private mutating func number() -> Bool {
            _ = take("-")
            if !take("0") { guard digits() else { return false } }
            if take(".") { guard digits() else { return false } }
            if take("e") || take("E") {
                if !take("+") { _ = take("-") }
                return digits()
            }
            return true
        }
    }
}
