/// Writes what has become of the lines of a block as comments.
///
///     # nginx.conf:19  location /sse
///     #    20  kept      proxy_pass http://mcp;
///     #    21  default   proxy_buffering off;               events are forwarded at once
///     #    22  REPAIRED  proxy_read_timeout 60s;
///     #                  An event stream that is silent for so long is cut. ...
struct NoteWriter {
    let notes: NoteBook
    private static let width = 120
    /// The widest text beside which a reason may stand.
    private static let widestText = 52

    /// One line of the source, or something that it does not say.
    private struct Line {
        var place: String
        var text: String
        var entry: NoteBook.Entry
    }

    /// The comments of a block, ending with a line break.
    func text(_ block: SourceBlock) -> String {
        let heading = "# \(block.heading.place)  \(block.heading.text)\n"
        let said = notes.isNoted(block.heading) && !notes.entry(of: block.heading).reason.isEmpty
        let headingReason = said ? line(headingLine(block), places: 0, texts: 0, isHeading: true) : ""
        let lines = lines(block)
        let places = max(5, lines.map(\.place.count).max() ?? 0)
        let texts =
            lines.filter { Self.hasShortReason($0.entry) && $0.text.count <= Self.widestText }
            .map(\.text.count).max() ?? 0
        return heading + headingReason
            + lines.map { line($0, places: places, texts: texts, isHeading: false) }.joined()
    }

    private func lines(_ block: SourceBlock) -> [Line] {
        let stated = block.statements.map { statement in
            let isElsewhere = statement.file != block.heading.file
            return Line(
                place: isElsewhere ? statement.place : "\(statement.line)", text: statement.text,
                entry: notes.entry(of: statement))
        }
        return stated + notes.additions(to: block.heading).map { Line(place: "-", text: "", entry: $0) }
    }

    private func headingLine(_ block: SourceBlock) -> Line {
        Line(place: "", text: "", entry: notes.entry(of: block.heading))
    }

    /// Whether a reason may stand at the end of its line.
    private static func hasShortReason(_ entry: NoteBook.Entry) -> Bool {
        entry.verdict < .repaired && !entry.reason.isEmpty
    }

    private func line(_ line: Line, places: Int, texts: Int, isHeading: Bool) -> String {
        let verdict = line.entry.verdict.word.padding(to: 8)
        let indent = isHeading ? "" : String(repeating: " ", count: max(0, places - line.place.count)) + line.place
        let start = isHeading ? "#  \(verdict)" : "# \(indent)  \(verdict)  \(line.text)"
        let reason = line.entry.reason
        guard !reason.isEmpty else { return Self.trimmed(start) + "\n" }
        if Self.hasShortReason(line.entry), !line.text.isEmpty {
            let padded = start.padding(to: "# \(indent)  \(verdict)  ".count + max(texts, line.text.count))
            if padded.count + 2 + reason.count <= Self.width { return "\(padded)  \(reason)\n" }
        }
        let margin = isHeading ? "#            " : "# " + String(repeating: " ", count: max(places, indent.count) + 12)
        let wrapped = Self.sentence(reason).wrapped(to: Self.width - margin.count)
        if line.text.isEmpty {
            let first = isHeading ? start + "  " : start
            return ([first + (wrapped.first ?? "")] + wrapped.dropFirst().map { margin + $0 }).joined(separator: "\n")
                + "\n"
        }
        return start + "\n" + wrapped.map { "\(margin)\($0)\n" }.joined()
    }

    /// A reason that stands by itself: with a capital and a period.
    static func sentence(_ reason: String) -> String {
        guard let first = reason.first else { return "" }
        // A key or a directive at the beginning is written as it is, and so is nginx.
        let word = reason.prefix { $0 != " " }
        let isName =
            word == "nginx" || reason.dropFirst(word.count).hasPrefix(" =") || word.hasSuffix(":")
            || word.contains { !$0.isLetter && $0 != "," && $0 != "'" && $0 != "-" }
        let end = reason.hasSuffix(".") || reason.hasSuffix("?") ? "" : "."
        return (isName ? String(first) : first.uppercased()) + reason.dropFirst() + end
    }

    private static func trimmed(_ text: String) -> String {
        var text = Substring(text)
        while text.last == " " { text = text.dropLast() }
        return String(text)
    }
}
