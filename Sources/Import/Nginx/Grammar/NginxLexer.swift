import Configuration

/// Reads the words of nginx's configuration: quotes, escapes, comments and `${variables}` as nginx's own reader does.
struct NginxLexer {
    struct Word: Equatable {
        /// Without quotes, escapes resolved.
        var text: String
        var isQuoted: Bool
        /// The byte that it begins with.
        var start: Int
        /// The byte behind it.
        var end: Int
    }

    enum Token: Equatable {
        case word(Word)
        /// ";" at a byte.
        case semicolon(Int)
        /// "{" at a byte.
        case open(Int)
        /// "}" at a byte.
        case close(Int)
        case end
    }

    let bytes: [UInt8]
    let errors: SourceError
    private(set) var position = 0

    init(_ bytes: [UInt8], file: String) {
        self.bytes = bytes
        errors = SourceError(file: file, bytes: bytes)
        // A byte order mark, as editors of Windows write it.
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
            || byte == UInt8(ascii: "\n")
    }

    private mutating func skipBlanksAndComments() {
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "#") {
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
            } else if Self.isBlank(bytes[position]) {
                position += 1
            } else {
                return
            }
        }
    }

    mutating func next() throws(ConfigurationErrors) -> Token {
        skipBlanksAndComments()
        guard position < bytes.count else { return .end }
        let start = position
        switch bytes[position] {
        case UInt8(ascii: ";"):
            position += 1
            return .semicolon(start)
        case UInt8(ascii: "{"):
            position += 1
            return .open(start)
        case UInt8(ascii: "}"):
            position += 1
            return .close(start)
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .word(try quoted())
        default: return .word(plain())
        }
    }

    private mutating func quoted() throws(ConfigurationErrors) -> Word {
        let start = position
        let quote = bytes[position]
        position += 1
        while position < bytes.count, bytes[position] != quote {
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position < bytes.count else {
            position = bytes.count
            throw errors.at(
                start, "this quote is never closed", because: "the text reaches to the end of the file",
                help: "close it with \(quote == UInt8(ascii: "'") ? "'" : "\"")")
        }
        let text = Self.unescaped(bytes[(start + 1)..<position])
        position += 1
        if position < bytes.count {
            let next = bytes[position]
            let mayFollow =
                Self.isBlank(next) || next == UInt8(ascii: ";") || next == UInt8(ascii: "{")
                || next == UInt8(ascii: ")")
            guard mayFollow else {
                throw errors.at(
                    position, "this cannot follow a closing quote",
                    because: "behind a text in quotes come a blank, \";\" or \"{\"")
            }
            // "if ($x = "y")": the parenthesis is a word of its own, which means nothing.
            if next == UInt8(ascii: ")") { position += 1 }
        }
        return Word(text: text, isQuoted: true, start: start, end: position)
    }

    private mutating func plain() -> Word {
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\\") {
                position += 2
                continue
            }
            if byte == UInt8(ascii: "$"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "{") {
                position += 2
                continue
            }
            if Self.isBlank(byte) || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "{") { break }
            position += 1
        }
        position = min(position, bytes.count)
        return Word(text: Self.unescaped(bytes[start..<position]), isQuoted: false, start: start, end: position)
    }

    /// Only quotes, backslashes and three letters are escaped; any other backslash stands for itself.
    private static func unescaped(_ raw: ArraySlice<UInt8>) -> String {
        guard raw.contains(UInt8(ascii: "\\")) else { return String(decoding: raw, as: UTF8.self) }
        var result: [UInt8] = []
        var index = raw.startIndex
        while index < raw.endIndex {
            guard raw[index] == UInt8(ascii: "\\"), index + 1 < raw.endIndex else {
                result.append(raw[index])
                index += 1
                continue
            }
            switch raw[index + 1] {
            case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"): result.append(raw[index + 1])
            case UInt8(ascii: "t"): result.append(UInt8(ascii: "\t"))
            case UInt8(ascii: "r"): result.append(UInt8(ascii: "\r"))
            case UInt8(ascii: "n"): result.append(UInt8(ascii: "\n"))
            default: result += [raw[index], raw[index + 1]]
            }
            index += 2
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Skips what is between braces in another language, to behind the closing one. The opening one has been read.
    mutating func skipForeignBlock(from open: Int) throws(ConfigurationErrors) {
        var depth = 1
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "}"): depth -= 1
            default: break
            }
            position += 1
            if depth == 0 { return }
        }
        throw errors.at(open, "this block is never closed", because: "the file ends within it")
    }
}
