import Kernel
import TestSupport
import Testing

@testable import Discovery

/// When a source is asked, and which servers are in force after what it answers.
@Suite("State of discovery")
struct DiscoveryStateTests {
    private var state = DiscoveryState(at: Instant(nanoseconds: 0))
    private var limits = DiscoveryLimits()

    private static func server(_ number: Int, origin: String = "A") -> DiscoveredServer {
        DiscoveredServer(
            .ipv4(0x0a00_0000 + UInt32(number), port: 0), port: 3_001, certificateName: "mcp.test", origin: origin)
    }

    private static func servers(_ numbers: some Sequence<Int>) -> [DiscoveredServer] { numbers.map { server($0) } }

    private static func at(_ milliseconds: UInt64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    private mutating func timer(_ milliseconds: UInt64) -> DiscoveryState.Action {
        state.handle(.timer, limits, at: Self.at(milliseconds), draw: 0)
    }

    @discardableResult
    private mutating func answer(
        _ numbers: some Sequence<Int>, ttl: UInt64? = 5, at milliseconds: UInt64, draw: UInt32 = 0
    ) -> DiscoveryState.Action {
        let answer = DiscoveryAnswer(servers: Self.servers(numbers), ttl: ttl.map { .seconds($0) })
        return state.handle(.answered(answer), limits, at: Self.at(milliseconds), draw: draw)
    }

    @discardableResult
    private mutating func fail(_ reason: DiscoveryFailure.Reason, at milliseconds: UInt64) -> DiscoveryState.Action {
        state.handle(.failed(DiscoveryFailure(reason)), limits, at: Self.at(milliseconds), draw: 0)
    }

    private func names(_ servers: [DiscoveredServer]) -> [String] { servers.map(\.host) }

    // MARK: When

    @Test("it asks at once, and not again before it has an answer")
    mutating func first() {
        #expect(timer(0).asks)
        #expect(!timer(1).asks && !timer(100_000).asks)
        answer(1...3, at: 100_000)
        #expect(names(state.servers) == ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
        #expect(state.nextAt == Self.at(105_000))
        #expect(!timer(104_999).asks)
        #expect(timer(105_000).asks)
    }

    @Test(
        "the TTL says when, within its floor and its ceiling, with up to a tenth more",
        arguments: [(0, 1_000), (1, 1_000), (7, 7_000), (30, 30_000), (86_400, 30_000)] as [(UInt64, UInt64)])
    mutating func ttl(seconds: UInt64, expected: UInt64) {
        _ = timer(0)
        answer(1...1, ttl: seconds, at: 0)
        #expect(state.nextAt == Self.at(expected))
        answer(1...1, ttl: seconds, at: 0, draw: .max)
        #expect(state.nextAt == Self.at(expected + expected / 10))
    }

    @Test("a source without TTLs is asked after the floor")
    mutating func noTTL() {
        answer(1...1, ttl: nil, at: 0)
        #expect(state.nextAt == Self.at(1_000))
    }

    @Test("after failures in a row it waits twice as long each time, up to the ceiling; an answer ends that")
    mutating func backOff() {
        let waits: [UInt64] = (0..<8).map { _ in
            fail(.timeout, at: 0)
            return state.nextAt.nanoseconds / 1_000_000
        }
        #expect(waits == [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
        for _ in 0..<1_000 { fail(.timeout, at: 0) }
        #expect(state.nextAt == Self.at(30_000))
        answer(1...1, at: 0)
        fail(.timeout, at: 0)
        #expect(state.nextAt == Self.at(1_000))
    }

    // MARK: What

    @Test("servers appear, vanish and stay")
    mutating func changes() {
        var action = answer(1...3, at: 0)
        #expect(names(action.appeared) == ["10.0.0.1", "10.0.0.2", "10.0.0.3"] && action.kept == 0)
        action = answer(2...4, at: 1)
        #expect(names(action.appeared) == ["10.0.0.4"] && names(action.vanished) == ["10.0.0.1"] && action.kept == 2)
        action = answer(2...4, at: 2)
        #expect(!action.hasChanges && action.kept == 3)
    }

    @Test(
        "whatever fails, the last good servers stay, and it is said once", arguments: DiscoveryFailure.Reason.allCases)
    mutating func failures(reason: DiscoveryFailure.Reason) {
        answer(1...3, at: 0)
        var action = fail(reason, at: 1)
        #expect(action.notices == [.failing(DiscoveryFailure(reason), servers: 3)])
        #expect(!action.hasChanges && action.kept == 3 && state.servers.count == 3)
        action = fail(reason, at: 2)
        #expect(action.notices == [] && state.counts.failures == [reason: 2])
        action = answer(1...3, at: 3)
        #expect(action.notices == [.answersAgain] && state.failure == nil)
        #expect(state.counts.answeredAt == Self.at(3))
    }

    @Test("servers of an earlier process are in force from the start, and stay if the source fails")
    mutating func known() {
        state = DiscoveryState(known: Self.servers(1...3), at: Self.at(0))
        #expect(state.servers.count == 3)
        fail(.timeout, at: 1)
        #expect(state.servers.count == 3)
        let action = answer([2, 3, 4], at: 2)
        #expect(names(action.appeared) == ["10.0.0.4"] && names(action.vanished) == ["10.0.0.1"])
    }

    @Test("what was found by a part of the question that now fails stays; the rest has its way")
    mutating func parts() {
        let six = DiscoveredServer(host: "fd00::1", port: 3_001, certificateName: "mcp.test")
        var both = DiscoveryAnswer(servers: Self.servers(1...2) + [six])
        both.servers[2].origin = "AAAA"
        _ = state.handle(.answered(both), limits, at: Self.at(0), draw: 0)
        var part = DiscoveryAnswer(servers: Self.servers(2...3))
        part.unanswered = ["AAAA"]
        part.problem = DiscoveryFailure(.timeout)
        let action = state.handle(.answered(part), limits, at: Self.at(1), draw: 0)
        #expect(names(state.servers) == ["10.0.0.2", "10.0.0.3", "fd00::1"])
        #expect(action.notices == [.failing(DiscoveryFailure(.timeout), servers: 3)])
        #expect(state.counts.answeredAt == Self.at(1) && state.counts.failures == [.timeout: 1])
        answer(2...3, at: 2)
        #expect(names(state.servers) == ["10.0.0.2", "10.0.0.3"], "an answer without it is another matter")
    }

    @Test("another weight or role is a change of the server, and counts for nothing else")
    mutating func altered() {
        answer(1...2, at: 0)
        var answer = DiscoveryAnswer(servers: Self.servers(1...2))
        answer.servers[1].weight = 5
        let action = state.handle(.answered(answer), limits, at: Self.at(1), draw: 0)
        #expect(names(action.altered) == ["10.0.0.2"] && action.appeared.isEmpty && action.vanished.isEmpty)
        #expect(state.servers.map(\.weight) == [1, 5] && state.counts.appeared == 2)
    }

    // MARK: Limits

    @Test("200 servers come at once; of more than the limit those stay that are there, and it is said once")
    mutating func many() {
        limits.maximumServers = 200
        #expect(answer(1...200, at: 0).notices == [])
        #expect(state.servers.count == 200)
        let action = answer(0...250, at: 1)
        #expect(action.notices == [.tooMany(found: 251, maximum: 200)])
        #expect(!action.hasChanges && state.counts.omitted == 51)
        #expect(answer(0...250, at: 2).notices == [])
        #expect(answer(1...200, at: 3).notices == [] && state.counts.omitted == 0)
    }

    @Test("more changes than are allowed wait for their window, and come into force without another answer")
    mutating func churn() {
        limits.maximumChanges = 4
        limits.maximumTTL = .seconds(3_600)
        answer(1...10, ttl: 3_600, at: 0)
        let action = answer(11...20, ttl: 3_600, at: 1_000)
        #expect(action.notices == [.changesWait(16, 4)])
        #expect(names(action.appeared) == ["10.0.0.11", "10.0.0.12"] && action.vanished.count == 2)
        #expect(state.waiting == 16 && state.nextAt == Self.at(11_000))
        #expect(!timer(10_999).hasChanges)
        for round in 1...4 as ClosedRange<UInt64> {
            #expect(state.servers.count == 10)
            let action = timer(1_000 + round * 10_000)
            #expect(action.appeared.count + action.vanished.count == 4 && action.notices == [] && !action.asks)
        }
        #expect(state.servers == Self.servers(11...20) && state.waiting == 0)
        #expect(state.nextAt == Self.at(3_601_000))
    }

    @Test("a change that is taken back while it waits never happens")
    mutating func takenBack() {
        limits.maximumChanges = 1
        answer(1...3, at: 0)
        answer(2...2, at: 1)
        #expect(state.servers.count == 2 && state.waiting == 1)
        answer(2...3, at: 2)
        #expect(state.waiting == 0 && names(state.servers) == ["10.0.0.2", "10.0.0.3"])
    }

    @Test("a server that comes back soon is flapping; one that comes back late is not")
    mutating func flaps() {
        answer(1...2, at: 0)
        answer(1...1, at: 1_000)
        answer(1...2, at: 300_999)
        #expect(state.counts.flaps == 1)
        answer(1...1, at: 400_000)
        answer(1...2, at: 700_000)
        #expect(state.counts.flaps == 1)
    }

    // MARK: Seeds

    @Test("random events", arguments: 1...60 as ClosedRange<UInt64>)
    mutating func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        limits.maximumServers = Int.random(in: 1...40, using: &random)
        limits.maximumChanges = Int.random(in: 1...20, using: &random)
        limits.minimumTTL = .milliseconds(.random(in: 100...2_000, using: &random))
        limits.maximumTTL = limits.minimumTTL + .milliseconds(.random(in: 0...60_000, using: &random))
        var oracle = StateOracle(limits)
        var now = Instant(nanoseconds: 0)
        for _ in 0..<600 {
            now =
                random.oneIn(3)
                ? max(now, min(state.nextAt, now + .seconds(40)))
                : now + .milliseconds(.random(in: 0...3_000, using: &random))
            let event = randomEvent(&random)
            let action = state.handle(event, limits, at: now, draw: .random(in: 0 ... .max, using: &random))
            oracle.check(event, action, state, at: now, seed)
        }
    }

