package import Kernel

/// Shows a running demo: a table that is redrawn in place on a terminal, else a line a second.
package struct DemoScreen {
    private let isTerminal: Bool
    private let write: (String) -> Void
    private var linesShown = 0

    /// `write` gets text as it is to appear, newlines included.
    package init(isTerminal: Bool, write: @escaping (String) -> Void) {
        self.isTerminal = isTerminal
        self.write = write
    }

    /// Shows `client` every second until a signal comes, or for so many seconds. Returns what was counted by then; the
    /// client goes on.
    package mutating func watch(
        _ client: DemoClient, until signals: borrowing Signals, seconds: Int?
    ) -> DemoFigures {
        let start = Instant.now()
        let end = seconds.map { start + .seconds(UInt64(max(0, $0))) } ?? .never
        var next = start
        while true {
            next = min(next + .seconds(1), end)
            let left = next - Instant.now()
            if signals.wait(milliseconds: CInt(clamping: left.nanoseconds / 1_000_000)) != nil { break }
            show(client.figures)
            if Instant.now() >= end { break }
        }
        return client.figures
    }

    /// One picture. Over the last one on a terminal.
    package mutating func show(_ figures: DemoFigures) {
        guard isTerminal else { return write(DemoTable.line(figures) + "\n") }
        let table = DemoTable.render(figures)
        // Cursor up, then clear to the end of the screen (ECMA-48 CUU, ED).
        let rewind = linesShown == 0 ? "" : "\u{1b}[\(linesShown)A\u{1b}[J"
        linesShown = table.utf8.count { $0 == UInt8(ascii: "\n") }
        write(rewind + table)
    }

    /// The last word: the whole table, whatever the output is.
    package mutating func summarize(_ figures: DemoFigures) {
        if isTerminal { show(figures) } else { write(DemoTable.render(figures)) }
    }
}
