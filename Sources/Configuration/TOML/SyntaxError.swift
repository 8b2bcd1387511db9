import TOMLKit

/// Why a text is not valid TOML, with the position.
struct SyntaxError: Error {
    var range: Range<Int>
    var message: String
    var reason: String
    var help: String?

    init(range: Range<Int>, message: String, reason: String, help: String? = nil) {
        self.range = range
        self.message = message
        self.reason = reason
        self.help = help
    }

    init(_ problem: KeyLocator.Problem) {
        switch problem.kind {
        case .namelessHeader:
            self.init(
                range: problem.range, message: "a table without a name",
                reason: "the name stands right after the bracket", help: "[listen], [upstream.mcp] or [[route]]")
        case .noValue:
            self.init(
                range: problem.range, message: "no value where a list needs one",
                reason: "a list holds values with commas between them, and ends with \"]\"")
        }
    }

    /// From the parser's error. Common mistakes get a message of their own.
    init(_ error: TOMLParseError, in source: SourceText) {
        let offset = source.offset(line: error.source.begin.line, column: error.source.begin.column)
        let line = source.content(ofLine: source.line(of: offset))
        let known =
            Self.missingQuote(error, in: source, line: line) ?? Self.duplicate(error, in: source, line: line)
            ?? Self.unquotedText(in: source, line: line) ?? Self.otherFormat(in: source, line: line)
        self =
            known
            ?? SyntaxError(
                range: offset..<offset + 1, message: "this is not TOML",
                reason: Self.withoutPreamble(error.description),
                help: Self.help(for: error.description))
    }

    /// A missing closing quote: `key = "value`.
    private static func missingQuote(_ error: TOMLParseError, in source: SourceText, line: Range<Int>) -> SyntaxError? {
        guard error.description.contains("parsing string") else { return nil }
        let quotes = line.filter { source.bytes[$0] == UInt8(ascii: "\"") }
        guard let last = quotes.last, !quotes.count.isMultiple(of: 2) else { return nil }
        return SyntaxError(
            range: last..<line.upperBound, message: "this text lacks a quote",
            reason: "text ends on the line it began on, with a second quote")
    }

    /// A key or a table that is defined twice.
    private static func duplicate(_ error: TOMLParseError, in source: SourceText, line: Range<Int>) -> SyntaxError? {
        guard error.description.contains("cannot redefine existing") else { return nil }
        let text = source.text(line)
        let isHeader = text.trimmingBlanks().hasPrefix("[")
        let name = text.prefix { isHeader ? $0 != "#" : $0 != "=" }.trimmingBlanks()
        let start = line.lowerBound + text.utf8.prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.count
        return SyntaxError(
            range: start..<start + name.utf8.count, message: "\(name) stands twice",
            reason: "a \(isHeader ? "table" : "key") is set in one place only, or one of the two would be lost",
            help: "merge the two, or remove one")
    }

    /// Text without quotes, as in `key = round-robin`: the most common mistake.
    private static func unquotedText(in source: SourceText, line: Range<Int>) -> SyntaxError? {
        guard let equals = source.bytes[line].firstIndex(of: UInt8(ascii: "=")) else { return nil }
        let key = source.text(line.lowerBound..<equals).trimmingBlanks()
        let raw = source.text(equals + 1..<line.upperBound)
        let value = raw.prefix { $0 != "#" }.trimmingBlanks()
        guard let first = value.first, !key.isEmpty, key.allSatisfy({ $0.isLetter || $0 == "_" || $0 == "." }) else {
            return nil
        }
        let looksBare = value.allSatisfy { $0.isLetter || $0.isNumber || "-_./:*%$".contains($0) }
        guard looksBare, first != ".", value != "true", value != "false" else { return nil }
        let start = equals + 1 + raw.utf8.prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.count
        return SyntaxError(
            range: start..<start + value.utf8.count, message: "\(key) = \(value) lacks its quotes",
            reason: "in TOML only numbers, true, false and dates stand without quotes", help: "\(key) = \"\(value)\"")
    }

    /// A line in the syntax of nginx or YAML.
    private static func otherFormat(in source: SourceText, line: Range<Int>) -> SyntaxError? {
        let text = source.text(line)
        let trimmed = text.trimmingBlanks()
        guard !trimmed.contains("="), !trimmed.hasPrefix("["), let last = trimmed.last else { return nil }
        let start = line.lowerBound + text.utf8.prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.count
        let range = start..<start + trimmed.utf8.count
        if (last == ";" || last == "{"), trimmed.contains(" ") {
            return SyntaxError(
                range: range, message: "this line is not TOML", reason: "it reads like nginx's configuration",
                help: "settings are written key = value under a [table], without braces or semicolons")
        }
        if let colon = trimmed.firstIndex(of: ":"), trimmed[..<colon].allSatisfy({ $0.isLetter || $0 == "_" }) {
            return SyntaxError(
                range: range, message: "this line is not TOML", reason: "it reads like YAML",
                help: "settings are written key = value under a [table]")
        }
        return nil
    }

    /// The parser's message without its preamble.
    private static func withoutPreamble(_ description: String) -> String {
        let marker = "Error while parsing "
        guard description.hasPrefix(marker) else { return description }
        let rest = description.dropFirst(marker.count)
        guard let colon = rest.firstIndex(of: ":") else { return String(rest) }
        let subject = rest[..<colon]
        let complaint = rest[rest.index(after: colon)...].trimmingBlanks()
        return "\(complaint) (in a \(subject))"
    }

    private static func help(for description: String) -> String? {
        if description.contains("string"), description.contains("end-of-file") || description.contains("line") {
            return "is a closing quote missing?"
        }
        return nil
    }
}

extension StringProtocol {
    /// The text without spaces, tabs and line ends at both ends.
    func trimmingBlanks() -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0.isNewline }
        guard let start = firstIndex(where: { !isBlank($0) }), let end = lastIndex(where: { !isBlank($0) }) else {
            return ""
        }
        return String(self[start...end])
    }
}
