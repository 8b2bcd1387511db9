extension String {
    /// The text with control characters, and so escape sequences, and bidirectional marks replaced by a dot. Names and
    /// errors come from servers and could otherwise control the terminal.
    package var sanitized: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
                        "\u{B7}"
                    default: scalar
                    }
                }))
    }

    /// At most `width` characters; ends with `…` if it was cut.
    package func cut(to width: Int) -> String {
        count <= width ? self : width <= 0 ? "" : prefix(width - 1) + "…"
    }

    /// The text with spaces after it up to `width`.
    package func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    /// The text with spaces before it up to `width`.
    package func rightAligned(in width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }

    /// The text in lines of at most `width` characters, broken between words if possible.
    package func wrapped(to width: Int) -> [String] {
        let width = max(1, width)
        var lines = [""]
        for word in split(separator: " ") {
            var rest = Substring(word)
            while !rest.isEmpty {
                let used = lines[lines.count - 1].count
                let space = used == 0 ? width : width - used - 1
                if rest.count <= space || used == 0 {
                    lines[lines.count - 1] += (used == 0 ? "" : " ") + rest.prefix(space)
                    rest = rest.dropFirst(space)
                }
                if !rest.isEmpty { lines.append("") }
            }
        }
        return lines
    }
}
