/// Finds the position of every key and value of a TOML text in one pass.
///
/// The positions are right for valid TOML, which the parser decides. For other text they may be wrong, but the pass
/// ends and all positions are within the text.
struct KeyLocator {
    private(set) var tree = PositionTree()
    /// The first `\u0000` in a string: the parser would silently cut the string there.
    private(set) var nulEscape: Range<Int>?
    /// The first construct on which the parser traps instead of reporting an error.
    private(set) var problem: Problem?
    private let bytes: [UInt8]
    private var index = 0
    /// Start of the current statement.
    private var statement = 0

    /// The nesting at which values are skipped; beyond the parser's own limit.
    private static let maxDepth = 300

    struct Problem {
        enum Kind {
            /// `[` without a key.
            case namelessHeader
            /// `}`, or a Unicode line separator, in place of an array's element.
            case noValue
        }

        var kind: Kind
        var range: Range<Int>
        /// Start of its statement.
        var statement: Int
    }

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        locateAll()
    }

    private typealias KeyPart = (name: String, range: Range<Int>)

    private var current: UInt8 { index < bytes.count ? bytes[index] : 0 }

    private func at(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard index + count <= bytes.count else { return false }
        return text.withUTF8Buffer { bytes[index..<index + count].elementsEqual($0) }
    }

    private mutating func locateAll() {
        if at("\u{FEFF}") { index += 3 }
        var table = tree.root
        while true {
            skipBlanksAndComments()
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

    private mutating func recordProblem(_ kind: Problem.Kind, at range: Range<Int>) {
        if problem == nil { problem = Problem(kind: kind, range: range, statement: statement) }
    }

    /// Reads `[a.b]` or `[[a.b]]`. Returns the table that the following keys belong to.
    private mutating func header() -> Int {
        let start = index
        let isArray = at("[[")
        index += isArray ? 2 : 1
        let path = keyPath()
        if path.isEmpty { recordProblem(.namelessHeader, at: start..<max(index, start + 1)) }
        skipBlanks()
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
                // The table may have been implied by a subtable before; its own header is the better position.
                tree[table].key = part.range
                tree[table].value = start..<index
            }
        }
        return table
    }

    /// Reads `a.b = value`.
    private mutating func entry(in table: Int, depth: Int) {
        var place = table
        for part in keyPath() {
            place = tree.entry(part.name, in: place, key: part.range)
        }
        skipBlanks()
        guard current == UInt8(ascii: "="), place != table else { return }
        index += 1
        skipBlanks()
        value(at: place, depth: depth)
    }

    private mutating func value(at place: Int, depth: Int) {
        let start = index
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): skipString()
        case UInt8(ascii: "[") where depth < Self.maxDepth: array(at: place, depth: depth + 1)
        case UInt8(ascii: "{") where depth < Self.maxDepth: inlineTable(at: place, depth: depth + 1)
        default: skipScalar()
        }
        tree[place].value = start..<index
    }

    private mutating func array(at place: Int, depth: Int) {
        index += 1
        while true {
            skipBlanksAndComments()
            let start = index
            switch current {
            case UInt8(ascii: "]"), 0:
                index = min(index + 1, bytes.count)
                return
            case UInt8(ascii: ","): index += 1
            default:
                if at("}") || at("\u{2028}") || at("\u{2029}") || at("\u{85}") {
                    recordProblem(.noValue, at: start..<start + 1)
                }
                value(at: tree.element(in: place, value: start..<start), depth: depth)
                if index == start { index += 1 }
            }
        }
    }

    private mutating func inlineTable(at place: Int, depth: Int) {
        index += 1
        while true {
            skipBlanksAndComments()
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
            skipBlanks()
            guard let part = keyPart() else { return parts }
            parts.append(part)
            skipBlanks()
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

    /// The value of a basic string, given without its quotes (TOML 1.0, "String").
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

// MARK: - Skipping

extension KeyLocator {
    private mutating func skipBlanks() {
        while current == UInt8(ascii: " ") || current == UInt8(ascii: "\t") { index += 1 }
    }

    /// Skips blanks, line ends and comments.
    private mutating func skipBlanksAndComments() {
        while index < bytes.count {
            switch current {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): index += 1
            case UInt8(ascii: "#"):
                while index < bytes.count, current != UInt8(ascii: "\n") { index += 1 }
            default: return
            }
        }
    }

    /// Skips a number, a date or a boolean, up to the delimiter and without the blanks before it. A date may contain a
    /// blank.
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
            // Up to two further quotes belong to the text; the last three close it.
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