    private func randomEvent(_ random: inout SeededGenerator) -> DiscoveryState.Event {
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1, 2: return .timer
        case 3: return .failed(DiscoveryFailure(random.element(of: DiscoveryFailure.Reason.allCases)))
        default:
            let first = Int.random(in: 0...60, using: &random)
            let count = Int.random(in: random.oneIn(3) ? 0...60 : 0...8, using: &random)
            var answer = DiscoveryAnswer(
                servers: (first..<first + count).map { Self.server($0, origin: $0 % 3 == 0 ? "AAAA" : "A") },
                ttl: random.oneIn(9) ? nil : .seconds(.random(in: 0...100, using: &random)))
            answer.servers.shuffle(using: &random)
            if random.oneIn(4), !answer.servers.isEmpty {
                answer.unanswered = ["AAAA"]
                answer.problem = DiscoveryFailure(.timeout)
            }
            return .answered(answer)
        }
    }
}

/// What must hold after every event, whatever came before.
private struct StateOracle {
    private let limits: DiscoveryLimits
    private var servers: Set<String> = []
    private var changes: [(at: Instant, count: Int)] = []
    private var isAsking = false
    private var largest = 0

    init(_ limits: DiscoveryLimits) { self.limits = limits }

    mutating func check(
        _ event: DiscoveryState.Event, _ action: DiscoveryState.Action, _ state: DiscoveryState, at now: Instant,
        _ seed: UInt64
    ) {
        let note = Comment(rawValue: "seed \(seed)")
        let before = servers
        servers.subtract(action.vanished.map(\.name))
        servers.formUnion(action.appeared.map(\.name))
        #expect(servers == Set(state.servers.map(\.name)), note)
        #expect(state.servers.map(\.name) == state.servers.map(\.name).sorted(), note)
        #expect(action.kept == before.intersection(servers).count, note)
        #expect(Set(action.appeared.map(\.name)).isDisjoint(with: before), note)
        #expect(Set(action.vanished.map(\.name)).isSubset(of: before), note)
        #expect(before.isEmpty || !servers.isEmpty, "servers never all go, \(note.rawValue)")
        #expect(servers.count <= limits.maximumServers + 1, note)
        if case .failed = event { #expect(!action.asks, note) }
        // At most so many changes in any window, but for the first servers.
        if !before.isEmpty { changes.append((now, action.appeared.count + action.vanished.count)) }
        changes.removeAll { $0.at + DiscoveryLimits.changeWindow <= now }
        #expect(changes.reduce(0) { $0 + $1.count } <= limits.maximumChanges, note)
        // A question is asked only while none is, and the next one not before the floor nor after the ceiling.
        switch event {
        case .timer:
            #expect(!(action.asks && isAsking), note)
            isAsking = isAsking || action.asks
        case .answered, .failed:
            isAsking = false
            let wait = state.nextAt - now
            #expect(wait <= limits.maximumTTL + Interval(nanoseconds: limits.maximumTTL.nanoseconds / 10), note)
            if state.waiting == 0 { #expect(wait >= limits.minimumTTL, note) }
        }
    }
}

private func + (left: Interval, right: Interval) -> Interval {
    Interval(nanoseconds: left.nanoseconds + right.nanoseconds)
}
