import Balancing
import TestSupport
import Testing

@Suite("Retry budget")
struct RetryBudgetTests {
    static let second: UInt64 = 1_000_000_000

    static func grants(_ budget: inout RetryBudget, now: UInt64, of wanted: Int = 10_000) -> Int {
        (0..<wanted).reduce(0) { count, _ in count + (budget.withdraw(now: now) == .granted ? 1 : 0) }
    }

    @Test("an unlimited budget grants every retry")
    func unlimited() {
        var budget = RetryBudget.unlimited
        #expect(Self.grants(&budget, now: 0) == 10_000)
        budget.requestBegan(now: 5)
        #expect(budget.deniedCount == 0)
    }

    @Test(
        "grants a share of the requests and the floor",
        arguments: [
            (20, 0, 1_000, 200), (20, 1, 1_000, 210), (0, 3, 1_000, 30), (100, 0, 50, 50), (20, 0, 4, 0),
            (20, 0, 5, 1), (-5, -5, 1_000, 0), (.max, 0, 10, 100), (0, 0, 0, 0),
        ])
    func share(percent: Int, floor: Int, requests: Int, expected: Int) {
        var budget = RetryBudget(percent: percent, minimumPerSecond: floor)
        for _ in 0..<requests { budget.requestBegan(now: 7) }
        #expect(Self.grants(&budget, now: 7) == expected)
        #expect(budget.deniedCount == UInt64(10_000 - expected))
    }

    @Test("requests and retries are forgotten after ten seconds")
    func window() {
        var budget = RetryBudget(percent: 50, minimumPerSecond: 1)
        for _ in 0..<100 { budget.requestBegan(now: 0) }
        #expect(Self.grants(&budget, now: 9 * Self.second) == 60)
        // The requests of second 0 are forgotten, the retries of second 9 are not.
        #expect(Self.grants(&budget, now: 10 * Self.second) == 0)
        #expect(Self.grants(&budget, now: 19 * Self.second) == 10)
        #expect(Self.grants(&budget, now: 1_000_000 * Self.second) == 10)
    }

    @Test("a clock that goes back or jumps to its end does no harm")
    func clock() {
        var budget = RetryBudget(percent: 100, minimumPerSecond: 0)
        budget.requestBegan(now: 50 * Self.second)
        budget.requestBegan(now: 0)
        #expect(Self.grants(&budget, now: 1) == 2)
        budget.requestBegan(now: .max)
        #expect(Self.grants(&budget, now: .max) == 1)
        #expect(Self.grants(&budget, now: 0) == 0)
    }

    @Test("in no ten seconds are more retries granted than share and floor allow", arguments: 0..<10 as Range<UInt64>)
    func bound(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let percent = Int.random(in: 0...100, using: &generator)
        let floor = Int.random(in: 0...5, using: &generator)
        var budget = RetryBudget(percent: percent, minimumPerSecond: floor)
        var events: [(second: UInt64, isRequest: Bool)] = []
        var now: UInt64 = 0
        for _ in 0..<5_000 {
            now += UInt64.random(in: 0...(Self.second / 20), using: &generator)
            if Int.random(in: 0..<3, using: &generator) > 0 {
                budget.requestBegan(now: now)
                events.append((now / Self.second, true))
            } else if budget.withdraw(now: now) == .granted {
                events.append((now / Self.second, false))
            }
        }
        for start in 0..<(now / Self.second) {
            let window = events.filter { (start..<(start + 10)).contains($0.second) }
            // Retries of the window may have been paid by requests up to ten seconds before it.
            let paying = events.filter { $0.isRequest && $0.second + 10 > start && $0.second < start + 10 }.count
            let retries = window.filter { !$0.isRequest }.count
            #expect(retries * 100 <= paying * percent + floor * 10 * 100)
        }
    }
}
