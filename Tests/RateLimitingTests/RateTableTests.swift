import Foundation
import Kernel
import Synchronization
import TestSupport
import Testing

@testable import RateLimiting

/// A number that threads count in.
final class SharedCount: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .relaxed) }

    /// Adds, and returns the sum.
    @discardableResult
    func add(_ number: Int) -> Int { count.add(number, ordering: .relaxed).newValue }
}

/// The table against an exact one, with many keys, and from many threads.
@Suite("The table of rates")
struct RateTableTests {
    private static let second: UInt64 = 1_000_000_000

    /// The same algorithm in a dictionary, in nanoseconds, where nothing is ever forgotten.
    private struct Exact {
        var arrivals: [UInt64: UInt64] = [:]

        func allows(_ key: UInt64, _ rate: RequestRate, now: UInt64) -> Bool {
            let interval = rate.interval * RequestRate.nanosecondsPerTick
            return max(arrivals[key] ?? 0, now) + interval - now <= interval * UInt64(rate.burst)
        }

        mutating func note(_ key: UInt64, _ rate: RequestRate, now: UInt64) {
            arrivals[key] = max(arrivals[key] ?? 0, now) + rate.interval * RequestRate.nanosecondsPerTick
        }
    }

    @Test("what others have used counts as well, and never less than what is known", arguments: [0, 1])
    func raised(known: Int) throws {
        let table = try RateTable(capacity: 64)
        let rate = RequestRate(60, per: 60, burst: 10)
        let now = 1_000 * Self.second
        for _ in 0..<known { _ = table.take(5, rate, now: now) }
        table.raise(5, to: RequestRate.ticks(ofMicroseconds: 8_000_000), now: now)
        #expect(table.take(5, rate, now: now) == .allowed(remaining: 1))
        table.raise(5, to: RequestRate.ticks(ofMicroseconds: 3_000_000), now: now)
        #expect(table.take(5, rate, now: now) == .allowed(remaining: 0))
        #expect(table.take(5, rate, now: now) == .refused(nanoseconds: Self.second))
        // As if all others had used their bursts as well.
        table.raise(5, to: RequestRate.ticks(ofMicroseconds: 30_000_000), now: now)
        #expect(table.take(5, rate, now: now) == .refused(nanoseconds: 21 * Self.second))
        #expect(table.take(5, rate, now: now + 21 * Self.second) == .allowed(remaining: 0))
        // Another key, and nothing at all.
        #expect(table.take(6, rate, now: now) == .allowed(remaining: 9))
        table.raise(7, to: 0, now: now)
        #expect(table.take(7, rate, now: now) == .allowed(remaining: 9))
        table.raise(8, to: .max, now: now)
        guard case .refused(let wait) = table.take(8, rate, now: now) else {
            Issue.record("a year of it is used")
            return
        }
        #expect(wait < 366 * 86_400 * Self.second)
    }

    @Test("as long as all keys have a place it decides as an exact one does", arguments: 1...10)
    func exact(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let table = try RateTable(capacity: 4_096)
        var exact = Exact()
        let rate = RequestRate(
            Int.random(in: 1...20, using: &random), per: [1, 60, 3_600].randomElement(using: &random) ?? 1,
            burst: Int.random(in: 1...20, using: &random))
        var now: UInt64 = 16 * UInt64.random(in: 0...1_000_000_000, using: &random)
        var refused = 0
        for step in 0..<5_000 {
            now += 16 * UInt64.random(in: 0...UInt64(rate.seconds) * 500_000, using: &random)
            let key = UInt64.random(in: 0...9, using: &random) &* 0x1234_5678_9abc_def1
            let isAllowed = exact.allows(key, rate, now: now)
            if isAllowed { exact.note(key, rate, now: now) } else { refused += 1 }
            let verdict = table.take(key, rate, now: now)
            let agrees = if case .allowed = verdict { isAllowed } else { !isAllowed }
            try #require(agrees, "seed \(seed), step \(step)")
        }
        #expect(refused > 0, "seed \(seed)")
        #expect(table.forgotten == 0)
    }

