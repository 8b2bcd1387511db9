/// Prints the status of a run while it goes on: redrawn in place on a terminal, as a line a second otherwise, or not at
/// all.
package struct LiveScreen {
    /// How the status is printed.
    package enum Mode: Sendable, Equatable {
        /// Redrawn in place.
        case terminal(TerminalStyle)
        /// A line a second, for pipes and logs.
        case lines
        /// Not at all.
        case quiet
    }

    private let mode: Mode
    private let write: (String) -> Void
    private var linesShown = 0
    private var next = 0.0

    /// `write` prints text unchanged, newlines and escape sequences included. It is called once for each status.
    package init(_ mode: Mode, write: @escaping (String) -> Void) {
        self.mode = mode
        self.write = write
    }

    /// Seconds between two updates; nil if there are none.
    package var interval: Double? {
        switch mode {
        case .terminal: 0.125
        case .lines: 1
        case .quiet: nil
        }
    }

    /// Whether an update is due. `seconds`: the time of any monotonic clock. After true the caller must call `show`;
    /// the next update is due an interval later.
    package mutating func isDue(at seconds: Double) -> Bool {
        guard let interval, seconds >= next else { return false }
        next = seconds + interval
        return true
    }

    /// Prints the status; on a terminal in place of the last one.
    package mutating func show(_ status: LiveStatus) {
        switch mode {
        case .terminal(let style): redraw(LiveView.text(status, style: style))
        case .lines: write(LiveView.line(status) + "\n")
        case .quiet: break
        }
    }

    /// Prints a text of whole lines in place of the last one.
    package mutating func redraw(_ text: String) {
        // Cursor up (ECMA-48 CUU). Each line then erases to its right (EL) and the last one below (ED). Erasing all
        // first would make the terminal flicker.
        let rewind = linesShown == 0 ? "" : "\u{1b}[\(linesShown)A"
        linesShown = text.utf8.count { $0 == UInt8(ascii: "\n") }
        write(rewind + text.replacing("\n", with: "\u{1b}[K\n") + "\u{1b}[J")
    }

    /// Erases the last status from a terminal.
    package mutating func clear() {
        guard linesShown > 0 else { return }
        write("\u{1b}[\(linesShown)A\u{1b}[J")
        linesShown = 0
    }
}
