import Configuration
import Kernel
import MCP
import Synchronization
import Testing

@testable import Proxy

@Suite("Session table")
struct SessionTableTests {
    private static let server = ServerID(slot: 0, generation: 1)
    private static let other = ServerID(slot: 1, generation: 1)
    private static func key(_ number: UInt64) -> SessionKey { SessionKey(high: number, low: number &* 7 &+ 1) }
    private static let start = Instant(nanoseconds: 0) + .seconds(1_000)

    private static let result = InitializeResult(
        of: Array(#"{"result":{"protocolVersion":"2025-11-25","capabilities":{}}}"#.utf8).span, isEventStream: false)

    /// Counts sessions by server, as the metrics do.
    private final class Counts {
        var values: [ServerID: Int64] = [:]
        func count(_ server: ServerID, _ change: Int64) { values[server, default: 0] += change }
        subscript(server: ServerID) -> Int64 { values[server, default: 0] }
    }

    private static func open(_ table: SessionTable, _ number: UInt64, _ counts: Counts, bytes: Int = 10) {
        table.open(
            key(number), on: server, Handshake(params: [UInt8](repeating: 0x20, count: bytes)), isLearned: false,
            now: start, counter: counts.count)
        if let result { table.noteResult(key(number), result) }
    }

    @Test("a session is counted once, wherever it goes, until it ends")
    func counts() {
        let (table, counts) = (SessionTable(limit: 100), Counts())
        Self.open(table, 1, counts)
        Self.open(table, 1, counts)
        #expect(counts[Self.server] == 1)
        #expect(table.decide(Self.key(1), .call, .always, asked: 0, now: Self.start) == .start)
        #expect(table.decide(Self.key(1), .call, .always, asked: 0, now: Self.start) == .wait)
        #expect(table.outcome(of: Self.key(1)) == .underWay)
        table.finishRecovery(Self.key(1), on: Self.other, id: [1], now: Self.start, counter: counts.count)
        #expect(counts[Self.server] == 0 && counts[Self.other] == 1)
        #expect(table.decide(Self.key(1), .call, .always, asked: 0, now: Self.start) == .follow)
        #expect(table.decide(Self.key(1), .call, .always, asked: 1, now: Self.start) == .start)
        table.failRecovery(Self.key(1), .noServer)
        #expect(table.outcome(of: Self.key(1)) == .failed(.noServer))
        for _ in 0..<3 {
            table.doubt(
                Self.key(1), now: Self.start, idle: .seconds(600), forgetAfter: .seconds(300), counter: counts.count)
        }
        #expect(counts[Self.other] == 0)
        _ = table.noteUse(
            Self.key(1), .none, params: [], server: Self.other, isLearned: false, now: Self.start,
            counter: counts.count)
        #expect(counts[Self.other] == 1)
        for _ in 0..<3 { _ = table.end(Self.key(1), now: Self.start, counter: counts.count) }
        #expect(counts[Self.other] == 0 && table.count == 0 && table.byteCount == 0)
    }

    @Test("what does not fit is not refused: it cannot be recovered")
    func bounds() {
        let (table, counts) = (SessionTable(limit: 160, bytes: 16 * 1_000), Counts())
        for number in 0..<2_000 as Range<UInt64> { Self.open(table, number, counts, bytes: 400) }
        #expect(table.count == 160 && table.byteCount <= 17_000)
        let decisions = (0..<2_000 as Range<UInt64>).map {
            table.decide(Self.key($0), .call, .always, asked: 0, now: Self.start)
        }
        #expect(decisions.count { $0 == .start } == 32 && decisions.count { $0 == .giveUp(.unknown) } == 1_968)
    }

    @Test("idle sessions go, those in use stay")
    func sweep() {
        let (table, counts) = (SessionTable(limit: 100), Counts())
        for number in 0..<50 as Range<UInt64> { Self.open(table, number, counts) }
        let later = Self.start + .seconds(90)
        for number in 0..<10 as Range<UInt64> {
            _ = table.noteUse(
                Self.key(number), .none, params: [], server: Self.server, isLearned: false, now: later,
                counter: counts.count)
        }
        for _ in 0..<16 {
            _ = table.sweep(now: Self.start + .seconds(110), idle: { _ in .seconds(100) }, counter: counts.count)
        }
        #expect(table.count == 10 && counts[Self.server] == 10)
    }

    @Test("a worker knows a session only while it holds the session's own key")
    func known() {
        var known = KnownSessions(capacity: 16)
        let (first, second) = (SessionKey(high: 1, low: 3), SessionKey(high: 2, low: 19))
        #expect(known.state(of: first, at: Self.start, idle: .seconds(3_600)) == .stale)
        known.noteUse(first, isSettled: true, at: Self.start)
        #expect(known.state(of: first, at: Self.start + .seconds(59), idle: .seconds(3_600)) == .settled)
        #expect(known.state(of: first, at: Self.start + .seconds(62), idle: .seconds(3_600)) == .stale)
        #expect(known.state(of: first, at: Self.start + .seconds(9), idle: .seconds(20)) == .stale)
        known.noteInPlace(second, epoch: 4)
        #expect(known.state(of: first, at: Self.start, idle: .seconds(3_600)) == .stale)
        #expect(known.isInPlace(second, epoch: 4) && !known.isInPlace(second, epoch: 5))
        #expect(!known.isInPlace(first, epoch: 4))
    }
}
