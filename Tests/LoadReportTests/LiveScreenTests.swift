import Load
import Testing

@testable import LoadReport

@Suite("The live screen")
struct LiveScreenTests {
    /// What a screen wrote, piece by piece.
    private final class Paper {
        var pieces: [String] = []
    }

    private static let moment = LiveMoment(SampleRuns.good(), phase: .measuring, elapsed: 10, length: 40)

    private static func screen(_ mode: LiveScreen.Mode) -> (screen: LiveScreen, paper: Paper) {
        let paper = Paper()
        return (LiveScreen(mode) { paper.pieces.append($0) }, paper)
    }

    @Test("a terminal gets the next picture over the last, each in one piece")
    func redraws() {
        let style = TerminalStyle(colours: false, blocks: true, width: 100)
        var (screen, paper) = Self.screen(.terminal(style))

        screen.show(Self.moment)
        screen.show(Self.moment)
        screen.clear()
        screen.clear()

        let picture = LiveView.picture(Self.moment, style: style).replacing("\n", with: "\u{1b}[K\n") + "\u{1b}[J"
        #expect(paper.pieces == [picture, "\u{1b}[4A" + picture, "\u{1b}[4A\u{1b}[J"])
    }

    @Test("a pipe gets a line a picture, without escape sequences")
    func lines() {
        var (screen, paper) = Self.screen(.lines)

        screen.show(Self.moment)
        screen.clear()

        #expect(paper.pieces == [LiveView.line(Self.moment) + "\n"])
        #expect(!paper.pieces.joined().contains("\u{1b}"))
    }

    @Test("quiet is quiet")
    func quiet() {
        var (screen, paper) = Self.screen(.quiet)

        screen.show(Self.moment)
        screen.clear()

        #expect(paper.pieces.isEmpty)
        let isDue = screen.isDue(at: 100)
        #expect(!isDue)
    }

    @Test("a terminal is due eight times a second, a pipe once")
    func pace() {
        var (terminal, _) = Self.screen(.terminal(TerminalStyle(colours: false, blocks: true, width: 80)))
        var (pipe, _) = Self.screen(.lines)
        let times = (0..<1_000).map { Double($0) / 100 }

        var (drawn, printed) = (0, 0)
        for time in times {
            if terminal.isDue(at: time) { drawn += 1 }
            if pipe.isDue(at: time) { printed += 1 }
        }

        // Asked every 10 ms, 0.125 s is 0.13 s.
        #expect(drawn == 77)
        #expect(printed == 10)
    }

    @Test(
        "the environment decides on colours and block characters",
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

    @Test("a terminal of no width is still drawn on", arguments: [(0, 20), (-5, 20), (1_000_000, 400)])
    func oddWidths(width: Int, used: Int) {
        #expect(TerminalStyle(terminalWidth: width, environment: [:]).width == used)
    }
}
