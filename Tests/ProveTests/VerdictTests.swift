import Load
import LoadReport
import SampleServer
import Testing

@testable import Prove

@Suite("Verdict of a trial")
struct VerdictTests {
    private func figures(
        failed: [String: UInt64] = [:], explained: [String: UInt64] = [:], wrong: [WrongAnswer: UInt64] = [:],
        onLost: String? = "always", executed: [ExecutionLog.Entry] = []
    ) -> ProveFigures {
        let plan = PlanFigures(
            name: "Berth", workload: "sessions", url: "", transport: "", connections: 1, depth: 1, rate: nil,
            unit: "calls")
        var load = RunFigures(plan: plan, began: 0, seconds: 60)
        load.failed = failed
        load.wrong = wrong
        var trial = TrialFigures()
        trial.calls = 1_000
        trial.explained = explained
        trial.recovered = 12
        load.trial = trial
        var figures = ProveFigures(
            front: "Berth", affinity: "sessions by signed ids", seed: 7, onLost: onLost, load: load)
        figures.executions = ExecutionFigures(executed)
        figures.disturbances = ["kills": 3, "reloads": 5]
        return figures
    }

    @Test("it holds if nothing failed but what was under way on a server that was killed")
    func holds() {
        #expect(Verdict(figures()).holds)
        let verdict = Verdict(figures(failed: ["HTTP 502": 3], explained: ["HTTP 502": 3]))
        #expect(verdict.holds && verdict.explained == ["HTTP 502": 3] && verdict.unexplainedCount == 0)
        #expect(verdict.sentence == "The promise holds")
    }

    @Test(
        "it is broken by each of these",
        arguments: [
            (
                ["HTTP 502": 4] as [String: UInt64], ["HTTP 502": 3] as [String: UInt64], [:] as [WrongAnswer: UInt64],
                "1 call failed without cause"
            ),
            (["connection reset": 2], [:], [:], "2 calls failed without cause"),
            ([:], [:], [.strayed: 1], "1 wrong answer"),
            (["session lost": 2], [:], [:], "2 lost sessions"),
            (["session lost": 2], ["session lost": 2], [:], "2 lost sessions"),
        ])
    func broken(
        _ failed: [String: UInt64], _ explained: [String: UInt64], _ wrong: [WrongAnswer: UInt64], _ reason: String
    ) {
        let verdict = Verdict(figures(failed: failed, explained: explained, wrong: wrong))
        #expect(!verdict.holds)
        #expect(verdict.sentence == "The promise is broken: " + reason)
    }

    @Test("without recovery, sessions end with their server, and only with it", arguments: ["never", "clean"])
    func never(_ onLost: String) {
        let kept = Verdict(figures(failed: ["session lost": 2], explained: ["session lost": 2], onLost: onLost))
        #expect(kept.holds && kept.lost == 0 && kept.lostWithServer == 2)
        let broken = Verdict(figures(failed: ["session lost": 3], explained: ["session lost": 2], onLost: onLost))
        #expect(!broken.holds && broken.lost == 1 && broken.lostWithServer == 2)
    }

    @Test("calls executed twice count, those of read-only tools apart")
    func executions() {
        func entry(_ id: UInt64, _ isReadOnly: Bool = false) -> ExecutionLog.Entry {
            ExecutionLog.Entry(id: id, isReadOnly: isReadOnly)
        }
        let once = figures(executed: [entry(1), entry(2), entry(3, true), entry(3, true)])
        #expect(
            once.executions?.calls == 3 && once.executions?.duplicates == 0 && once.executions?.readOnlyDuplicates == 1)
        #expect(Verdict(once).holds)
        let twice = Verdict(figures(executed: [entry(1), entry(2), entry(1), entry(1)]))
        #expect(!twice.holds && twice.duplicates == 1)
    }

    @Test("the table has a row for each figure, and ends with the verdict")
    func table() {
        let text = VerdictTable.text(
            figures(failed: ["HTTP 502": 3], explained: ["HTTP 502": 3]),
            style: TerminalStyle(colours: false, blocks: true, width: 100))
        for row in [
            "disturbances", "calls", "wrong answers", "lost sessions", "executed twice", "failed without cause",
            "sessions recovered", "longest silence of a stream", "latency, quiet",
        ] { #expect(text.contains("\n  \(row) "), "\(row) in \(text)") }
        #expect(text.contains("3   HTTP 502: 3"))
        #expect(text.contains("5 reloads, 3 kills"))
        #expect(text.hasSuffix("\nThe promise holds.\n"))
    }
}
