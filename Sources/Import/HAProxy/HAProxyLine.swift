import Configuration

/// One line of HAProxy's configuration that says something.
struct HAProxyLine: Sendable {
    let statement: Statement
    let words: [String]

    var keyword: String { words[0] }
    /// The word at a place; empty if there is none.
    subscript(place: Int) -> String { place < words.count ? words[place] : "" }
    /// The words from a place on.
    func words(from place: Int) -> [String] { Array(words.dropFirst(place)) }
    /// The word behind another; nil if it does not stand here, or nothing behind it.
    func value(_ name: String) -> String? {
        guard let index = words.firstIndex(of: name), index + 1 < words.count else { return nil }
        return words[index + 1]
    }
    func has(_ word: String) -> Bool { words.contains(word) }
}

/// A section: a line that names it, and the lines below.
struct HAProxySection: Sendable {
    let head: HAProxyLine
    var lines: [HAProxyLine] = []

    var kind: String { head.keyword }
    var name: String { head[1] }
    var sourceBlock: SourceBlock { SourceBlock(heading: head.statement, statements: lines.map(\.statement)) }

    /// The lines that begin with these words.
    func all(_ words: String...) -> [HAProxyLine] { lines.filter { $0.words.starts(with: words) } }
}

/// Reads HAProxy's configuration: words with quotes and escapes, comments, sections.
struct HAProxyParser {
    static let sectionNames: Set<String> = [
        "global", "defaults", "frontend", "backend", "listen", "peers", "resolvers", "cache", "program", "userlist",
        "mailers", "http-errors", "ring", "log-forward", "fcgi-app", "crt-store", "traces", "acme", "log-profile",
    ]

    private let bytes: [UInt8]
    private let errors: SourceError
    private var position = 0
    private var line = 1

    private init(_ bytes: [UInt8], file: String) {
        self.bytes = bytes
        errors = SourceError(file: file, bytes: bytes)
    }

    /// The sections of a file. Throws an error with its place if it cannot be read as HAProxy reads it.
    static func parse(_ bytes: [UInt8], file: String) throws(ConfigurationErrors) -> [HAProxySection] {
        var parser = HAProxyParser(bytes, file: file)
        guard bytes.count <= SourceLimits.fileBytes else {
            throw parser.errors.whole("too large", because: "a configuration has at most 1 MiB")
        }
        try parser.errors.rejectNUL()
        return try parser.sections()
    }

    private mutating func sections() throws(ConfigurationErrors) -> [HAProxySection] {
        var sections: [HAProxySection] = []
        var count = 0
        while position < bytes.count {
            let start = position
            let number = line
            let words = try words()
            guard let first = words.first else { continue }
            count += 1
            guard count <= SourceLimits.statements else {
                throw errors.whole("too many lines", because: "at most \(SourceLimits.statements) are read")
            }
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            var raw = String(decoding: bytes[start..<min(end, position)], as: UTF8.self)
            if let comment = raw.firstRange(of: " #") { raw = String(raw[..<comment.lowerBound]) }
            let statement = Statement(
                id: count, file: errors.file, line: number, text: raw, secrets: HAProxySecrets.values(in: words))
            let line = HAProxyLine(statement: statement, words: words)
            if Self.sectionNames.contains(first) {
                sections.append(HAProxySection(head: line))
            } else if sections.isEmpty {
                let column = bytes[start...].firstIndex { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") } ?? start
                throw errors.at(
                    column, length: first.utf8.count, "\(TOMLText.quoted(first)) stands in no section",
                    because: "HAProxy's configuration begins with a section such as global, defaults or frontend",
                    help: first.hasSuffix("{") || first == "server" ? "is it nginx's? --format nginx" : nil)
            } else {
                sections[sections.count - 1].lines.append(line)
            }
        }
        return sections
    }

    /// The words of the next line, which ends with a line break or the file.
    private mutating func words() throws(ConfigurationErrors) -> [String] {
        var words: [String] = []
        var word: [UInt8] = []
        var isInWord = false
        func isBlank(_ byte: UInt8) -> Bool {
            byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
        }
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\n"):
                line += 1
                if isInWord { words.append(String(decoding: word, as: UTF8.self)) }
                return words
            case UInt8(ascii: "#"):
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
            case UInt8(ascii: "\\"):
                isInWord = true
                escape(into: &word)
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                isInWord = true
                try quoted(byte, into: &word)
            case _ where isBlank(byte):
                if isInWord { words.append(String(decoding: word, as: UTF8.self)) }
                (word, isInWord) = ([], false)
            default:
                isInWord = true
                word.append(byte)
            }
            guard words.count <= SourceLimits.words else {
                throw errors.at(
                    position, "this line has too many words", because: "at most \(SourceLimits.words) are read")
            }
        }
        if isInWord { words.append(String(decoding: word, as: UTF8.self)) }
        return words
    }

    private mutating func escape(into word: inout [UInt8]) {
        guard position < bytes.count, bytes[position] != UInt8(ascii: "\n") else {
            word.append(UInt8(ascii: "\\"))
            return
        }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "n"): word.append(UInt8(ascii: "\n"))
        case UInt8(ascii: "r"): word.append(UInt8(ascii: "\r"))
        case UInt8(ascii: "t"): word.append(UInt8(ascii: "\t"))
        case UInt8(ascii: " "), UInt8(ascii: "#"), UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"):
            word.append(byte)
        default: word += [UInt8(ascii: "\\"), byte]
        }
    }

    private mutating func quoted(_ quote: UInt8, into word: inout [UInt8]) throws(ConfigurationErrors) {
        let start = position - 1
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n") {
            let byte = bytes[position]
            position += 1
            if byte == quote { return }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                escape(into: &word)
            } else {
                word.append(byte)
            }
        }
        throw errors.at(start, "this quote is never closed", because: "a text in quotes ends in its line")
    }
}

/// Words of lines that are no business of a file of comments.
enum HAProxySecrets {
    private static let names = ["authorization", "api-key", "apikey", "api_key", "token", "secret", "passw", "cookie"]

    static func values(in words: [String]) -> [String] {
        if let place = words.firstIndex(where: { ["password", "insecure-password", "auth"].contains($0) }),
            place + 1 < words.count, ["user", "stats"].contains(words[0])
        {
            return [words[place + 1]]
        }
        let field = words.firstIndex { word in
            let isField = word.contains("hdr(") || word.contains("cook(") || word.contains("param(")
            return isField && isSecret(word)
        }
        let set = words.count > 3 && words[1].hasSuffix("-header") && isSecret(words[2]) ? 2 : nil
        guard let place = field ?? set else { return [] }
        return words.dropFirst(place + 1).filter { word in
            word.utf8.count >= 4 && !word.hasPrefix("-") && !word.hasPrefix("%[")
                && !["unless", "found"].contains(word)
        }
    }

    private static func isSecret(_ word: String) -> Bool { names.contains(where: word.lowercased().contains) }
}
