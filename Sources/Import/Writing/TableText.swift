import Configuration

/// One table of TOML: its header, then its keys with their values in a column.
struct TableText {
    private let header: String
    private var entries: [(key: String, value: String)] = []

    /// `header`: "[listen]".
    init(_ header: String) {
        self.header = header
    }

    var isEmpty: Bool { entries.isEmpty }

    /// Adds a key with a value as TOML writes it.
    mutating func add(_ key: String, raw value: String?) {
        if let value { entries.append((key, value)) }
    }

    mutating func add(_ key: String, _ text: String?) { add(key, raw: text.map(TOMLText.quoted)) }

    mutating func add(_ key: String, _ number: Int?) { add(key, raw: number.map(TOMLText.integer)) }

    mutating func add(_ key: String, _ duration: Duration?) { add(key, raw: duration.map(Self.value)) }

    /// Adds a key that is written only if it is true.
    mutating func add(_ key: String, _ flag: Bool) { if flag { add(key, raw: "true") } }

    /// Adds a list, unless it is empty.
    mutating func add(_ key: String, list values: [String]) {
        if !values.isEmpty { add(key, raw: Self.list(values.map(TOMLText.quoted))) }
    }

    /// Adds an inline table, unless it is empty.
    mutating func add(_ key: String, table fields: [(key: String, value: String?)]) {
        let present = fields.compactMap { field in field.value.map { "\(field.key) = \($0)" } }
        if !present.isEmpty { add(key, raw: "{ \(present.joined(separator: ", ")) }") }
    }

    static func value(_ duration: Duration) -> String { TOMLText.quoted(DurationText.text(duration)) }

    /// Values in brackets: on one line if it has space for them, else one a line.
    static func list(_ values: [String]) -> String {
        let line = "[\(values.joined(separator: ", "))]"
        let isTable = values.contains { $0.hasPrefix("{") }
        if line.count <= 100, !isTable { return line }
        return "[\n" + values.map { "  \($0),\n" }.joined() + "]"
    }

    var text: String {
        let width = entries.filter { !$0.value.contains("\n") }.map(\.key.count).max() ?? 0
        let lines = entries.map { entry in
            let key = entry.key.padding(to: entry.value.contains("\n") ? 0 : width)
            return "\(key) = \(entry.value)\n"
        }
        return "\(header)\n\(lines.joined())"
    }
}

extension String {
    /// The text with blanks behind it, up to a width.
    func padding(to width: Int) -> String {
        let missing = width - count
        return missing > 0 ? self + String(repeating: " ", count: missing) : self
    }

    /// The text in lines of at most `width` characters, broken at blanks where there are any.
    func wrapped(to width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in split(separator: " ") {
            if line.isEmpty {
                line = String(word)
            } else if line.count + 1 + word.count <= width {
                line += " \(word)"
            } else {
                lines.append(line)
                line = String(word)
            }
        }
        return line.isEmpty ? lines : lines + [line]
    }
}
