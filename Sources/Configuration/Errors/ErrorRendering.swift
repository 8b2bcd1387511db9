extension ConfigurationErrors {
    /// All errors rendered, with a blank line between two.
    package var description: String {
        let text = SourceText(source, file: "")
        return errors.map { $0.rendered(in: text) }.joined(separator: "\n")
    }
}

extension ConfigurationError {
    /// The width at which reasons are wrapped.
    private static let width = 120

    /// The error with its line, carets below it, the reason and the help; ends with a newline.
    package func rendered(source: String) -> String {
        rendered(in: SourceText(source, file: file))
    }

    func rendered(in source: SourceText) -> String {
        guard line > 0 else {
            return "\(file): \(severity): \(message)\n  \(reason)\n\(helpLine)"
        }
        return
            "\(file):\(line):\(column): \(severity): \(message)\n\(length > 0 ? excerpt(source) : reasonOnly)\(helpLine)"
    }

    private var severity: String { isWarning ? "warning" : "error" }

    private var helpLine: String { help.map { "help: \($0)\n" } ?? "" }

    /// The reason without a line of the file.
    private var reasonOnly: String {
        wrapped(first: "  | ".count, following: "  | ".count).map { "  | \($0)\n" }.joined()
    }

    private func excerpt(_ source: SourceText) -> String {
        let shown = source.text(source.content(ofLine: line))
        let gutter = String(repeating: " ", count: String(line).count + 2)
        // Tabs are kept, so that the carets are below the right characters.
        let lead = String(
            String.UnicodeScalarView(shown.unicodeScalars.prefix(column - 1).map { $0 == "\t" ? $0 : " " }))
        let carets = String(repeating: "^", count: length)
        let indent = gutter.count + 3 + lead.unicodeScalars.count
        var text = "  \(line) | \(shown)\n"
        // With less than 40 columns beside the carets, the reason goes below them.
        let isBeside = indent + length + 1 + 40 <= Self.width
        let below = isBeside ? lead : String(repeating: " ", count: min(lead.unicodeScalars.count, 8))
        let following = gutter.count + 3 + below.count
        var lines = wrapped(first: isBeside ? indent + length + 1 : following, following: following)
        text += "\(gutter) | \(lead)\(carets)"
        text += isBeside ? " \(lines.removeFirst())\n" : "\n"
        return text + lines.map { "\(gutter) | \(below)\($0)\n" }.joined()
    }

    /// The reason in lines. `first`, `following`: the columns at which the first and the other lines begin.
    private func wrapped(first: Int, following: Int) -> [String] {
        var lines = [""]
        for word in reason.split(separator: " ") {
            let start = lines.count == 1 ? first : following
            let current = lines[lines.count - 1]
            if !current.isEmpty, start + current.count + 1 + word.count > Self.width {
                lines.append(String(word))
            } else {
                lines[lines.count - 1] = current.isEmpty ? String(word) : "\(current) \(word)"
            }
        }
        return lines
    }
}
