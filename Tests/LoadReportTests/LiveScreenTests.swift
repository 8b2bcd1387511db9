import Load
import Testing

@testable import LoadReport

@Suite("Live screen")
struct LiveScreenTests {
    /// The texts that a screen has written.
    private final class Output {
        var pieces: [String] = []
    }

    private static let status = LiveStatus(SampleRuns.good(), phase: .measuring, elapsed: 10, length: 40)

    private static func screen(_ mode: LiveScreen.Mode) -> (screen: LiveScreen, output: Output) {
        let output = Output()
        return (LiveScreen(mode) { output.pieces.append($0) }, output)
    }

    @Test("A terminal gets each status in place of the last, in one write")
    func redraws() {
        let style = TerminalStyle(colours: false, blocks: true, width: 100)
        var (screen, output) = Self.screen(.terminal(style))

        screen.show(Self.status)
        screen.show(Self.status)
        screen.clear()
        screen.clear()

        let text = LiveView.text(Self.status, style: style).replacing("\n", with: "\u{1b}[K\n") + "\u{1b}[J"
        #expect(output.pieces == [text, "\u{1b}[4A" + text, "\u{1b}[4A\u{1b}[J"])
    }

    @Test("A pipe gets a line for each status, without escape sequences")
    func lines() {
        var (screen, output) = Self.screen(.lines)

        screen.show(Self.status)
        screen.clear()

        #expect(output.pieces == [LiveView.line(Self.status) + "\n"])
        #expect(!output.pieces.joined().contains("\u{1b}"))
    }

    @Test("A quiet screen writes nothing")
    func quiet() {
        var (screen, output) = Self.screen(.quiet)

        screen.show(Self.status)
        screen.clear()

        #expect(output.pieces.isEmpty)
        let isDue = screen.isDue(at: 100)
        #expect(!isDue)
    }

    @Test("A terminal is updated eight times a second, a pipe once")
    func pace() {
        var (terminal, _) = Self.screen(.terminal(TerminalStyle(colours: false, blocks: true, width: 80)))
        var (pipe, _) = Self.screen(.lines)
        let times = (0..<1_000).map { Double($0) / 100 }

        var (drawn, printed) = (0, 0)
        for time in times {
            if terminal.isDue(at: time) { drawn += 1 }
            if pipe.isDue(at: time) { printed += 1 }
        }

        // Checked every 10 ms, an interval of 0.125 s becomes 0.13 s.
        #expect(drawn == 77)
        #expect(printed == 10)
    }

    @Test(
        "The environment decides on colours and block characters",
        arguments: [
            (["LANG": "de_DE.UTF-8"], 80, true, true), (["LANG": "C.utf8", "NO_COLOR": "1"], 80, false, true),
            (["LANG": "C.utf8", "NO_COLOR": ""], 80, true, true), (["LANG": "C"], 80, true, false),
            (["LC_ALL": "C", "LANG": "en_US.UTF-8"], 80, true, false), ([:], 80, true, false),
            (["TERM": "dumb", "LANG": "C.UTF-8"], 80, false, true), (["LANG": "C"], nil, false, true),
        ] as [([String: String], Int?, Bool, Bool)])
    func environments(environment: [String: String], width: Int?, colours: Bool, blocks: Bool) {
        let style = TerminalStyle(terminalWidth: width, environment: environment)

        #expect(style.colours == colours)
        #expect(style.blocks == blocks)
        #expect(style.width == width ?? 100)
    }

    @Test("The width of a terminal is clamped", arguments: [(0, 20), (-5, 20), (1_000_000, 400)])
    func oddWidths(width: Int, used: Int) {
        #expect(TerminalStyle(terminalWidth: width, environment: [:]).width == used)
    }
}
