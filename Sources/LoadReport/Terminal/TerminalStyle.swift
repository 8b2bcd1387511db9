/// What the output can display.
package struct TerminalStyle: Sendable, Equatable {
    /// Whether colours are used (ECMA-48 SGR).
    package var colours: Bool
    /// Whether bars and sparklines are made of block characters; otherwise of ASCII.
    package var blocks: Bool
    /// The width in columns: 20 to 400.
    package var width: Int

    /// A style with the given properties.
    package init(colours: Bool, blocks: Bool, width: Int) {
        self.colours = colours
        self.blocks = blocks
        self.width = width
    }

    /// The style for an environment: `NO_COLOR` (no-color.org: any value but the empty one) and `TERM=dumb` disable
    /// colours, and block characters need a UTF-8 locale. `terminalWidth`: nil if the output is not a terminal.
    package init(terminalWidth: Int?, environment: [String: String]) {
        let isDumb = environment["TERM"] == "dumb"
        let refusesColours = !(environment["NO_COLOR"] ?? "").isEmpty
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        let isUTF8 = ["utf-8", "utf8"].contains { locale.lowercased().contains($0) }
        // A file has no width; 100 columns suit a table that is pasted.
        self.init(
            colours: terminalWidth != nil && !isDumb && !refusesColours, blocks: isUTF8 || terminalWidth == nil,
            width: min(max(terminalWidth ?? 100, 20), 400))
    }

    /// The text in the colour of its tone, if colours are used.
    package func tint(_ text: String, _ tone: Tone) -> String {
        guard colours, let code = tone.code, !text.isEmpty else { return text }
        return "\u{1b}[\(code)m\(text)\u{1b}[0m"
    }
}

/// The meaning of a text's colour. The text itself must carry the same meaning.
package enum Tone: Equatable {
    case plain, strong, quiet, good, bad, warning

    /// The parameters of its SGR sequence; nil for none.
    var code: String? {
        switch self {
        case .plain: nil
        case .strong: "1"
        case .quiet: "2"
        case .good: "32"
        case .bad: "1;31"
        case .warning: "33"
        }
    }
}
