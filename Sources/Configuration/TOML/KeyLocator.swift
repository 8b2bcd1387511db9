/// Walks a TOML text once and notes where every key and value stands.
///
/// It is right about what is TOML, and leaves judging that to the parser; of anything else it may note nonsense, but it
/// ends and stays within the text.
struct KeyLocator {
    private(set) var tree = PositionTree()
    /// The first `\u0000` in a string: the parser would cut the string there without a word.
    private(set) var nulEscape: Range<Int>?
    /// The first thing that the parser asserts never to meet, where it should refuse it.
    private(set) var problem: Problem?
    private let bytes: [UInt8]
    private var index = 0
    private var statement = 0

    /// Deeper than the parser goes.
    private static let deepest = 300

    struct Problem {
        enum Kind {
            /// `[` and then no key.
            case namelessHeader
            /// `}`, or a line separator of Unicode, where an array wants a value.
            case noValue
        }

        var kind: Kind
        var range: Range<Int>
        /// Where the statement begins that holds it.
        var statement: Int
    }

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        walk()
    }

    private typealias KeyPart = (name: String, range: Range<Int>)

    private var current: UInt8 { index < bytes.count ? bytes[index] : 0 }

    private func at(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard index + count <= bytes.count else { return false }
        return text.withUTF8Buffer { bytes[index..<index + count].elementsEqual($0) }
    }

    private mutating func walk() {
        if at("\u{FEFF}") { index += 3 }
        var table = tree.root
        while true {
            skipFiller()
            guard index < bytes.count else { return }
            let before = index
            statement = before
            if current == UInt8(ascii: "[") {
                table = header()
            } else {
                entry(in: table, depth: 0)
            }
            if index == before { index += 1 }
        }
    }

    private mutating func note(_ kind: Problem.Kind, at range: Range<Int>) {
        if problem == nil { problem = Problem(kind: kind, range: range, statement: statement) }
    }

    /// `[a.b]` or `[[a.b]]`; answers the table that the following keys belong to.
    private mutating func header() -> Int {
        let start = index
        let isArray = at("[[")
        index += isArray ? 2 : 1
        let path = keyPath()
        if path.isEmpty { note(.namelessHeader, at: start..<max(index, start + 1)) }
        skipBlank()
        while current == UInt8(ascii: "]") { index += 1 }
        var table = tree.root
        for (position, part) in path.enumerated() {
            table = tree.entry(part.name, in: table, key: part.range)
            if position < path.count - 1 {
                table = tree[table].elements.last ?? table
            } else if isArray {
                if tree[table].elements.isEmpty { tree[table].value = start..<index }
                table = tree.element(in: table, value: start..<index)
                tree[table].key = part.range
            } else {
                // A table that its subtables implied is better shown where it is opened itself.
                tree[table].key = part.range
                tree[table].value = start..<index
            }
        }
        return table
    }

    /// `a.b = value`
    private mutating func entry(in table: Int, depth: Int) {
        var place = table
        for part in keyPath() {
            place = tree.entry(part.name, in: place, key: part.range)
        }
        skipBlank()
        guard current == UInt8(ascii: "="), place != table else { return }
        index += 1
        skipBlank()
        value(at: place, depth: depth)
    }

    private mutating func value(at place: Int, depth: Int) {
        let start = index
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): skipString()
        case UInt8(ascii: "[") where depth < Self.deepest: array(at: place, depth: depth + 1)
        case UInt8(ascii: "{") where depth < Self.deepest: inlineTable(at: place, depth: depth + 1)
        default: skipScalar()
        }
        tree[place].value = start..<index
    }

    private mutating func array(at place: Int, depth: Int) {
        index += 1
        while true {
            skipFiller()
            let start = index
            switch current {
            case UInt8(ascii: "]"), 0:
                index = min(index + 1, bytes.count)
                return
            case UInt8(ascii: ","): index += 1
            default:
                if at("}") || at("\u{2028}") || at("\u{2029}") || at("\u{85}") {
                    note(.noValue, at: start..<start + 1)
                }
                value(at: tree.element(in: place, value: start..<start), depth: depth)
                if index == start { index += 1 }
            }
        }
    }

    private mutating func inlineTable(at place: Int, depth: Int) {
        index += 1
        while true {
            skipFiller()
            let start = index
            switch current {
            case UInt8(ascii: "}"), 0:
                index = min(index + 1, bytes.count)
                return
            case UInt8(ascii: ","): index += 1
            default:
                entry(in: place, depth: depth)
                if index == start { index += 1 }
            }
        }
    }
}

