import TestSupport
import Testing

@testable import RateLimiting

/// What a store is told of rates, and when.
@Suite("Reports of rates")
struct RateReportsTests {
    private typealias Key = RateReports.Key

    private static func key(_ number: UInt64) -> Key { Key(high: number, low: ~number) }

    @Test("one report of a key is under way at a time, and what it uses meanwhile goes with the next")
    func oneAtATime() throws {
        var reports = RateReports()
        let key = Self.key(1)
        reports.note(key, local: 7, used: 10, most: 100)
        reports.note(key, local: 7, used: 5, most: 100)
        #expect(reports.hasNext)
        #expect(reports.next() == RateReports.Report(key: key, used: 15, most: 100))
        #expect(!reports.hasNext && reports.next() == nil)
        for _ in 0..<3 { reports.note(key, local: 7, used: 10, most: 100) }
        #expect(reports.next() == nil, "the first one is not over")
        #expect(reports.finish(key) == RateReports.Ended(local: 7, untold: 30, most: 100))
        #expect(reports.next()?.used == 30)
        #expect(reports.finish(key)?.untold == 0)
        #expect(reports.isEmpty && reports.underWay == 0)
        #expect(reports.finish(key) == nil)
    }

    @Test("what is given back before it was told is never told, and after that it is")
    func givenBack() {
        var reports = RateReports()
        reports.note(Self.key(1), local: 1, used: 10, most: 100)
        reports.note(Self.key(1), local: 1, used: -10, most: 100)
        #expect(reports.next() == nil && reports.isEmpty)
        reports.note(Self.key(1), local: 1, used: 10, most: 100)
        #expect(reports.next()?.used == 10)
        reports.note(Self.key(1), local: 1, used: -10, most: 100)
        _ = reports.finish(Self.key(1))
        #expect(reports.next()?.used == -10)
    }

    @Test("of too many keys those are forgotten that have waited longest, and those are not that are under way")
    func bounds() {
        var reports = RateReports(keys: 4, underWay: 2)
        for number in 1...2 as ClosedRange<UInt64> { reports.note(Self.key(number), local: 0, used: 1, most: 9) }
        #expect(reports.next()?.key == Self.key(1) && reports.next()?.key == Self.key(2))
        for number in 3...8 as ClosedRange<UInt64> { reports.note(Self.key(number), local: 0, used: 1, most: 9) }
        #expect(reports.dropped == 4 && !reports.hasNext && reports.next() == nil)
        _ = reports.finish(Self.key(1))
        #expect(reports.next()?.key == Self.key(7))
        #expect(reports.dropWaiting() == 1 && reports.underWay == 2)
        _ = reports.finish(Self.key(2))
        _ = reports.finish(Self.key(7))
        #expect(reports.isEmpty)
        // Where all are under way a new one has no place.
        var full = RateReports(keys: 1, underWay: 1)
        full.note(Self.key(1), local: 0, used: 1, most: 9)
        _ = full.next()
        full.note(Self.key(2), local: 0, used: 1, most: 9)
        #expect(full.dropped == 1 && full.next() == nil)
    }

    @Test("everything that is used is told once, or counted as forgotten", arguments: 1...20 as ClosedRange<UInt64>)
    func sums(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var reports = RateReports(keys: 12, underWay: 3)
        var noted: [Key: Int64] = [:]
        var told: [Key: Int64] = [:]
        var underWay: [Key] = []
        func tell() {
            guard let report = reports.next() else { return }
            #expect(!underWay.contains(report.key) && report.used != 0, "seed \(seed)")
            told[report.key, default: 0] += report.used
            underWay.append(report.key)
        }
        for _ in 0..<5_000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0...4:
                let key = Self.key(UInt64.random(in: 0..<12, using: &random))
                let used = Int64.random(in: -3...9, using: &random)
                noted[key, default: 0] += used
                reports.note(key, local: key.high, used: used, most: 1_000)
            case 5...7: tell()
            default:
                guard let index = underWay.indices.randomElement(using: &random) else { break }
                let key = underWay.remove(at: index)
                #expect(reports.finish(key)?.local == key.high, "seed \(seed)")
            }
            #expect(reports.underWay == underWay.count && underWay.count <= 3, "seed \(seed)")
        }
        while !underWay.isEmpty || reports.hasNext {
            tell()
            if let key = underWay.popLast() { _ = reports.finish(key) }
        }
        #expect(reports.isEmpty && reports.dropped == 0, "seed \(seed)")
        for (key, sum) in noted { #expect(told[key, default: 0] == sum, "seed \(seed)") }
    }

    @Test("sums that no number holds are cut")
    func overflow() {
        var reports = RateReports()
        for _ in 0..<3 { reports.note(Self.key(1), local: 0, used: .max, most: 9) }
        #expect(reports.next()?.used == .max)
        for _ in 0..<3 { reports.note(Self.key(1), local: 0, used: .min, most: 9) }
        #expect(reports.finish(Self.key(1))?.untold == .min)
    }
}
