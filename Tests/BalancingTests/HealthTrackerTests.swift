import Balancing
import TestSupport
import Testing

@Suite("Health tracker")
struct HealthTrackerTests {
    /// The checks of a run as text, `+` passed and `-` failed, to the verdicts at the checks that changed it.
    static func verdicts(_ probes: String, _ tracker: inout HealthTracker) -> [Int: HealthTracker.Verdict] {
        var changes: [Int: HealthTracker.Verdict] = [:]
        for (index, probe) in probes.enumerated() {
            if let verdict = tracker.record(probe == "+" ? .passed : .failed) { changes[index] = verdict }
        }
        return changes
    }

    @Test(
        "flips only after a run, with rise 2 and fall 3",
        arguments: [
            ("", [:]), ("+++", [:]), ("--", [:]), ("---", [2: .unhealthy]), ("--+--+--", [:]),
            ("---++", [2: .unhealthy, 4: .healthy]), ("---+-+-+", [2: .unhealthy]), ("----", [2: .unhealthy]),
            ("---++--+---", [2: .unhealthy, 4: .healthy, 10: .unhealthy]),
        ] as [(String, [Int: HealthTracker.Verdict])])
    func runs(_ probes: String, _ expected: [Int: HealthTracker.Verdict]) {
        var tracker = HealthTracker(rise: 2, fall: 3)
        #expect(Self.verdicts(probes, &tracker) == expected)
    }

    @Test("is available before any check, and proven by a success or by `fall` failures")
    func start() {
        var tracker = HealthTracker(rise: 2, fall: 2)
        #expect(tracker.isHealthy && !tracker.isProven)
        _ = tracker.record(.failed)
        #expect(tracker.isHealthy && !tracker.isProven)
        #expect(tracker.record(.failed) == .unhealthy)
        #expect(!tracker.isHealthy && tracker.isProven)

        var other = HealthTracker(rise: 2, fall: 2)
        #expect(other.record(.passed) == nil)
        #expect(other.isHealthy && other.isProven)
    }

    @Test("packs into a word and comes out the same, at every step of any run", arguments: 0..<20 as Range<UInt64>)
    func packing(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var tracker = HealthTracker(
            rise: .random(in: 1...4, using: &generator), fall: .random(in: 1...4, using: &generator))
        var packed = tracker.packed
        for _ in 0..<500 {
            let outcome: HealthTracker.Outcome = Bool.random(using: &generator) ? .passed : .failed
            var unpacked = HealthTracker(packed: packed)
            #expect(unpacked == tracker)
            #expect(unpacked.record(outcome) == tracker.record(outcome))
            packed = unpacked.packed
        }
        #expect(packed == tracker.packed)
    }

    @Test("no thresholds and no word trap", arguments: [0, .max, 0xFFFF_0000_0000, 1 << 48] as [UInt64])
    func extremes(packed: UInt64) {
        for start in [HealthTracker(packed: packed), HealthTracker(rise: .max, fall: -5)] {
            var tracker = start
            for _ in 0..<70_000 { _ = tracker.record(tracker.isHealthy ? .failed : .passed) }
            #expect(HealthTracker(packed: tracker.packed) == tracker)
        }
    }
}

@Suite("Panic")
struct PanicThresholdTests {
    @Test(
        "applies below the threshold only",
        arguments: [
            (0, 3, 50, true), (1, 3, 50, true), (2, 4, 50, false), (2, 3, 50, false), (3, 3, 100, false),
            (2, 3, 100, true), (0, 3, 0, false), (0, 0, 50, false),
        ])
    func threshold(_ available: Int, _ total: Int, _ percent: Int, _ expected: Bool) {
        #expect(PanicThreshold.applies(available: available, total: total, thresholdPercent: percent) == expected)
    }
}
