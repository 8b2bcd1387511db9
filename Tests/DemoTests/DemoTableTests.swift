import Glibc
import Kernel
import Testing

@testable import berth

@Suite("Demo table")
struct DemoTableTests {
    private var statistics: DemoStatistics {
        var statistics = DemoStatistics()
        for _ in 0..<3 { statistics.recordBegin() }
        statistics.recordEnd()
        for _ in 0..<3 { statistics.recordCall(on: "beta", microseconds: 1_500) }
        statistics.recordCall(on: "alpha", microseconds: 20_000)
        statistics.recordMisrouted("lost its way")
        return statistics
    }

    @Test("Shows all statistics")
    func table() {
        #expect(
            DemoTable.render(statistics) == """
                sessions  2 open, 3 begun
                calls     4 answered, 1 misrouted, 0 failed
                  alpha               1  25.0 %
                  beta                3  75.0 %
                affinity  80.00 % kept
                latency   p50 1.5 ms, p99 20.0 ms
                last      lost its way

                """)
    }

    @Test("Shows zeros before the first call")
    func empty() {
        #expect(
            DemoTable.render(DemoStatistics()).contains("affinity  100.00 % kept\nlatency   p50 0.0 ms, p99 0.0 ms\n"))
    }

    @Test("A terminal gets each table in place of the last")
    func redraws() {
        var shown: [String] = []
        withoutActuallyEscaping({ shown.append($0) }) { write in
            var screen = DemoScreen(isTerminal: true, write: write)
            screen.show(statistics)
            screen.show(statistics)
        }
        #expect(shown == [DemoTable.render(statistics), "\u{1b}[7A\u{1b}[J" + DemoTable.render(statistics)])
    }

    @Test("Other outputs get a line for each update")
    func appends() {
        var shown: [String] = []
        withoutActuallyEscaping({ shown.append($0) }) { write in
            var screen = DemoScreen(isTerminal: false, write: write)
            screen.show(statistics)
        }
        #expect(
            shown == ["sessions=2  calls=4  alpha=1  beta=3  failed=0  affinity=80.00%  p50 1.5 ms, p99 20.0 ms\n"])
    }

    @Test("Watching ends after its time, and with a signal")
    func watches() throws {
        let client = try DemoClient(address: .loopback(port: 1), trustPEM: nil, sessions: 1)
        let signals = try Signals([SIGUSR2])
        var shown = 0
        withoutActuallyEscaping({ (_: String) in shown += 1 }) { write in
            var screen = DemoScreen(isTerminal: false, write: write)
            #expect(screen.watch(client, until: signals, seconds: 0).calls == 0)
            // The signal is blocked in this thread and stays pending until `watch` waits for it.
            raise(SIGUSR2)
            #expect(screen.watch(client, until: signals, seconds: nil).calls == 0)
        }
        #expect(shown == 1)
    }

    @Test(
        "Numbers are rounded to the given decimals",
        arguments: [(0, 2, "0.00"), (1.005, 1, "1.0"), (9.96, 1, "10.0"), (2.5, 0, "3"), (0.05, 2, "0.05")])
    func rounds(value: Double, decimals: Int, text: String) {
        #expect(DemoTable.fixed(value, decimals) == text)
    }
}
