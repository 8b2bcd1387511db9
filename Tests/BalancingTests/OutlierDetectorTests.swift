import Balancing
import TestSupport
import Testing

@Suite("Outlier detector")
struct OutlierDetectorTests {
    static let second: UInt64 = 1_000_000_000
    static let rule = OutlierDetector.Rule(failures: 3, baseEjection: 30 * second)

    @Test(
        "considers an ejection after failures in a row only",
        arguments: [
            ("", []), ("++", []), ("--", []), ("---", [2]), ("--+--", []), ("--+---", [5]), ("----", [2, 3]),
            ("---+--", [2]), ("-+-+-+-+", []),
        ] as [(String, [Int])])
    func runs(_ work: String, _ expected: [Int]) {
        var detector = OutlierDetector()
        let considered = work.enumerated().filter {
            detector.record($0.element == "+" ? .succeeded : .failed, Self.rule) == .considerEjection
        }
        #expect(considered.map(\.offset) == expected)
        #expect(detector.hasFailures == (work.last == "-"))
        #expect(!detector.isEjected)
    }

    /// Ejects at `now` and returns the seconds.
    private func eject(_ detector: inout OutlierDetector, at now: UInt64) -> UInt64 {
        detector.eject(at: now * Self.second, Self.rule) / Self.second
    }

    private func expectReadmitted(
        _ detector: inout OutlierDetector, _ expected: Bool, at now: UInt64,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let isReadmitted = detector.readmit(at: now * Self.second)
        #expect(isReadmitted == expected && detector.isEjected != expected, sourceLocation: sourceLocation)
    }

    @Test("the time grows by its base with every ejection, up to five minutes")
    func growth() {
        var detector = OutlierDetector()
        var now: UInt64 = 1_000
        var times: [UInt64] = []
        for _ in 0..<14 {
            let time = eject(&detector, at: now)
            times.append(time)
            #expect(detector.isEjected && !detector.isDue(at: (now + time - 1) * Self.second))
            expectReadmitted(&detector, false, at: now + time - 1)
            now += time
            expectReadmitted(&detector, true, at: now)
            #expect(!detector.isEjected && !detector.hasFailures)
            // Back for less than a base.
            now += 29
        }
        #expect(times == [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300, 300, 300])
    }

    @Test(
        "it shrinks by one base for each base without an ejection",
        arguments: [(0, 90), (29, 90), (30, 60), (59, 60), (60, 30), (600, 30)] as [(UInt64, UInt64)])
    func shrinking(quiet: UInt64, expected: UInt64) {
        var detector = OutlierDetector()
        #expect(eject(&detector, at: 100) == 30)
        expectReadmitted(&detector, true, at: 130)
        #expect(eject(&detector, at: 131) == 60)
        expectReadmitted(&detector, true, at: 191)
        #expect(eject(&detector, at: 191 + quiet) == expected)
    }

    @Test("a base longer than five minutes is kept")
    func longBase() {
        var detector = OutlierDetector()
        let rule = OutlierDetector.Rule(failures: 1, baseEjection: 600 * Self.second)
        #expect(detector.eject(at: 0, rule) == 600 * Self.second)
        expectReadmitted(&detector, true, at: 600)
        #expect(detector.eject(at: 601 * Self.second, rule) == 600 * Self.second)
    }

    @Test("what comes while it is ejected does not count, and one that is revoked leaves nothing behind")
    func whileEjected() {
        var detector = OutlierDetector()
        for _ in 0..<3 { _ = detector.record(.failed, Self.rule) }
        #expect(eject(&detector, at: 10) == 30)
        for _ in 0..<9 { #expect(detector.record(.failed, Self.rule) == .none) }
        expectReadmitted(&detector, true, at: 40)
        #expect(!detector.hasFailures)
        let isReadmittedAgain = detector.readmit(at: 41 * Self.second)
        #expect(!isReadmittedAgain)
        #expect(eject(&detector, at: 41) == 60)
        detector.revoke()
        #expect(!detector.isEjected)
        #expect(eject(&detector, at: 42) == 60)
    }

    @Test(
        "a share of the servers, one at least, never all, and none of one",
        arguments: [
            (0, 34, 0), (1, 34, 0), (1, 100, 0), (2, 1, 1), (2, 100, 1), (3, 34, 1), (3, 66, 1), (3, 67, 2),
            (3, 100, 2),
            (6, 34, 2), (10, 34, 3), (1_000, 34, 340), (5, 0, 0), (.max, 34, .max - 1), (4, 400, 3),
        ] as [(Int, Int, Int)])
    func limits(servers: Int, percent: Int, expected: Int) {
        #expect(OutlierDetector.limit(servers: servers, maximumPercent: percent) == expected)
    }

    /// The same in plain variables.
    private struct Model {
        var row = 0
        var ejections = 0
        var until: UInt64?
        var back: UInt64 = 0
    }

    @Test("agrees with a plain model under random events, packed at every step", arguments: 0..<40 as Range<UInt64>)
    func random(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let rule = OutlierDetector.Rule(
            failures: .random(in: 1...6, using: &generator),
            baseEjection: .random(in: 1...40, using: &generator) * Self.second)
        var packed = OutlierDetector().packed
        var model = Model()
        var now: UInt64 = 0
        for _ in 0..<2_000 {
            now += .random(in: 0...5, using: &generator) * Self.second
            var detector = OutlierDetector(packed: packed)
            if Int.random(in: 0..<4, using: &generator) == 0 {
                let isOver = model.until.map { $0 <= now } ?? false
                let isReadmitted = detector.readmit(at: now)
                #expect(isReadmitted == isOver, "seed \(seed)")
                if isOver { (model.until, model.row, model.back) = (nil, 0, now) }
            } else {
                let fails = Int.random(in: 0..<5, using: &generator) > 1
                let action = detector.record(fails ? .failed : .succeeded, rule)
                if model.until == nil { model.row = fails ? model.row + 1 : 0 }
                let isDue = model.until == nil && fails && model.row >= rule.failures
                #expect(action == (isDue ? .considerEjection : .none), "seed \(seed)")
                if isDue, Bool.random(using: &generator) {
                    model.ejections -= min(model.ejections, Int((now - model.back) / rule.baseEjection))
                    model.ejections += 1
                    let time = max(
                        rule.baseEjection, min(rule.baseEjection * UInt64(model.ejections), 300 * Self.second))
                    #expect(detector.eject(at: now, rule) == time, "seed \(seed)")
                    (model.until, model.row) = (now + time, 0)
                }
            }
            #expect(detector.isEjected == (model.until != nil), "seed \(seed)")
            packed = detector.packed
            #expect(OutlierDetector(packed: packed) == detector, "seed \(seed)")
        }
    }

    @Test("no word, no time and no rule trap", arguments: [0, .max, 1 << 63, 0xFF_FFFF, .max >> 1] as [UInt64])
    func extremes(packed: UInt64) {
        for rule in [
            OutlierDetector.Rule(failures: -5, baseEjection: 0),
            OutlierDetector.Rule(failures: .max, baseEjection: .max),
        ] {
            for now in [0, 1, .max] as [UInt64] {
                var detector = OutlierDetector(packed: packed)
                _ = detector.record(.failed, rule)
                _ = detector.record(.succeeded, rule)
                _ = detector.eject(at: now, rule)
                _ = detector.readmit(at: .max)
                _ = detector.eject(at: now, rule)
                detector.revoke()
                _ = OutlierDetector(packed: detector.packed)
            }
        }
    }
}
