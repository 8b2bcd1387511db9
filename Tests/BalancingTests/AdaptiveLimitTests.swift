import Balancing
import TestSupport
import Testing

@Suite("How much may be under way at a time")
struct AdaptiveLimitTests {
    private func at(_ seconds: Double) -> UInt64 { UInt64(seconds * 1e9) }

    @Test("it doubles with each round that is done in time, up to its bound")
    func growth() {
        var limit = AdaptiveLimit(first: 8, most: 100)
        for _ in 0..<8 { limit.noteDone(from: at(1), at: at(1.1)) }
        #expect(limit.current == 16)
        for _ in 0..<1_000 { limit.noteDone(from: at(1), at: at(1.1)) }
        #expect(limit.current == 100)
    }

    @Test("a round that takes too long shrinks it once, and one that is given up by half")
    func shrinking() {
        var limit = AdaptiveLimit(first: 100, most: 100)
        for _ in 0..<100 { limit.noteTimedOut(from: at(1), at: at(9)) }
        #expect(limit.current == 50)
        for _ in 0..<50 { limit.noteDone(from: at(9), at: at(12)) }
        #expect(limit.current == 40)
        // What began before that says nothing more.
        limit.noteTimedOut(from: at(10), at: at(18))
        #expect(limit.current == 40)
        for round in 0..<40 { limit.noteTimedOut(from: at(Double(20 + 10 * round)), at: at(Double(28 + 10 * round))) }
        #expect(limit.current == 1)
        for _ in 0..<20 { limit.noteDone(from: at(500), at: at(501)) }
        #expect(limit.current > 1)
    }

    @Test(
        "with servers that do a fixed number a second it settles where they do them in time", arguments: [1, 10, 300])
    func settles(perSecond: Int) {
        var limit = AdaptiveLimit(first: 20 * perSecond, most: 65_536)
        var (now, free) = (0.0, 0.0)
        var ends: [(start: Double, end: Double)] = []
        var timedOut = 0
        for _ in 0..<200_000 where now < 400 {
            while ends.count < limit.current {
                free = max(free, now) + 1 / Double(perSecond)
                ends.append((now, free))
            }
            let next = ends.removeFirst()
            // Given up after eight seconds; the server does it all the same.
            now = max(now, min(next.end, next.start + 8))
            if next.end - next.start > 8 {
                if now > 100 { timedOut += 1 }
                limit.noteTimedOut(from: at(next.start), at: at(now))
            } else {
                limit.noteDone(from: at(next.start), at: at(now))
            }
        }
        #expect(timedOut == 0 && limit.current <= 8 * perSecond && limit.current >= perSecond)
    }
}
