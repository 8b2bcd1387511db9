/// A line of the source: a directive with its words, or the head of a block.
struct Statement: Sendable, Equatable {
    /// Its number, from 0 in the order of reading, over all files.
    let id: Int
    /// The file as it is shown.
    let file: String
    /// The line, from 1.
    let line: Int
    /// As it is written, on one line, with secrets hidden.
    let text: String

    /// The longest text that is shown of one.
    static let longestText = 72

    init(id: Int, file: String, line: Int, text: String, secrets: [String] = []) {
        self.id = id
        self.file = file
        self.line = line
        let shown = secrets.reduce(Self.onOneLine(text)) { $0.replacing($1, with: "...") }
        self.text = shown.count > Self.longestText ? shown.prefix(Self.longestText - 3) + "..." : shown
    }

    /// Where it stands, for messages.
    var place: String { "\(file):\(line)" }

    /// A text without line breaks and control characters, which a comment of TOML may not have.
    static func onOneLine(_ text: String) -> String {
        var shown = ""
        var isBlank = false
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || scalar.value == 0x7f || (0x80..<0xa0).contains(scalar.value)
            guard !isControl, scalar != " ", scalar.value != 0x2028, scalar.value != 0x2029 else {
                isBlank = !shown.isEmpty
                continue
            }
            if isBlank { shown.append(" ") }
            isBlank = false
            shown.unicodeScalars.append(scalar)
        }
        return shown
    }
}
