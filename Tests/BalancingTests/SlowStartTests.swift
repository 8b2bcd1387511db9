import Balancing
import TestSupport
import Testing

@Suite("Slow start")
struct SlowStartTests {
    static let second: UInt64 = 1_000_000_000
    static let duration = 30 * second

    @Test(
        "the share grows from a tenth to all of it",
        arguments: [(0, 0.1), (10, 0.4), (15, 0.55), (20, 0.7), (30, 1), (31, 1), (.max / second, 1)]
            as [(UInt64, Double)])
    func share(seconds: UInt64, expected: Double) {
        #expect(abs(SlowStart.share(after: seconds * Self.second, of: Self.duration) - expected) < 0.001)
    }

    @Test("without a duration the share is whole at once")
    func none() { #expect(SlowStart.share(after: 0, of: 0) == 1) }

    /// How often the server at `position` is chosen of `count` choices at one moment, where it is proposed first always.
    private func turns(
        _ slowStart: inout SlowStart, at now: UInt64, of count: Int, position: Int = 1
    ) -> Int {
        (0..<count).count { _ in
            slowStart.beginChoice(at: now, duration: Self.duration)
            guard slowStart.admits(position) else { return false }
            slowStart.chose(position)
            return true
        }
    }

    @Test("a server gets its share of its part of the turns, however often it is proposed")
    func turns() {
        var slowStart = SlowStart()
        #expect(!slowStart.isActive && slowStart.admits(1))
        slowStart.update([SlowStart.Entrant(position: 1, since: 100 * Self.second, part: 0.25)])
        #expect(slowStart.isActive && slowStart.admits(0))
        for (seconds, expected) in [(0, 25), (10, 100), (15, 137), (20, 175), (29, 242)] as [(UInt64, Int)] {
            let count = turns(&slowStart, at: (100 + seconds) * Self.second, of: 1_000)
            #expect(abs(count - expected) <= 2, "\(count) after \(seconds) s")
        }
        #expect(turns(&slowStart, at: 130 * Self.second, of: 10) == 10)
        #expect(!slowStart.isActive)
    }

    @Test("what is earned stays when others come and go, and cannot be hoarded")
    func updates() {
        var slowStart = SlowStart()
        let entrant = SlowStart.Entrant(position: 1, since: Self.second, part: 0.5)
        slowStart.update([entrant])
        for _ in 0..<19 { slowStart.beginChoice(at: Self.second, duration: Self.duration) }
        #expect(!slowStart.admits(1))
        slowStart.update([SlowStart.Entrant(position: 0, since: Self.second, part: 0.5), entrant])
        for _ in 0..<2 { slowStart.beginChoice(at: Self.second, duration: Self.duration) }
        #expect(slowStart.admits(1) && !slowStart.admits(0))
        for _ in 0..<500 { slowStart.beginChoice(at: Self.second, duration: Self.duration) }
        slowStart.chose(1)
        slowStart.chose(1)
        #expect(!slowStart.admits(1))
        // It came again: it begins again.
        slowStart.update([SlowStart.Entrant(position: 0, since: 2 * Self.second, part: 0.5)])
        #expect(!slowStart.admits(0) && slowStart.admits(1))
    }

    @Test("no time traps", arguments: [0, 1, .max] as [UInt64])
    func extremes(now: UInt64) {
        for since in [1, .max] as [UInt64] {
            for duration in [0, 1, .max] as [UInt64] {
                var slowStart = SlowStart()
                slowStart.update([SlowStart.Entrant(position: 0, since: since, part: 1)])
                slowStart.beginChoice(at: now, duration: duration)
                _ = slowStart.admits(0)
                slowStart.chose(0)
            }
        }
    }
}
