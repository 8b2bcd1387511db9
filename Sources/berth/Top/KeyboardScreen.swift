import FoundationEssentials
import Glibc
import Kernel
import LoadReport

/// A terminal of one's own for a while: the whole screen, and keys as they are pressed. `restore` gives it back.
struct KeyboardScreen {
    /// What was pressed.
    enum Key: Equatable {
        case character(Character)
        case up, down
        /// Ctrl-C, which is a key here and no signal.
        case interrupt
    }

    private let before: termios
    private let input: CInt = 0
    private let output: CInt = 1

    /// Takes the terminal; nil if input or output is none.
    init?() {
        var settings = termios()
        guard isatty(0) == 1, isatty(1) == 1, tcgetattr(0, &settings) == 0 else { return nil }
        before = settings
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        // A read returns at once with what there is.
        settings.c_cc.6 = 0
        settings.c_cc.5 = 0
        guard tcsetattr(0, TCSANOW, &settings) == 0 else { return nil }
        // Another screen (DECSET 1049), without a cursor (DECRST 25).
        Self.write("\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J")
    }

    /// Gives the terminal back as it was.
    func restore() {
        Self.write("\u{1b}[?25h\u{1b}[?1049l")
        var settings = before
        tcsetattr(input, TCSANOW, &settings)
    }

    /// Rows and columns.
    var size: (rows: Int, columns: Int) {
        var size = winsize()
        guard ioctl(output, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (24, 80) }
        return (Int(size.ws_row), Int(size.ws_col))
    }

    /// Shows lines in place of those before. Nothing is erased before it is written over, so that nothing flickers.
    func show(_ lines: [String]) {
        Self.write("\u{1b}[H" + lines.map { $0 + "\u{1b}[K" }.joined(separator: "\r\n") + "\u{1b}[J")
    }

    /// The keys that were pressed since the last call.
    func keys() -> [Key] {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(input, &bytes, bytes.count)
        guard count > 0 else { return [] }
        return Self.keys(in: Array(bytes[..<count]))
    }

    /// Keys in what a terminal sends. Sequences that are none of ours are skipped.
    static func keys(in bytes: [UInt8]) -> [Key] {
        var keys: [Key] = []
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case 3: keys.append(.interrupt)
            case 0x1b where index < bytes.count && (bytes[index] == 0x5b || bytes[index] == 0x4f):
                index += 1
                while index < bytes.count, !(0x40...0x7e).contains(bytes[index]) { index += 1 }
                guard index < bytes.count else { break }
                if bytes[index] == 0x41 { keys.append(.up) }
                if bytes[index] == 0x42 { keys.append(.down) }
                index += 1
            case 0x20...0x7e: keys.append(.character(Character(UnicodeScalar(byte))))
            default: break
            }
        }
        return keys
    }

    private static func write(_ text: String) { try? StandardStream.output.write(text) }
}
