import Foundation
import Load
import Testing

@testable import LoadReport

@Suite("Report page")
struct ReportPageTests {
    private static let both = [SampleRuns.good(), SampleRuns.bad()]

    /// Text that would inject elements if it were not escaped.
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

    @Test("A page is well-formed with any content")
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

    @Test("Texts from outside are escaped and shown unchanged")
    func escapes() throws {
        let outline = try PageOutline(ReportPage([Self.hostileRun()]).html())

        #expect(outline.text.contains(Self.hostile.sanitized))
        #expect(outline.attributes.filter { $0.hasPrefix("onerror") || $0.hasPrefix("src") }.isEmpty)
    }

    @Test("A page refers to no external resource")
    func standsAlone() throws {
        let html = ReportPage(Self.both).html()
        let outline = try PageOutline(html)
        let fetching = ["src", "href", "srcset", "data", "action", "poster"]

        #expect(outline.attributes.allSatisfy { attribute in !fetching.contains { attribute.hasPrefix("\($0)=") } })
        #expect(!html.contains("url(") && !html.contains("@import"))
        #expect(html.contains("default-src 'none'; style-src 'unsafe-inline'"))
    }

    @Test("A page has all figures of the table")
    func figures() throws {
        let outline = try PageOutline(ReportPage(Self.both).html())

        for section in FigureSheet(Self.both).sections {
            for row in section.rows {
                #expect(outline.text.contains(row.label))
                for cell in row.cells { #expect(outline.text.contains(cell.text)) }
            }
        }
        #expect(outline.text.contains("38 answers were wrong"))
        #expect(outline.text.contains("2026-03-01 12:34:56 UTC"))
        #expect(outline.text.contains(WrongAnswer.gap.meaning))
        #expect(!outline.text.contains(WrongAnswer.duplicate.meaning))
    }

    @Test("A run without errors has a good verdict")
    func goodVerdict() throws {
        let outline = try PageOutline(ReportPage([SampleRuns.good()]).html())

        #expect(outline.text.contains("Every answer was correct"))
        #expect(outline.text.contains("0 wrong among 123,456 calls, none failed."))
        #expect(!outline.text.contains("Caution"))
        #expect(!outline.text.contains("Wrong answers and failures"))
    }

    @Test("Every chart has a title and a description, and every id is unique")
    func accessible() throws {
        let outline = try PageOutline(ReportPage(Self.both).html())

        #expect(outline.labelledCharts == 7)
        #expect(outline.ids.count == Set(outline.ids).count)
        #expect(outline.references.allSatisfy(Set(outline.ids).contains))
        #expect(outline.text.contains("p99 3.40 ms, p99.9 12.0 ms, max 48.2 ms"))
    }

    @Test("Tables have column and row headers")
    func headers() throws {
        let html = ReportPage(Self.both).html()

        #expect(html.contains("<th scope=\"col\"><span class=\"badge-text run0\">A</span> sessions</th>"))
        #expect(html.contains("<th scope=\"row\">p99.99</th>"))
    }

    @Test("A long run has a limited number of points, a short one has all")
    func thinning() throws {
        var long = SampleRuns.good()
        long.seconds = 36_000
        long.series = (1...36_000).map { second in
            var figures = SecondFigures(at: Double(second))
            figures.completed = 100
            figures.maximum = 10_000
            figures.p99 = second == 20_001 ? 9_000 : 1_000
            return figures
        }
        let tail = try #require(RunCharts([long]).p99OverTime())
        let points = tail.lines[0].pieces.joined()

        #expect(points.count <= RunCharts.maxPoints)
        #expect(points.map(\.y).max() == 9_000)
        #expect(RunCharts([SampleRuns.good()]).p99OverTime()?.lines[0].pieces.joined().count == 10)
        #expect(ReportPage([long]).html().utf8.count < 200_000)
    }

    @Test("A second without a latency interrupts the line")
    func gaps() throws {
        var run = SampleRuns.good()
        run.series[4].completed = 0
        run.series[4].maximum = 0

        #expect(RunCharts([run]).p99OverTime()?.lines[0].pieces.map(\.count) == [4, 5])
        #expect(RunCharts([run]).throughput().first?.lines[0].pieces.map(\.count) == [10])
    }

    @Test("Seconds after the end of measuring are not drawn")
    func afterTheEnd() throws {
        var run = SampleRuns.good()
        run.series.append(SecondFigures(at: 11))

        #expect(RunCharts([run]).throughput().first?.lines[0].pieces.map(\.count) == [10])
    }

    @Test("A run with failed calls has no wrong answers and a bad verdict")
    func failedVerdict() throws {
        var run = SampleRuns.good()
        run.failed = ["HTTP 503": 3]

        let html = ReportPage([run]).html()

        #expect(html.contains("No answer was wrong, but calls failed"))
        #expect(html.contains("<div class=\"verdict bad\">"))
    }

    @Test("Each unit has a chart of its own")
    func units() {
        var events = SampleRuns.good("fan-in")
        events.plan.unit = "events"

        let charts = RunCharts([SampleRuns.good(), events]).throughput()

        #expect(charts.map(\.title) == ["Calls per second", "Events per second"])
    }

    @Test("The key of a run follows from its index", arguments: [(0, "A"), (25, "Z"), (26, "AA"), (63, "BL")])
    func keys(index: Int, key: String) {
        #expect(RunCharts.key(index) == key)
    }

    @Test("A page can have 64 runs")
    func many() throws {
        let outline = try PageOutline(ReportPage((1...64).map { SampleRuns.good("run \($0)") }).html())

        #expect(outline.text.contains("64 runs"))
    }

    @Test(
        "The colours of runs have enough contrast in light and dark mode (WCAG 1.4.3: 4.5 to 1)",
        arguments: PageStyle.runColours.indices)
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
