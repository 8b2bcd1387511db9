/// Shows moments of a run as they come: redrawn in place on a terminal, else a line a second, or not at all.
package struct LiveScreen {
    package enum Mode: Sendable, Equatable {
        /// Redrawn in place.
        case terminal(TerminalStyle)
        /// A line a second, for pipes and logs.
        case lines
        case quiet
    }

    private let mode: Mode
    private let write: (String) -> Void
    private var linesShown = 0
    private var next = 0.0

    /// `write` gets text as it is to appear, newlines and escape sequences included, one picture a call.
    package init(_ mode: Mode, write: @escaping (String) -> Void) {
        self.mode = mode
        self.write = write
    }

    /// Seconds between two pictures worth having; nil where none is wanted.
    package var interval: Double? {
        switch mode {
        case .terminal: 0.125
        case .lines: 1
        case .quiet: nil
        }
    }

    /// Whether it is time for a picture, at so many seconds of any clock that goes one way. Whoever asks and is told
    /// yes has to show one: the next is due an interval later.
    package mutating func isDue(at seconds: Double) -> Bool {
        guard let interval, seconds >= next else { return false }
        next = seconds + interval
        return true
    }

    /// One picture, over the last one on a terminal.
    package mutating func show(_ moment: LiveMoment) {
        switch mode {
        case .terminal(let style):
            let picture = LiveView.picture(moment, style: style)
            // Cursor up (ECMA-48 CUU); each line then clears what the last picture left to its right (EL), and the last
            // what it left below (ED). Cleared first, a terminal would flicker.
            let rewind = linesShown == 0 ? "" : "\u{1b}[\(linesShown)A"
            linesShown = picture.utf8.count { $0 == UInt8(ascii: "\n") }
            write(rewind + picture.replacing("\n", with: "\u{1b}[K\n") + "\u{1b}[J")
        case .lines: write(LiveView.line(moment) + "\n")
        case .quiet: break
        }
    }

    /// Takes the picture away, for what is to stand in its place.
    package mutating func clear() {
        guard linesShown > 0 else { return }
        write("\u{1b}[\(linesShown)A\u{1b}[J")
        linesShown = 0
    }
}
