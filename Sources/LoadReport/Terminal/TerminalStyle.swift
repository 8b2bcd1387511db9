/// What a terminal can show.
package struct TerminalStyle: Sendable, Equatable {
    /// Escape sequences for colours (ECMA-48 SGR).
    package var colours: Bool
    /// Bars and sparklines of block characters, else of ASCII.
    package var blocks: Bool
    /// Columns. Nothing is drawn wider.
    package var width: Int

    package init(colours: Bool, blocks: Bool, width: Int) {
        self.colours = colours
        self.blocks = blocks
        self.width = width
    }

    /// What the environment says: `NO_COLOR` (no-color.org: any value but the empty one) and `TERM=dumb` mean no
    /// colours, and only a UTF-8 locale gets block characters. `terminalWidth` is nil where the output is not a terminal.
    package init(terminalWidth: Int?, environment: [String: String]) {
        let isDumb = environment["TERM"] == "dumb"
        let refusesColours = !(environment["NO_COLOR"] ?? "").isEmpty
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        let isUTF8 = ["utf-8", "utf8"].contains { locale.lowercased().contains($0) }
        // A file has no columns; 100 is what a pasted table may have.
        self.init(
            colours: terminalWidth != nil && !isDumb && !refusesColours, blocks: isUTF8 || terminalWidth == nil,
            width: min(max(terminalWidth ?? 100, 20), 400))
    }

    /// The text in a tone, if colours are on.
    func tint(_ text: String, _ tone: Tone) -> String {
        guard colours, let code = tone.code, !text.isEmpty else { return text }
        return "\u{1b}[\(code)m\(text)\u{1b}[0m"
    }
}

/// What a piece of text says by its colour. Never the only thing to say it.
enum Tone: Equatable {
    case plain, strong, quiet, good, bad, warning

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
