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
}
