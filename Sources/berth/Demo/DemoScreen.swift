package import Kernel

/// Prints the statistics of a running demo: a table that is redrawn in place on a terminal, otherwise a line a second.
package struct DemoScreen {
    private let isTerminal: Bool
    private let write: (String) -> Void
    private var linesShown = 0

    /// `write` prints text unchanged, newlines included.
    package init(isTerminal: Bool, write: @escaping (String) -> Void) {
        self.isTerminal = isTerminal
        self.write = write
    }

    /// Prints the client's statistics every second until a signal is received or `seconds` have passed. Returns the
    /// last statistics. Does not stop the client.
    package mutating func watch(
        _ client: DemoClient, until signals: borrowing Signals, seconds: Int?
    ) -> DemoStatistics {
        let start = Instant.now()
        let end = seconds.map { start + .seconds(UInt64(max(0, $0))) } ?? .never
        var next = start
        while true {
            next = min(next + .seconds(1), end)
            let left = next - Instant.now()
            if signals.wait(milliseconds: CInt(clamping: left.nanoseconds / 1_000_000)) != nil { break }
            show(client.statistics)
            if Instant.now() >= end { break }
        }
        return client.statistics
    }

    /// Prints the statistics; on a terminal in place of the last ones.
    package mutating func show(_ statistics: DemoStatistics) {
        guard isTerminal else { return write(DemoTable.line(statistics) + "\n") }
        let table = DemoTable.render(statistics)
        // Cursor up, then clear to the end of the screen (ECMA-48 CUU, ED).
        let rewind = linesShown == 0 ? "" : "\u{1b}[\(linesShown)A\u{1b}[J"
        linesShown = table.utf8.count { $0 == UInt8(ascii: "\n") }
        write(rewind + table)
    }

    /// Prints the final table.
    package mutating func summarize(_ statistics: DemoStatistics) {
        if isTerminal { show(statistics) } else { write(DemoTable.render(statistics)) }
    }
}
