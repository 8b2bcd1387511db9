import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

@Suite("Learned sessions")
struct LearnedSessionsTests {
    private static let idle = Interval.seconds(60)
    /// What the table says that it has of each server.
    private final class Counts {
        private var values: [ServerID: Int64] = [:]
        var sum: Int { Int(values.values.reduce(0, +)) }
        func add(_ server: ServerID, _ change: Int64) { values[server, default: 0] += change }
        subscript(server: ServerID) -> Int { Int(values[server, default: 0]) }
    }

    private let counts = Counts()
    private let start = Instant(nanoseconds: 1_000_000_000_000)

    private func id(_ number: Int) -> [UInt8] { Array("session-\(number)".utf8) }

    /// Another generation of a slot is another server.
    private func server(_ number: Int) -> ServerID {
        ServerID(slot: UInt16(number / 2), generation: UInt16(number % 2))
    }

    @discardableResult
    private func insert(_ table: LearnedSessions, _ number: Int, server: Int = 0, at now: Instant) -> Bool {
        let result = table.insert(
            id(number).span, of: 0, server: self.server(server), now: now, idle: Self.idle, counter: counts.add)
        return result == .learned
    }

    private func find(_ table: LearnedSessions, _ number: Int, at now: Instant) -> Int? {
        table.find(id(number).span, of: 0, now: now, idle: Self.idle, counter: counts.add).map {
            Int($0.slot) * 2 + Int($0.generation)
        }
    }

