import Kernel
import TestSupport
import Testing

@testable import RateLimiting

/// Requests in progress.
@Suite("The table of requests in progress")
struct ConcurrencyTableTests {
    @Test("a key has as many as its limit, and another one is not concerned")
    func limit() throws {
        let table = try ConcurrencyTable(capacity: 64)
        guard case .held(let first) = table.claim(0, limit: 2), case .held = table.claim(0, limit: 2) else {
            Issue.record("two may go on")
            return
        }
        #expect(table.claim(0, limit: 2) == .refused)
        #expect(table.claim(1 << 40, limit: 2) != .refused)
        table.release(first)
        #expect(table.claim(0, limit: 2) != .refused)
        #expect(table.claim(0, limit: 2) == .refused)
        #expect(table.total == 3)
    }

    @Test("a set that is full lets others through, uncounted")
    func full() throws {
        let table = try ConcurrencyTable(capacity: 64)
        var holds: [UInt32] = []
        for key in 0..<9 {
            switch table.claim(UInt64(key) << 20, limit: 1) {
            case .held(let hold): holds.append(hold)
            case .uncounted: #expect(key == 8)
            case .refused: Issue.record("key \(key) has none yet")
            }
        }
        for hold in holds { table.release(hold) }
        #expect(table.total == 0)
    }

    @Test("against an exact count", arguments: 1...10)
    func exact(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let table = try ConcurrencyTable(capacity: 4_096)
        var counts: [UInt64: Int] = [:]
        var holds: [(key: UInt64, hold: UInt32)] = []
        let limit = Int.random(in: 1...5, using: &random)
        for step in 0..<5_000 {
            if !holds.isEmpty, Bool.random(using: &random) {
                let (key, hold) = holds.remove(at: Int.random(in: holds.indices, using: &random))
                table.release(hold)
                counts[key, default: 0] -= 1
                continue
            }
            let key = UInt64.random(in: 0...30, using: &random) &* 0x9e37_79b9_7f4a_7c15
            switch table.claim(key, limit: limit) {
            case .held(let hold):
                try #require(counts[key, default: 0] < limit, "seed \(seed), step \(step)")
                counts[key, default: 0] += 1
                holds.append((key, hold))
            case .refused: try #require(counts[key] == limit, "seed \(seed), step \(step)")
            case .uncounted: Issue.record("there are places, seed \(seed)")
            }
        }
        #expect(table.total == holds.count)
        for (_, hold) in holds { table.release(hold) }
        #expect(table.total == 0)
    }

    @Test("many threads keep to it, and nothing is left in the end")
    func threads() throws {
        let table = try ConcurrencyTable(capacity: 64)
        let inProgress = (0..<16).map { _ in SharedCount() }
        let (excess, refused) = (SharedCount(), SharedCount())
        try RateTableTests.inParallel(4) { thread in
            var random = SeededGenerator(seed: UInt64(thread))
            for _ in 0..<10_000 {
                let key = Int.random(in: 0..<16, using: &random)
                switch table.claim(UInt64(key) &* 0x9e37_79b9_7f4a_7c15, limit: 3) {
                case .held(let hold):
                    if inProgress[key].add(1) > 3 { excess.add(1) }
                    inProgress[key].add(-1)
                    table.release(hold)
                case .uncounted: break
                case .refused: refused.add(1)
                }
            }
        }
        #expect(table.total == 0)
        // Two threads that meet a key that is new at the same moment may let one through.
        #expect(excess.value < 160)
    }
}
