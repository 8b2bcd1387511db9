import Foundation
import Load
import Testing

@testable import LoadReport

@Suite("The page")
struct ReportPageTests {
    private static let both = [SampleRuns.good(), SampleRuns.bad()]

    /// Text that would do harm if it became markup.
    static let hostile = "</title><script>alert('1')</script>\"><img src=x onerror=alert(2)>&amp;\u{0}\u{1b}]]>"

    private static func hostileRun() -> RunFigures {
        var run = SampleRuns.bad(hostile)
        run.plan.url = hostile
        run.plan.workload = hostile
        run.plan.transport = hostile
        run.plan.unit = hostile
        run.replicas = [hostile: 3, "b": 4]
        run.failed = [hostile: 7]
        run.examples = [hostile]
        return run
    }

    @Test("is well-formed, whatever is in it")
    func wellFormed() throws {
        let empty = RunFigures(plan: SampleRuns.plan("nothing"), began: 0, seconds: 0)
        let pages = [
            [], [SampleRuns.good()], Self.both, [Self.hostileRun(), Self.hostileRun()], [empty], [empty] + Self.both,
        ]

        for runs in pages {
            let outline = try PageOutline(ReportPage(runs, title: runs.count == 2 ? Self.hostile : "").html())

            #expect(outline.names["script"] == nil)
            #expect(outline.names["img"] == nil)
            #expect(outline.names["title", default: 0] >= 1)
        }
    }

    @Test("shows every text that came from outside as it is")
    func escapes() throws {
        let outline = try PageOutline(ReportPage([Self.hostileRun()]).html())

        #expect(outline.text.contains(Self.hostile.plain))
        #expect(outline.attributes.filter { $0.hasPrefix("onerror") || $0.hasPrefix("src") }.isEmpty)
    }

    @Test("fetches nothing")
    func standsAlone() throws {
        let html = ReportPage(Self.both).html()
        let outline = try PageOutline(html)
        let fetching = ["src", "href", "srcset", "data", "action", "poster"]

        #expect(outline.attributes.allSatisfy { attribute in !fetching.contains { attribute.hasPrefix("\($0)=") } })
        #expect(!html.contains("url(") && !html.contains("@import"))
        #expect(html.contains("default-src 'none'; style-src 'unsafe-inline'"))
    }

    @Test("says the figures that the table says")
    func figures() throws {
        let outline = try PageOutline(ReportPage(Self.both).html())

        for section in FigureSheet(Self.both).sections {
            for row in section.rows {
                #expect(outline.text.contains(row.label))
                for cell in row.cells { #expect(outline.text.contains(cell.text)) }
            }
        }
        #expect(outline.text.contains("38 answers were not true"))
        #expect(outline.text.contains("2026-03-01 12:34:56 UTC"))
        #expect(outline.text.contains(WrongAnswer.gap.meaning))
        #expect(!outline.text.contains(WrongAnswer.duplicate.meaning))
    }

    @Test("a run without a fault is called true")
    func goodVerdict() throws {
        let outline = try PageOutline(ReportPage([SampleRuns.good()]).html())

        #expect(outline.text.contains("Every answer was true"))
        #expect(outline.text.contains("0 wrong among 123,456 calls, none failed."))
        #expect(!outline.text.contains("Caution."))
        #expect(!outline.text.contains("Not right"))
    }

    @Test("every chart has a name and a description, and every id is there once")
    func accessible() throws {
        let outline = try PageOutline(ReportPage(Self.both).html())

        #expect(outline.labelledCharts == 7)
        #expect(outline.ids.count == Set(outline.ids).count)
        #expect(outline.references.allSatisfy(Set(outline.ids).contains))
        #expect(outline.text.contains("p99 3.40 ms, p99.9 12.0 ms, max 48.2 ms"))
    }

    @Test("tables name their columns and rows")
    func headers() throws {
        let html = ReportPage(Self.both).html()

        #expect(html.contains("<th scope=\"col\"><span class=\"badge-text run0\">A</span> sessions</th>"))
        #expect(html.contains("<th scope=\"row\">p99.99</th>"))
    }

    @Test("a long run is drawn with few points, a short one with all")
    func thinning() throws {
        var long = SampleRuns.good()
        long.series = (1...36_000).map { second in
            var figures = SecondFigures(at: Double(second))
            figures.completed = 100
            figures.p99 = second == 20_001 ? 9_000 : 1_000
            return figures
        }
        let tail = try #require(RunCharts([long]).tail())
        let points = tail.lines[0].pieces.joined()

        #expect(points.count <= RunCharts.mostPoints)
        #expect(points.map(\.y).max() == 9_000)
        #expect(RunCharts([SampleRuns.good()]).tail()?.lines[0].pieces.joined().count == 10)
        #expect(ReportPage([long]).html().utf8.count < 200_000)
    }

    @Test("a second without an answer has no latency, and breaks the line")
    func gaps() throws {
        var run = SampleRuns.good()
        run.series[4].completed = 0

        #expect(RunCharts([run]).tail()?.lines[0].pieces.map(\.count) == [4, 5])
        #expect(RunCharts([run]).throughput().first?.lines[0].pieces.map(\.count) == [10])
    }

    @Test("what counts differently has a chart of its own")
    func units() {
        var events = SampleRuns.good("fan-in")
        events.plan.unit = "events"

        let charts = RunCharts([SampleRuns.good(), events]).throughput()

        #expect(charts.map(\.title) == ["Calls per second", "Events per second"])
    }

    @Test("a run has a letter", arguments: [(0, "A"), (25, "Z"), (26, "AA"), (63, "BL")])
    func letters(index: Int, letter: String) {
        #expect(RunCharts.letter(index) == letter)
    }

    @Test("sixty-four runs are no trouble")
    func many() throws {
        let outline = try PageOutline(ReportPage((1...64).map { SampleRuns.good("run \($0)") }).html())

        #expect(outline.text.contains("64 runs"))
    }

    @Test("runs stand out from light and dark ground (WCAG 1.4.11: 3 to 1)", arguments: PageStyle.runColours.indices)
    func contrast(index: Int) {
        let colour = PageStyle.runColours[index]

        #expect(Self.contrast(colour.light, "#ffffff") >= 4.5)
        #expect(Self.contrast(colour.dark, "#181c23") >= 4.5)
    }

    /// Relative luminance and contrast as WCAG 2 defines them.
    private static func contrast(_ one: String, _ other: String) -> Double {
        func luminance(_ hex: String) -> Double {
            let value = Int(hex.dropFirst(), radix: 16) ?? 0
            let parts = [value >> 16 & 255, value >> 8 & 255, value & 255].map { part in
                let share = Double(part) / 255
                return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
            }
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
        }
        let (first, second) = (luminance(one), luminance(other))
        return (max(first, second) + 0.05) / (min(first, second) + 0.05)
    }
}
