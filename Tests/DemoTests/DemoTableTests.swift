import Glibc
import Kernel
import Testing

@testable import berth

@Suite("DemoTable")
struct DemoTableTests {
    private var figures: DemoFigures {
        var figures = DemoFigures()
        for _ in 0..<3 { figures.recordBegin() }
        figures.recordEnd()
        for _ in 0..<3 { figures.recordCall(on: "beta", microseconds: 1_500) }
        figures.recordCall(on: "alpha", microseconds: 20_000)
        figures.recordStray("lost its way")
        return figures
    }

    @Test("shows every figure")
    func table() {
        #expect(
            DemoTable.render(figures) == """
                sessions  2 open, 3 begun
                calls     4 answered, 1 strayed, 0 failed
                  alpha               1  25.0 %
                  beta                3  75.0 %
                affinity  80.00 % kept
                latency   p50 1.5 ms, p99 20.0 ms
                last      lost its way

                """)
    }

    @Test("is of use before anything happened")
    func empty() {
        #expect(DemoTable.render(DemoFigures()).contains("affinity  100.00 % kept\nlatency   p50 0.0 ms, p99 0.0 ms\n"))
    }

    @Test("on a terminal the next picture covers the last one")
    func redraws() {
        var shown: [String] = []
        withoutActuallyEscaping({ shown.append($0) }) { write in
            var screen = DemoScreen(isTerminal: true, write: write)
            screen.show(figures)
            screen.show(figures)
        }
        #expect(shown == [DemoTable.render(figures), "\u{1b}[7A\u{1b}[J" + DemoTable.render(figures)])
    }

    @Test("elsewhere a picture is a line")
    func appends() {
        var shown: [String] = []
        withoutActuallyEscaping({ shown.append($0) }) { write in
            var screen = DemoScreen(isTerminal: false, write: write)
            screen.show(figures)
        }
        #expect(
            shown == ["sessions=2  calls=4  alpha=1  beta=3  failed=0  affinity=80.00%  p50 1.5 ms, p99 20.0 ms\n"])
    }

    @Test("watching ends with its time, and with a signal")
    func watches() throws {
        let client = try DemoClient(address: .loopback(port: 1), trustPEM: nil, sessions: 1)
        let signals = try Signals([SIGUSR2])
        var shown = 0
        withoutActuallyEscaping({ (_: String) in shown += 1 }) { write in
            var screen = DemoScreen(isTerminal: false, write: write)
            #expect(screen.watch(client, until: signals, seconds: 0).calls == 0)
            // To this thread, which has blocked it: it waits for whoever asks.
            raise(SIGUSR2)
            #expect(screen.watch(client, until: signals, seconds: nil).calls == 0)
        }
        #expect(shown == 1)
    }

    @Test(
        "rounds to the decimals asked for",
        arguments: [(0, 2, "0.00"), (1.005, 1, "1.0"), (9.96, 1, "10.0"), (2.5, 0, "3"), (0.05, 2, "0.05")])
    func rounds(value: Double, decimals: Int, text: String) {
        #expect(DemoTable.fixed(value, decimals) == text)
    }
}
