import Kernel
import Reactor
import Simulation
import TestSupport
import Testing

@Suite("RateLimiter")
struct RateLimiterTests {
    private static let second: UInt64 = 1_000_000_000

    @Test("a burst is allowed at once, one more is not, and each share of a second earns one")
    func burst() {
        let limit = RateLimit(perSecond: 10, burst: 5)
        var limiter = RateLimiter()
        let start = Instant(nanoseconds: 100 * RateLimiterTests.second)

        let atOnce = (0..<6).map { _ in limiter.add(limit, now: start) }
        // The sixth counts as well, and so does the seventh: it takes three tenths of a second until the next is earned.
        let early = limiter.add(limit, now: start + .milliseconds(199))
        let earned = limiter.add(limit, now: start + .milliseconds(300))

        #expect(atOnce == [true, true, true, true, true, false])
        #expect(!early && earned)
        #expect(limiter.count == 8)
    }

    @Test("never more in any stretch of time than the burst and what it earns", arguments: 1...10)
    func bound(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let limit = RateLimit(perSecond: 100, burst: 20)
        var now = 50 * RateLimiterTests.second
        var limiter = RateLimiter()
        var allowed: [UInt64] = []
        while allowed.count < 500 {
            now += generator.next() % 20_000_000
            // What is refused costs here as well, so a caller that goes on takes it back.
            if limiter.add(limit, now: Instant(nanoseconds: now)) {
                allowed.append(now)
            } else {
                limiter.refund(1, limit)
            }
        }

        for first in allowed.indices {
            for last in first..<allowed.count {
                let earned = (allowed[last] - allowed[first]) / 10_000_000
                if last - first + 1 > 20 + Int(earned) + 1 {
                    Issue.record("\(last - first + 1) from \(allowed[first]) to \(allowed[last]), seed \(seed)")
                    return
                }
            }
        }
    }

    @Test("many at once cost what as many single ones do, and a refund takes them back")
    func timesAndRefund() {
        let limit = RateLimit(perSecond: 10, burst: 50)
        var (single, joint) = (RateLimiter(), RateLimiter())
        let now = Instant(nanoseconds: 9 * RateLimiterTests.second)
        var singles = true
        for _ in 0..<50 { singles = single.add(limit, now: now) }

        let whole = joint.add(limit, now: now, times: 50)
        let over = joint.add(limit, now: now)
        joint.refund(2, limit)
        let again = [joint.add(limit, now: now), joint.add(limit, now: now)]
        joint.refund(1_000, limit)
        let full = [joint.add(limit, now: now, times: 50), joint.add(limit, now: now)]
        let nothing = joint.add(limit, now: now + .seconds(100), times: -3)

        #expect(singles && whole && !over)
        #expect(single.count == 50 && again == [true, false])
        #expect(full == [true, false], "no more than the burst is ever saved")
        #expect(nothing, "less than nothing costs nothing")
    }

    @Test("no number a peer can send makes it trap", arguments: [0, 1, UInt32.max], [0, 1, UInt32.max])
    func extremes(perSecond: UInt32, burst: UInt32) {
        let limit = RateLimit(perSecond: perSecond, burst: burst)
        var limiter = RateLimiter()
        for times in [0, 1, Int.max, Int.min, -1] {
            for nanoseconds in [0, 1, UInt64.max] {
                _ = limiter.add(limit, now: Instant(nanoseconds: nanoseconds), times: times)
                limiter.refund(UInt64.max, limit)
            }
        }

        var fresh = RateLimiter()
        let allowsNothing = fresh.add(limit, now: Instant(nanoseconds: 1), times: 0)
        #expect(allowsNothing)
    }
}
