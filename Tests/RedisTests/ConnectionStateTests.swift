import Kernel
import TestSupport
import Testing

@testable import Redis

@Suite("Connection to a store")
struct ConnectionStateTests {
    typealias Connection = RedisConnectionState<Int>

    private func at(_ milliseconds: UInt64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }
    private var ok: RedisReply { .status(1..<3) }
    private func error(_ error: RedisError) -> Connection.Event { .reply(.error(error, 0..<0)) }

    /// A connection to which all of these have happened, and what it said to the last.
    private func connection(
        _ plan: RedisConnectionPlan = RedisConnectionPlan(), after events: [Connection.Event]
    ) -> (Connection, Connection.Action) {
        var connection = Connection(plan)
        var action = Connection.Action.none
        for event in events { action = connection.handle(event, at: at(0)) }
        return (connection, action)
    }

    @Test("it is dialled, greets, and is ready")
    func opening() {
        #expect(connection(after: [.open]).1 == .dial)
        #expect(connection(after: [.open, .connected]).1 == .send(.hello(nil)))
        #expect(connection(after: [.open, .connected, .reply(.elements(14))]).1 == .flush)
    }

    @Test("with TLS, a user and a database, each comes in its turn; a server that knows no HELLO is told with AUTH")
    func openingWithAll() {
        var plan = RedisConnectionPlan()
        plan.isSecure = true
        plan.database = 3
        let credentials = RedisCredentials(user: [1], password: [2])
        plan.credentials = credentials
        let established: [Connection.Event] = [.open, .connected, .handshakeDone]
        #expect(connection(plan, after: [.open, .connected]).1 == .secure)
        #expect(connection(plan, after: established).1 == .send(.hello(credentials)))
        #expect(connection(plan, after: established + [.reply(.elements(14))]).1 == .send(.select(3)))
        #expect(connection(plan, after: established + [.reply(.elements(14)), .reply(ok)]).1 == .flush)
        #expect(connection(plan, after: established + [error(.unknownCommand)]).1 == .send(.authenticate(credentials)))
        #expect(connection(plan, after: established + [error(.unknownCommand), .reply(ok)]).1 == .send(.select(3)))
        #expect(connection(plan, after: established + [error(.unknownCommand), error(.denied)]).1 == .close(.denied))
        #expect(connection(plan, after: established + [.reply(.elements(14)), error(.other)]).1 == .close(.denied))
        #expect(connection(after: [.open, .connected, error(.unknownCommand)]).1 == .flush)
    }

    @Test(
        "a server that does not serve is left",
        arguments: [
            (.loading, .failover), (.masterDown, .failover), (.denied, .denied), (.other, .denied),
        ] as [(RedisError, RedisFailure)])
    func greeting(_ answer: RedisError, _ failure: RedisFailure) {
        let (connection, action) = connection(after: [.open, .connected, error(answer)])
        #expect(action == .close(failure) && connection.phase == .closed)
    }

    @Test("replies are those of the oldest commands; one that nobody waits for is no reply")
    func order() {
        var (connection, _) = connection(after: [.open])
        #expect(connection.add(1, at: at(0)) == true)
        _ = connection.handle(.connected, at: at(0))
        #expect(connection.add(2, at: at(0)) == true)
        #expect(connection.handle(.reply(.elements(1)), at: at(0)) == .flush)
        #expect(connection.add(3, at: at(0)) == true)
        for purpose in 1...3 {
            #expect(connection.handle(.reply(.null), at: at(0)) == .answer)
            #expect(connection.takeOldest() == purpose)
        }
        #expect(connection.takeOldest() == nil)
        #expect(connection.handle(.reply(.null), at: at(0)) == .close(.malformed))
    }

    @Test("an end hands back what waits, and closed it takes nothing")
    func end() {
        var (connection, _) = connection(after: [.open, .connected, .reply(.elements(1))])
        for purpose in 1...3 { #expect(connection.add(purpose, at: at(0)) == true) }
        #expect(connection.handle(.ended, at: at(0)) == .close(.lost))
        #expect(connection.takeAll() == [1, 2, 3])
        #expect(connection.takeAll() == [])
        #expect(connection.add(4, at: at(0)) == false)
        #expect(connection.handle(.ended, at: at(0)) == .none)
        #expect(connection.handle(.open, at: at(0)) == .dial)
        #expect(connection.handle(.ended, at: at(0)) == .close(.unreachable))
    }

    @Test("opening has its time, and so has each reply")
    func deadlines() {
        var plan = RedisConnectionPlan()
        plan.openTimeout = .milliseconds(100)
        plan.replyTimeout = .milliseconds(30)
        var (connection, _) = connection(plan, after: [.open, .connected])
        #expect(connection.expire(at: at(99)) == .none)
        #expect(connection.deadline == at(100))
        var late = connection
        #expect(late.expire(at: at(100)) == .close(.unreachable))
        _ = connection.handle(.reply(.elements(1)), at: at(50))
        #expect(connection.deadline == .never)
        _ = connection.add(1, at: at(50))
        _ = connection.add(2, at: at(70))
        #expect(connection.deadline == at(80))
        _ = connection.takeOldest()
        #expect(connection.expire(at: at(99)) == .none)
        #expect(connection.expire(at: at(100)) == .close(.timedOut))
    }

    @Test("so many commands may wait, and no more")
    func bound() {
        var plan = RedisConnectionPlan()
        plan.maximumPending = 2
        var (connection, _) = connection(plan, after: [.open])
        let added = (1...3).map { connection.add($0, at: at(0)) }
        #expect(added == [true, true, false])
        #expect(connection.pendingCount == 2)
    }

    @Test("whatever happens, every command gets one answer or one failure, in order", arguments: 0..<300)
    func random(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var plan = RedisConnectionPlan()
        plan.isSecure = Bool.random(using: &random)
        plan.database = UInt32.random(in: 0...1, using: &random)
        if Bool.random(using: &random) { plan.credentials = RedisCredentials(user: [], password: [1]) }
        var connection = Connection(plan)
        var now: UInt64 = 0
        var (next, expected) = (0, 0)
        for _ in 0..<1_000 {
            now += UInt64.random(in: 0...200, using: &random)
            var action = Connection.Action.none
            switch Int.random(in: 0..<12, using: &random) {
            case 0...2: action = connection.handle(.open, at: at(now))
            case 3: action = connection.handle(.connected, at: at(now))
            case 4: action = connection.handle(.handshakeDone, at: at(now))
            case 5:
                action = connection.handle(
                    [.ended, .malformed, .close].randomElement(using: &random) ?? .ended, at: at(now))
            case 6: action = connection.expire(at: at(now))
            case 7:
                action = connection.handle(
                    error(RedisError.allCases.randomElement(using: &random) ?? .other), at: at(now))
            case 8...9: action = connection.handle(.reply(ok), at: at(now))
            default: if connection.add(next, at: at(now)) { next += 1 }
            }
            switch action {
            case .answer:
                #expect(connection.takeOldest() == expected, "seed \(seed)")
                expected += 1
            case .close:
                let all = connection.takeAll()
                #expect(all == Array(expected..<next), "seed \(seed)")
                expected = next
                #expect(connection.phase == .closed)
            case .none, .dial, .secure, .send, .flush: break
            }
            #expect(connection.pendingCount == next - expected, "seed \(seed)")
            #expect(
                (connection.deadline == .never)
                    == (connection.phase == .closed || (connection.phase == .ready && next == expected)))
        }
    }
}
