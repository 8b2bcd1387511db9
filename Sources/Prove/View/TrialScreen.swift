package import LoadReport

/// Prints a trial while it goes on. On a terminal events scroll by above a table that is redrawn in place; otherwise
/// there is a line for each event, and one for the figures every few seconds.
package struct TrialScreen {
    private let mode: LiveScreen.Mode
    private let write: (String) -> Void
    private var screen: LiveScreen
    private var next = 0.0

    /// `write` prints text unchanged, newlines and escape sequences included.
    package init(_ mode: LiveScreen.Mode, write: @escaping (String) -> Void) {
        self.mode = mode
        self.write = write
        screen = LiveScreen(mode, write: write)
    }

    /// What lines are coloured with.
    package var style: TerminalStyle {
        if case .terminal(let style) = mode { style } else { TerminalStyle(colours: false, blocks: true, width: 100) }
    }

    /// Prints something that happened.
    package mutating func tell(_ text: String, at seconds: Double) {
        guard mode != .quiet else { return }
        screen.clear()
        let time = NumberFormat.fixed(seconds, 1).rightAligned(in: 6) + " s  "
        for (index, line) in text.sanitized.wrapped(to: max(20, style.width - time.count)).enumerated() {
            let start = index == 0 && !text.hasPrefix(" ") ? time : String(repeating: " ", count: time.count)
            write(style.tint(start, .quiet) + line + "\n")
        }
        // The table is gone until the next update.
        if case .terminal = mode { next = 0 }
    }

    /// Prints the status if an update is due. `status` is made only then.
    package mutating func show(at seconds: Double, _ status: () -> TrialStatus) {
        guard seconds >= next else { return }
        switch mode {
        case .terminal(let style):
            screen.redraw(TrialView.text(status(), style: style))
            next = seconds + 0.2
        case .lines:
            if seconds >= 1 { write(TrialView.line(status()) + "\n") }
            next = seconds + 5
        case .quiet: next = seconds + 60
        }
    }

    /// Erases the table, and prints a text that stays.
    package mutating func finish(_ text: String) {
        screen.clear()
        write(text)
    }
}