// MARK: - Keys

extension KeyLocator {
    private mutating func keyPath() -> [KeyPart] {
        var parts: [KeyPart] = []
        while true {
            skipBlank()
            guard let part = keyPart() else { return parts }
            parts.append(part)
            skipBlank()
            guard current == UInt8(ascii: ".") else { return parts }
            index += 1
        }
    }

    private mutating func keyPart() -> KeyPart? {
        let start = index
        if current == UInt8(ascii: "\"") || current == UInt8(ascii: "'") {
            let isLiteral = current == UInt8(ascii: "'")
            skipString()
            let inner = bytes[min(start + 1, index)..<max(start + 1, index - 1)]
            let name = isLiteral ? String(decoding: inner, as: UTF8.self) : Self.unescaped(inner)
            return (name, start..<index)
        }
        while Self.isBare(current) { index += 1 }
        return index > start ? (String(decoding: bytes[start..<index], as: UTF8.self), start..<index) : nil
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// What a basic string without its quotes says (TOML 1.0, "String").
    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
        var result = ""
        var rest = Substring(String(decoding: bytes, as: UTF8.self))
        while let character = rest.unicodeScalars.popFirst() {
            guard character == "\\", let kind = rest.unicodeScalars.popFirst() else {
                result.unicodeScalars.append(character)
                continue
            }
            switch kind {
            case "b": result += "\u{8}"
            case "t": result += "\t"
            case "n": result += "\n"
            case "f": result += "\u{C}"
            case "r": result += "\r"
            case "u", "U":
                let digits = rest.unicodeScalars.prefix(kind == "u" ? 4 : 8)
                rest.unicodeScalars.removeFirst(digits.count)
                let scalar = UInt32(String(digits), radix: 16).flatMap(Unicode.Scalar.init)
                result.unicodeScalars.append(scalar ?? "\u{FFFD}")
            default: result.unicodeScalars.append(kind)
            }
        }
        return result
    }
}

// MARK: - What is passed over

extension KeyLocator {
    private mutating func skipBlank() {
        while current == UInt8(ascii: " ") || current == UInt8(ascii: "\t") { index += 1 }
    }

    /// Blanks, line ends and comments.
    private mutating func skipFiller() {
        while index < bytes.count {
            switch current {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): index += 1
            case UInt8(ascii: "#"):
                while index < bytes.count, current != UInt8(ascii: "\n") { index += 1 }
            default: return
            }
        }
    }

    /// A number, a date or a boolean: up to what must follow a value, without the blanks before it. A date may have
    /// one blank inside.
    private mutating func skipScalar() {
        let start = index
        scan: while index < bytes.count {
            switch current {
            case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#"), UInt8(ascii: "\n"),
                UInt8(ascii: "\r"):
                break scan
            default: index += 1
            }
        }
        while index > start, bytes[index - 1] == UInt8(ascii: " ") || bytes[index - 1] == UInt8(ascii: "\t") {
            index -= 1
        }
    }

    private mutating func skipString() {
        if at("\"\"\"") || at("'''") {
            skipMultiLineString(quote: current)
        } else {
            skipSingleLineString(quote: current)
        }
    }

    private mutating func skipSingleLineString(quote: UInt8) {
        index += 1
        while index < bytes.count, current != quote, current != UInt8(ascii: "\n") {
            skipCharacter(escapes: quote == UInt8(ascii: "\""))
        }
        index = min(index + 1, bytes.count)
    }

    private mutating func skipMultiLineString(quote: UInt8) {
        index += 3
        while index < bytes.count {
            guard current == quote, index + 2 < bytes.count, bytes[index + 1] == quote, bytes[index + 2] == quote else {
                skipCharacter(escapes: quote == UInt8(ascii: "\""))
                continue
            }
            index += 3
            // One or two quotes more belong to the text; the last three close it.
            for _ in 0..<2 where current == quote { index += 1 }
            return
        }
    }

    private mutating func skipCharacter(escapes: Bool) {
        guard escapes, current == UInt8(ascii: "\\") else {
            index += 1
            return
        }
        if at("\\u0000"), nulEscape == nil { nulEscape = index..<index + 6 }
        if at("\\U00000000"), nulEscape == nil { nulEscape = index..<index + 10 }
        index = min(index + 2, bytes.count)
    }
}
