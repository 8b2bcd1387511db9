import Glibc

extension LiveScreen.Mode {
    /// The mode for an output. `descriptor`: 1 or 2. `environment`: that of the program.
    package static func forOutput(descriptor: CInt, isQuiet: Bool, environment: [String: String]) -> Self {
        if isQuiet { return .quiet }
        guard let width = TerminalStyle.width(ofTerminal: descriptor), environment["TERM"] != "dumb" else {
            return .lines
        }
        return .terminal(TerminalStyle(terminalWidth: width, environment: environment))
    }
}

extension TerminalStyle {
    /// The style for an output that is not redrawn. `descriptor`: 1 or 2.
    package static func forOutput(descriptor: CInt, environment: [String: String]) -> TerminalStyle {
        TerminalStyle(terminalWidth: width(ofTerminal: descriptor), environment: environment)
    }

    /// The width in columns of the terminal that `descriptor` refers to; nil if it is not a terminal.
    package static func width(ofTerminal descriptor: CInt) -> Int? {
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        // 80 columns if the terminal does not know its size.
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