    @Test("a full table forgets keys, and refuses none that an exact one would allow", arguments: 1...5)
    func forgetting(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let table = try RateTable(capacity: 64)
        var exact = Exact()
        let rate = RequestRate(1, per: 60, burst: 2)
        var now: UInt64 = 1_600
        var (wronglyRefused, letThrough) = (0, 0)
        for _ in 0..<10_000 {
            now += 16 * UInt64.random(in: 0...1_000_000, using: &random)
            let key = UInt64.random(in: 0...299, using: &random) &* 0x9e37_79b9_7f4a_7c15
            let verdict = table.take(key, rate, now: now)
            let isAllowed = if case .allowed = verdict { true } else { false }
            let wouldAllow = exact.allows(key, rate, now: now)
            if isAllowed, !wouldAllow { letThrough += 1 }
            // The exact one counts all that went on, and forgets nothing.
            if isAllowed { exact.note(key, rate, now: now) }
            if !isAllowed, wouldAllow { wronglyRefused += 1 }
        }
        #expect(wronglyRefused == 0, "seed \(seed)")
        #expect(letThrough > 0 && table.forgotten > 0, "seed \(seed)")
    }

    @Test("a million keys take no more memory than the table has, and few are forgotten")
    func million() throws {
        let before = Self.residentBytes
        let table = try RateTable(capacity: 1 << 21)
        let rate = RequestRate(1, per: 3_600)
        #expect(Self.residentBytes - before < 4 << 20, "the pages come as they are used")
        var random = SeededGenerator(seed: 7)
        let keys = (0..<1_000_000).map { _ in random.next() }
        for key in keys { _ = table.take(key, rate, now: 16) }
        var remembered = 0
        for index in stride(from: 0, to: keys.count, by: 10) {
            if table.take(keys[index], rate, now: 32) != .allowed(remaining: 0) { remembered += 1 }
        }
        #expect(table.byteCount == 32 << 20)
        #expect(remembered > 98_000, "\(remembered)")
        // Of the keys themselves there are eight megabytes.
        #expect(Self.residentBytes - before < 60 << 20)
        for _ in 0..<500_000 { _ = table.take(random.next(), rate, now: 48) }
        #expect(Self.residentBytes - before < 60 << 20, "half a million more")
    }

    private static var residentBytes: Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
            * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    @Test("what many threads take together is what one may")
    func threads() throws {
        let table = try RateTable(capacity: 1_024)
        let rate = RequestRate(1_000, per: 3_600)
        let allowed = (0..<4).map { _ in SharedCount() }
        try Self.inParallel(4) { thread in
            var random = SeededGenerator(seed: UInt64(thread))
            for _ in 0..<10_000 {
                let key = Int.random(in: 0..<4, using: &random)
                if case .allowed = table.take(UInt64(key) &* 0xdead_beef_1234_5679, rate, now: 1_600) {
                    allowed[key].add(1)
                }
            }
        }
        // Who meets a key that is new at the same moment, or fails too often, may be let through.
        for key in allowed { #expect((1_000...1_016).contains(key.value)) }
    }

    @Test("threads that push each other's keys out harm no key")
    func churn() throws {
        let table = try RateTable(capacity: 64)
        let rate = RequestRate(1, per: 60)
        let wrong = SharedCount()
        try Self.inParallel(4) { thread in
            var random = SeededGenerator(seed: UInt64(thread))
            for _ in 0..<10_000 {
                // Nobody has asked for this key before.
                let key = random.next() << 2 | UInt64(thread)
                if table.take(key, rate, now: 1_600) != .allowed(remaining: 0) { wrong.add(1) }
            }
        }
        #expect(wrong.value == 0)
        #expect(table.forgotten > 30_000)
    }

    /// Runs `body` on so many threads at once, and waits for them.
    static func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
        guard count > 0 else { return }
        let thread = try Kernel.Thread(named: "rates-\(count)") { body(count - 1) }
        let result = Result { try inParallel(count - 1, body) }
        thread.join()
        try result.get()
    }
}
