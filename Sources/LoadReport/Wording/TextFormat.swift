extension String {
    /// Fit for a terminal's line: no control characters, no escape sequences, no marks that turn the reading direction.
    /// Names, addresses and errors come from servers, and a terminal obeys what it is sent.
    var plain: String {
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

    /// At most so many characters, the last of them a sign that there were more.
    func cut(to width: Int) -> String {
        count <= width ? self : width <= 0 ? "" : prefix(width - 1) + "…"
    }

    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    func rightAligned(in width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }

    /// In lines of at most so many characters, broken between words where it can be.
    func wrapped(to width: Int) -> [String] {
        let width = max(1, width)
        var lines = [""]
        for word in split(separator: " ") {
            var rest = Substring(word)
            while !rest.isEmpty {
                let used = lines[lines.count - 1].count
                let room = used == 0 ? width : width - used - 1
                if rest.count <= room || used == 0 {
                    lines[lines.count - 1] += (used == 0 ? "" : " ") + rest.prefix(room)
                    rest = rest.dropFirst(room)
                }
                if !rest.isEmpty { lines.append("") }
            }
        }
        return lines
    }
}
