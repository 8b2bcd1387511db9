import Balancing
import Testing

@Suite("Refusal streak")
struct RefusalStreakTests {
    private static let millisecond: UInt64 = 1_000_000

    /// The verdicts on dials that are refused at these milliseconds.
    private static func verdicts(_ times: [UInt64]) -> [RefusalStreak.Verdict] {
        var streak = RefusalStreak()
        return times.map { streak.refused(at: 5_000 * millisecond + $0 * millisecond) }
    }

    @Test("several refusals over half a second are proof, fewer or faster ones are not")
    func proof() {
        #expect(Self.verdicts([0]) == [.undecided])
        #expect(Self.verdicts([0, 170, 340, 510]) == [.undecided, .undecided, .undecided, .refusesAll])
        #expect(Self.verdicts([0, 600]) == [.undecided, .undecided], "two are not several")
        #expect(Self.verdicts(Array(0..<400)).allSatisfy { $0 == .undecided }, "a burst is one moment")
        #expect(Self.verdicts([0, 300, 499, 500]) == [.undecided, .undecided, .undecided, .refusesAll])
    }

    @Test("what is long past says nothing, and a connection ends a streak")
    func memory() {
        #expect(Self.verdicts([0, 250, 500, 2_501]).suffix(2) == [.refusesAll, .undecided])
        #expect(Self.verdicts([0, 250, 500, 2_500]).suffix(2) == [.refusesAll, .refusesAll])
        var streak = RefusalStreak()
        for time in [0, 250, 500] as [UInt64] { _ = streak.refused(at: time * Self.millisecond) }
        streak.connected()
        #expect(streak.refused(at: 510 * Self.millisecond) == .undecided)
    }

    @Test("a clock at either end of its range does not trap")
    func extremes() {
        var streak = RefusalStreak()
        for time in [UInt64.max, 0, .max, .max - 1, 1] { _ = streak.refused(at: time) }
        for _ in 0..<300 { _ = streak.refused(at: .max) }
        #expect(streak.refused(at: .max) == .undecided)
    }
}
