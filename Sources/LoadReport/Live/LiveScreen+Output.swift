import Glibc

extension LiveScreen.Mode {
    /// What suits an output: `descriptor` 1 or 2 and the program's environment.
    package static func suiting(descriptor: CInt, isQuiet: Bool, environment: [String: String]) -> Self {
        if isQuiet { return .quiet }
        guard let width = TerminalStyle.width(ofTerminal: descriptor), environment["TERM"] != "dumb" else {
            return .lines
        }
        return .terminal(TerminalStyle(terminalWidth: width, environment: environment))
    }
}

extension TerminalStyle {
    /// What suits an output that is written once, from top to bottom.
    package static func suiting(descriptor: CInt, environment: [String: String]) -> TerminalStyle {
        TerminalStyle(terminalWidth: width(ofTerminal: descriptor), environment: environment)
    }

    /// Columns of the terminal behind a descriptor; nil if none is.
    package static func width(ofTerminal descriptor: CInt) -> Int? {
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        // A terminal that does not know its size is 80 columns wide, as terminals were.
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
