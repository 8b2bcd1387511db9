import Load
import Testing

@testable import LoadReport

@Suite("Live view")
struct LiveViewTests {
    private static let style = TerminalStyle(colours: false, blocks: true, width: 100)

    private static func status() -> LiveStatus {
        var status = LiveStatus(SampleRuns.good(), phase: .measuring, elapsed: 10, length: 40)
        status.number = 2
        status.total = 3
        return status
    }

    private static func failing() -> LiveStatus {
        var status = LiveStatus(SampleRuns.bad(), phase: .measuring, elapsed: 10, length: 40)
        status.lastProblem = "session s7: replica-2 answered what replica-1 made, and \u{1b}[2J this is no end of words"
        return status
    }

    @Test("Shows title, progress, figures and a sparkline of the throughput")
    func text() {
        let text = LiveView.text(Self.status(), style: Self.style)

        #expect(
            text == """
                sessions  http/1.1, 64 connections, closed loop  http://127.0.0.1:8080/mcp  2 of 3
                ━━━━━━━━━━━━━━━───────────────────────────────────────────── \("") 25 %  0:10 + 0:30 left  measuring
                   12,500 calls/s   p50  510 µs   p99 3.40 ms   0 wrong   0 failed   123,456 calls
                ██████████  top 12,500/s

                """)
    }

    @Test("Fits a narrow terminal without block characters")
    func narrow() {
        let style = TerminalStyle(colours: false, blocks: false, width: 44)

        let text = LiveView.text(Self.status(), style: style)

        #expect(
            text == """
                sessions  http/1.1, 64 connections,…  2 of 3
                ##.......  25 %  0:10 + 0:30 left  measuring
                   12,500 calls/s   p50  510 µs
                p99 3.40 ms   0 wrong   0 failed
                123,456 calls
                ##########  top 12,500/s

                """)
    }

    @Test("No line is wider than the terminal", arguments: 20...130)
    func widths(width: Int) {
        for blocks in [true, false] {
            for status in [Self.status(), Self.failing()] {
                let text = LiveView.text(
                    status, style: TerminalStyle(colours: false, blocks: blocks, width: width))

                for line in text.split(separator: "\n") { #expect(line.count <= width, "\(line)") }
            }
        }
    }

    @Test("Counts of wrong and failed calls are green at zero, otherwise red")
    func colours() {
        let style = TerminalStyle(colours: true, blocks: true, width: 100)

        let good = LiveView.text(Self.status(), style: style)
        let bad = LiveView.text(Self.failing(), style: style)

        #expect(good.contains("\u{1b}[32m0 wrong\u{1b}[0m"))
        #expect(good.contains("\u{1b}[32m0 failed\u{1b}[0m"))
        #expect(!good.contains("\u{1b}[1;31m"))
        #expect(bad.contains("\u{1b}[1;31m38 wrong\u{1b}[0m"))
        #expect(bad.contains("\u{1b}[1;31m13 failed\u{1b}[0m"))
    }

    @Test("Colours do not change the text")
    func coloursOnly() {
        for status in [Self.status(), Self.failing()] {
            let coloured = LiveView.text(status, style: TerminalStyle(colours: true, blocks: true, width: 100))

            let bare = coloured.replacing(/\u{1b}\[[0-9;]*m/, with: "")

            #expect(bare == LiveView.text(status, style: Self.style))
        }
    }

    @Test("The last problem cannot contain escape sequences")
    func hostileProblem() {
        let text = LiveView.text(Self.failing(), style: Self.style)

        #expect(text.contains("last: session s7"))
        #expect(!text.contains("\u{1b}"))
    }

    @Test("Shows no percentiles before there are any")
    func opening() {
        let status = LiveStatus(plan: SampleRuns.plan("sessions"), phase: .opening, elapsed: 2.5, length: nil)

        let text = LiveView.text(status, style: Self.style)

        #expect(text.contains("opening, 0:02\n"))
        #expect(text.contains("p50       –"))
        #expect(LiveView.line(status) == "sessions  opening 0:02  0 wrong  0 failed")
    }

    @Test("The line for a log has the same figures")
    func line() {
        #expect(
            LiveView.line(Self.status())
                == "sessions (2/3)  measuring 0:10  12,500 calls/s  p50 510 µs  p99 3.40 ms  0 wrong  0 failed")
    }

    @Test("The rate of an incomplete second is its count divided by its length")
    func shortSecond() {
        var run = SampleRuns.good()
        run.series = [SecondFigures(at: 1), SecondFigures(at: 1.5)]
        run.series[0].completed = 100
        run.series[1].completed = 100

        let status = LiveStatus(run, phase: .measuring, elapsed: 1.5, length: 2)

        #expect(status.history == [100, 200])
        #expect(status.perSecond == 200)
    }

    @Test(
        "A sparkline begins at zero and shows small values as more than zero",
        arguments: [
            ([], 8, ""), ([0, 0], 8, "▁▁"), ([1, 2, 4, 8], 8, "▁▂▄█"), ([8, 0.001, 8], 8, "█▁█"), ([1, 9, 9], 2, "██"),
            ([.nan, 1], 2, "▁█"), ([1, 2], -1, ""),
        ] as [([Double], Int, String)])
    func sparklines(values: [Double], width: Int, text: String) {
        #expect(Bars.sparkline(values, width: width, blocks: true) == text)
    }

    @Test("A progress bar has its full width at every share", arguments: [-1, 0, 0.01, 0.49, 0.5, 0.999, 1, 7, .nan])
    func progressBars(share: Double) {
        for blocks in [true, false] {
            let bar = Bars.progress(share, width: 10, blocks: blocks)

            #expect((bar.done + bar.left).count == 10)
            #expect((bar.left.isEmpty) == (share >= 1 || (blocks && share == 0.999)))
        }
    }
}
