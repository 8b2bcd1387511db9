import Load
import Testing

@testable import LoadReport

@Suite("Table of runs")
struct RunTableTests {
    private static let style = TerminalStyle(colours: false, blocks: true, width: 100)

    @Test("Shows runs side by side, with wrong answers by kind, examples and cautions")
    func golden() {
        let text = RunTable.text([SampleRuns.good(), SampleRuns.bad()], style: Self.style)

        #expect(text == Self.expected)
    }

    private static let expected = """
                                     sessions        open loop
        load
          workload                   sessions         sessions
          transport                  http/1.1         http/1.1
          connections          64 connections   64 connections
          rate                    closed loop   20,000 calls/s
          measured                     10.0 s           10.0 s
        throughput
          calls/s                      12,346            9,877
          calls                       123,456           98,765
          received                  8.00 MB/s        8.00 MB/s
          sent                      6.10 MB/s        6.10 MB/s
          connections opened               64               64
        latency, ms
          min                           0.212            0.212
          mean                          0.641            0.641
          p50                           0.512            0.512
          p75                           0.790            0.790
          p90                           1.203            1.203
          p99                           3.402            3.402
          p99.9                        12.007           12.007
          p99.99                       31.111           31.111
          max                          48.201           48.201
        errors
          wrong answers                     0               38
            wrong replica                   0               37
            events skipped                  0                1
          failed                            0               13
            HTTP 502                        0               11
            connection reset                0                2
        replicas
          replica-1                    33.3 %           33.3 %
          replica-2                    33.3 %           33.3 %
          replica-3                    33.3 %           33.3 %
        generator
          CPU per call, µs               44.6             95.2
          of its core                    55 %             94 %

        open loop: first wrong answers and failures
          session s7: replica-2 answered what replica-1 made
          HTTP 502
        open loop: caution: the generator used 94 % of its core: it may limit the figures, not the server.
        Use --threads or less load
        open loop: caution: only 9,877 of 20,000 calls/s were reached: latencies count from the due time,
        and grow as long as the run lasts

        222,221 calls, 38 wrong, 13 failed

        """

    @Test("Shows a single run")
    func alone() {
        let text = RunTable.text([SampleRuns.good()], style: Self.style)

        #expect(text.contains("  calls/s                      12,346\n"))
        #expect(text.hasSuffix("\n123,456 calls, 0 wrong, 0 failed\n"))
        #expect(!text.contains("caution"))
    }

    @Test("Runs that do not fit side by side follow below", arguments: [40, 60, 80, 100, 160])
    func wraps(width: Int) {
        let runs = (1...7).map { SampleRuns.bad("run number \($0)") }
        let style = TerminalStyle(colours: false, blocks: true, width: width)

        let text = RunTable.text(runs, style: style)

        for line in text.split(separator: "\n") { #expect(line.count <= width, "\(line)") }
        for number in 1...7 { #expect(text.contains("run number \(number)")) }
    }

    @Test("Runs of the same name are distinguished by what differs, or by number")
    func labels() {
        var runs = [SampleRuns.good(), SampleRuns.good(), SampleRuns.good(), SampleRuns.good("other")]
        runs[1].plan.transport = "h2 over TLS"
        #expect(
            RunLabels.labels(of: runs) == [
                "sessions, http/1.1 #1", "sessions, h2 over TLS", "sessions, http/1.1 #2", "other",
            ])

        runs[2].plan.rate = 300
        #expect(
            RunLabels.labels(of: runs) == [
                "sessions, http/1.1, closed loop", "sessions, h2 over TLS", "sessions, http/1.1, 300 calls/s", "other",
            ])
    }

    @Test("Cautions name the figures that cannot be trusted")
    func cautions() {
        #expect(SampleRuns.good().cautions.isEmpty)

        let bad = SampleRuns.bad().cautions
        #expect(bad.count == 2)
        #expect(bad.first?.hasPrefix("the generator used 94 % of its core:") == true)
        #expect(bad.last?.hasPrefix("only 9,877 of 20,000 calls/s were reached") == true)
    }

    @Test("The CPU share is relative to the number of threads")
    func threads() {
        var run = SampleRuns.bad()
        run.plan.threads = 2
        run.plan.rate = nil

        #expect(abs(run.cpuShare - 0.47) < 1e-9)
        #expect(run.cautions.isEmpty)
        #expect(RunTable.text([run], style: Self.style).contains("of its cores"))
    }

    @Test("A run without calls has no latencies and does not divide by zero")
    func empty() {
        let run = RunFigures(plan: SampleRuns.plan("nothing"), began: 0, seconds: 0)

        let text = RunTable.text([run], style: Self.style)

        #expect(text.contains("p99.99                            –\n"))
        #expect(RunTable.text([], style: Self.style) == "no runs\n")
    }

    @Test("Many replicas are summarized")
    func manyReplicas() {
        var run = SampleRuns.good()
        run.replicas = [:]
        for number in 1...20 { run.replicas["r\(number)"] = UInt64(number) }

        let text = RunTable.text([run], style: Self.style)

        #expect(text.contains("number                           20\n"))
        #expect(text.contains("largest share                 9.5 %\n"))
    }

    @Test("Names from a server cannot contain escape sequences or newlines")
    func hostileNames() {
        var run = SampleRuns.bad("\u{1b}[31mname\nwith a line")
        run.replicas = ["\u{1b}]0;title\u{7}": 5]
        run.examples = ["\u{1b}[2J"]

        let text = RunTable.text([run], style: Self.style)

        #expect(!text.contains("\u{1b}"))
        #expect(text.contains("·[31mname·with a line"))
    }
}
