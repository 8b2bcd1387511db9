import Kernel
import Testing

@testable import Load

@Suite("What was done to the servers")
struct ServerHistoryTests {
    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: UInt64(seconds * 1_000_000_000)) }

    @Test(
        "a call fails with its server if that ended during the call, or just before",
        arguments: [
            (1.0, 2.0, false), (4.0, 4.9, false), (4.0, 5.0, true), (4.0, 6.0, true), (5.2, 9.0, true),
            (5.6, 9.0, false),
        ])
    func ends(from start: Double, to end: Double, _ isExplained: Bool) {
        let history = ServerHistory()
        history.ended("a.1", at: at(5))
        #expect(history.hasFailed("a.1", from: at(start), to: at(end)) == isExplained)
        #expect(history.hasFailed(nil, from: at(start), to: at(end)) == isExplained)
        #expect(!history.hasFailed("b.1", from: at(start), to: at(end)))
        #expect(history.hasEnded("a.1") && history.hasEnded(nil) && !history.hasEnded("b.1"))
    }

    @Test(
        "a call fails with its server while that stands still",
        arguments: [(1.0, 4.9, false), (1.0, 5.5, true), (6.0, 6.1, true), (7.4, 9.0, true), (7.6, 9.0, false)])
    func stops(from start: Double, to end: Double, _ isExplained: Bool) {
        let history = ServerHistory()
        history.stopped("a.1", at: at(5))
        #expect(history.hasFailed("a.1", from: at(8), to: at(9)), "it still stands still")
        history.continued("a.1", at: at(7))
        #expect(history.hasFailed("a.1", from: at(start), to: at(end)) == isExplained)
        #expect(!history.hasEnded("a.1"))
    }

    @Test("a session may leave a server that has ended at any time, or has stood still since it last answered")
    func moves() {
        let history = ServerHistory()
        history.ended("a.1", at: at(5))
        history.stopped("b.1", at: at(5))
        history.continued("b.1", at: at(6))
        #expect(history.mayHaveLost("a.1", since: at(9), at: at(10)))
        #expect(history.mayHaveLost("b.1", since: at(4), at: at(10)))
        #expect(!history.mayHaveLost("b.1", since: at(9), at: at(10)))
        #expect(!history.mayHaveLost("c.1", since: at(0), at: at(10)))
    }

    @Test(
        "a server that a session has moved to counts from one",
        arguments: [
            (0 as Int, 0 as Int, 1 as UInt64, true), (0, 0, 2, false), (0, 0, 0, false), (1, 0, 2, true),
            (1, 0, 3, false),
            (0, 2, 3, true), (0, 2, 4, false),
        ])
    func counts(answered: Int, failed: Int, count: UInt64, isRight: Bool) {
        var oracle = SessionOracle()
        for number in 1...9 { #expect(oracle.answered(by: 0, count: UInt64(number)) == nil) }
        for _ in 0..<answered { oracle.answered() }
        for _ in 0..<failed { oracle.failed() }
        #expect(oracle.moved(to: 1, count: count) == (isRight ? nil : .miscounted))
        #expect(oracle.replica == 1)
        #expect(oracle.answered(by: 1, count: count + 1) == nil)
        #expect(oracle.answered(by: 0, count: 10) == .strayed)
    }
}
