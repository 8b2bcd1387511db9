import Load
import Testing

@testable import LoadReport

@Suite("The live view")
struct LiveViewTests {
    private static let plainStyle = TerminalStyle(colours: false, blocks: true, width: 100)

    private static func moment() -> LiveMoment {
        var moment = LiveMoment(SampleRuns.good(), phase: .measuring, elapsed: 10, length: 40)
        moment.number = 2
        moment.total = 3
        return moment
    }

    private static func trouble() -> LiveMoment {
        var moment = LiveMoment(SampleRuns.bad(), phase: .measuring, elapsed: 10, length: 40)
        moment.lastProblem = "session s7: replica-2 answered what replica-1 made, and \u{1b}[2J this is no end of words"
        return moment
    }

    @Test("shows title, progress, figures and the curve of throughput")
    func picture() {
        let picture = LiveView.picture(Self.moment(), style: Self.plainStyle)

        #expect(
            picture == """
                sessions  http/1.1, 64 connections, closed loop  http://127.0.0.1:8080/mcp  2 of 3
                ━━━━━━━━━━━━━━━───────────────────────────────────────────── \("") 25 %  0:10 + 0:30 left  measuring
                   12,500 calls/s   p50  510 µs   p99 3.40 ms   0 wrong   0 failed   123,456 calls
                ██████████  top 12,500/s

                """)
    }

    @Test("fits a narrow terminal without block characters")
    func narrow() {
        let style = TerminalStyle(colours: false, blocks: false, width: 44)

        let picture = LiveView.picture(Self.moment(), style: style)

        #expect(
            picture == """
                sessions  http/1.1, 64 connections,…  2 of 3
                ##.......  25 %  0:10 + 0:30 left  measuring
                   12,500 calls/s   p50  510 µs
                p99 3.40 ms   0 wrong   0 failed
                123,456 calls
                ##########  top 12,500/s

                """)
    }

    @Test("no line is wider than the terminal, whatever it is", arguments: 20...130)
    func widths(width: Int) {
        for blocks in [true, false] {
            for moment in [Self.moment(), Self.trouble()] {
                let picture = LiveView.picture(
                    moment, style: TerminalStyle(colours: false, blocks: blocks, width: width))

                for line in picture.split(separator: "\n") { #expect(line.count <= width, "\(line)") }
            }
        }
    }

    @Test("wrong and failed are red once there are any, and green before")
    func colours() {
        let style = TerminalStyle(colours: true, blocks: true, width: 100)

        let good = LiveView.picture(Self.moment(), style: style)
        let bad = LiveView.picture(Self.trouble(), style: style)

        #expect(good.contains("\u{1b}[32m0 wrong\u{1b}[0m"))
        #expect(good.contains("\u{1b}[32m0 failed\u{1b}[0m"))
        #expect(!good.contains("\u{1b}[1;31m"))
        #expect(bad.contains("\u{1b}[1;31m38 wrong\u{1b}[0m"))
        #expect(bad.contains("\u{1b}[1;31m13 failed\u{1b}[0m"))
    }

    @Test("colours change nothing but colours")
    func coloursOnly() {
        for moment in [Self.moment(), Self.trouble()] {
            let coloured = LiveView.picture(moment, style: TerminalStyle(colours: true, blocks: true, width: 100))

            let bare = coloured.replacing(/\u{1b}\[[0-9;]*m/, with: "")

            #expect(bare == LiveView.picture(moment, style: Self.plainStyle))
        }
    }

    @Test("the last problem cannot clear the screen")
    func hostileProblem() {
        let picture = LiveView.picture(Self.trouble(), style: Self.plainStyle)

        #expect(picture.contains("last: session s7"))
        #expect(!picture.contains("\u{1b}"))
    }

    @Test("before there is a figure, there is none to show")
    func opening() {
        let moment = LiveMoment(plan: SampleRuns.plan("sessions"), phase: .opening, elapsed: 2.5, length: nil)

        let picture = LiveView.picture(moment, style: Self.plainStyle)

        #expect(picture.contains("opening, 0:02\n"))
        #expect(picture.contains("p50       –"))
        #expect(LiveView.line(moment) == "sessions  opening 0:02  0 wrong  0 failed")
    }

    @Test("one line says the same for a log")
    func line() {
        #expect(
            LiveView.line(Self.moment())
                == "sessions (2/3)  measuring 0:10  12,500 calls/s  p50 510 µs  p99 3.40 ms  0 wrong  0 failed")
    }

    @Test("the rate of a second is what it counted by how long it was")
    func shortSecond() {
        var run = SampleRuns.good()
        run.series = [SecondFigures(at: 1), SecondFigures(at: 1.5)]
        run.series[0].completed = 100
        run.series[1].completed = 100

        let moment = LiveMoment(run, phase: .measuring, elapsed: 1.5, length: 2)

        #expect(moment.history == [100, 200])
        #expect(moment.perSecond == 200)
    }

    @Test(
        "a sparkline begins at zero and shows a little as more than nothing",
        arguments: [
            ([], 8, ""), ([0, 0], 8, "▁▁"), ([1, 2, 4, 8], 8, "▁▂▄█"), ([8, 0.001, 8], 8, "█▁█"), ([1, 9, 9], 2, "██"),
            ([.nan, 1], 2, "▁█"), ([1, 2], -1, ""),
        ] as [([Double], Int, String)])
    func sparklines(values: [Double], width: Int, text: String) {
        #expect(Bars.sparkline(values, width: width, blocks: true) == text)
    }

    @Test("a progress bar has its width at every share", arguments: [-1, 0, 0.01, 0.49, 0.5, 0.999, 1, 7, .nan])
    func progressBars(share: Double) {
        for blocks in [true, false] {
            let bar = Bars.progress(share, width: 10, blocks: blocks)

            #expect((bar.done + bar.left).count == 10)
            #expect((bar.left.isEmpty) == (share >= 1 || (blocks && share == 0.999)))
        }
    }
}