    @Test("a session is found with its server and its time until it is removed")
    func found() {
        let table = LearnedSessions(limit: 1_000)
        for number in 0..<100 { #expect(insert(table, number, server: number % 3, at: start)) }
        #expect(table.count == 100)
        #expect((0..<3).map { counts[server($0)] } == [34, 33, 33])
        for number in 0..<100 {
            #expect(find(table, number, at: start) == number % 3)
        }
        table.remove(id(5).span, of: 0, counter: counts.add)
        table.remove(id(5_000).span, of: 0, counter: counts.add)
        #expect(find(table, 5, at: start) == nil)
        #expect(find(table, 5_000, at: start) == nil)
        #expect(table.count == 99)
    }

    @Test("a session that is learned again has its new server, and takes no second place")
    func again() {
        let table = LearnedSessions(limit: 16)
        #expect(insert(table, 1, server: 0, at: start))
        #expect(insert(table, 1, server: 2, at: start), "its shard is full of nobody but itself")
        #expect(table.count == 1)
        #expect(find(table, 1, at: start) == 2)
    }

    @Test("a full table refuses newcomers and forgets nobody who is alive", arguments: [1, 16, 64, 160, 1_600])
    func full(limit: Int) {
        let table = LearnedSessions(limit: limit)
        var kept: [Int] = []
        for number in 0..<(limit * 4 + 400) where insert(table, number, server: 1, at: start) { kept.append(number) }
        // Each of 16 shards has its part of the bound, one at least.
        #expect(table.count == 16 * max(1, limit / 16), "all shards are full")
        #expect(kept.count == table.count)
        for number in kept { #expect(find(table, number, at: start) == 1) }
        for number in kept { #expect(insert(table, number, server: 2, at: start), "who is in may be learned anew") }
        #expect(counts[server(2)] == kept.count)
        // Whoever goes leaves a place in its shard, for a newcomer of that shard.
        let gone = kept.removeLast()
        table.remove(id(gone).span, of: 0, counter: counts.add)
        let late = (1_000_000..<1_002_000).filter { insert(table, $0, at: start) }
        #expect(late.count == 1)
    }

    @Test("sessions idle for their time make way, used ones stay")
    func idle() {
        let table = LearnedSessions(limit: 160)
        var kept: [Int] = []
        for number in 0..<1_000 where insert(table, number, at: start) { kept.append(number) }
        #expect(kept.count == 160)
        let used = Set(kept.prefix(40))
        for number in used { #expect(find(table, number, at: start + .seconds(30)) == 0) }

        let almost = start + .seconds(59)
        let refused = (2_000..<2_500).filter { insert(table, $0, at: almost) }
        #expect(refused.isEmpty, "nobody is idle for long enough")
        let later = start + .seconds(60)
        let newcomers = (3_000..<4_000).filter { insert(table, $0, at: later) }

        #expect(newcomers.count == 120)
        #expect(table.count == 160)
        for number in used { #expect(find(table, number, at: later) == 0) }
        for number in kept where !used.contains(number) { #expect(find(table, number, at: later) == nil) }
    }

    @Test("a session is idle from its last use, to the nanosecond, and then is nobody's")
    func expiry() {
        let table = LearnedSessions(limit: 100)
        insert(table, 1, server: 4, at: start)
        let last = start + .seconds(60)
        let justBefore = Instant(nanoseconds: last.nanoseconds - 1)
        #expect(find(table, 1, at: justBefore) == 4)
        #expect(find(table, 1, at: last) == 4, "the look before was a use")
        #expect(find(table, 1, at: last + .seconds(60)) == nil)
        #expect(table.count == 0, "whoever is found idle is forgotten")
        #expect(find(table, 1, at: start) == nil)
    }

    @Test("a full table that refuses looks for idle sessions when there can be some")
    func sweeps() {
        let table = LearnedSessions(limit: 16)
        for number in 0..<400 { insert(table, number, at: start) }
        #expect(table.count == 16)
        let idleAt = start + .seconds(60)
        let before = Instant(nanoseconds: idleAt.nanoseconds - 1_000_000_000)
        #expect((1_000..<1_400).allSatisfy { !insert(table, $0, at: before) })
        #expect((2_000..<2_400).contains { insert(table, $0, at: idleAt) })
        #expect(counts.sum == 16)
    }

    @Test("one id names a session of each upstream")
    func scopes() {
        let table = LearnedSessions(limit: 100)
        for upstream in [1, 2, 258] {
            let result = table.insert(
                id(1).span, of: upstream, server: server(upstream % 4), now: start, idle: Self.idle, counter: counts.add
            )
            #expect(result == .learned)
        }
        table.remove(id(1).span, of: 2, counter: counts.add)
        let found = [1, 2, 258, 3].map { upstream in
            table.find(id(1).span, of: upstream, now: start, idle: Self.idle, counter: counts.add)
        }
        #expect(found == [server(1), nil, server(2), nil])
    }

    @Test("a session that a server denied once is forgotten soon, unless it is used again")
    func doubt() {
        let table = LearnedSessions(limit: 100)
        for number in 0..<3 { insert(table, number, at: start) }
        for number in 0..<2 {
            table.doubt(id(number).span, of: 0, now: start, idle: Self.idle, forgetAfter: .seconds(5))
        }
        #expect(find(table, 1, at: start + .seconds(4)) == 0)
        #expect(find(table, 0, at: start + .seconds(6)) == nil)
        #expect(find(table, 1, at: start + .seconds(50)) == 0 && find(table, 2, at: start + .seconds(50)) == 0)
        #expect(counts.sum == 2)
    }

    @Test("the table agrees with a plain dictionary", arguments: 1...10 as ClosedRange<UInt64>)
    func model(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        // Never full: whether it may refuse depends on shards, which follow from a key of its own.
        let table = LearnedSessions(limit: 16 * 64)
        var model: [Int: (server: Int, usedAt: Instant)] = [:]
        var now = start
        for _ in 0..<3_000 {
            let number = Int.random(in: 0..<64, using: &generator)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<4:
                let server = Int.random(in: 0..<5, using: &generator)
                #expect(insert(table, number, server: server, at: now))
                model[number] = (server, now)
            case 4..<8:
                if let entry = model[number] {
                    model[number] = now - entry.usedAt < Self.idle ? (entry.server, now) : nil
                }
                #expect(find(table, number, at: now) == model[number]?.server, "seed \(seed)")
            case 8:
                table.remove(id(number).span, of: 0, counter: counts.add)
                model[number] = nil
            default:
                now = now + .seconds(UInt64.random(in: 0..<20, using: &generator))
            }
            #expect(table.count == model.count && counts.sum == model.count, "seed \(seed)")
        }
    }
}
