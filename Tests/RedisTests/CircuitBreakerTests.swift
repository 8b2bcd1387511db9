import Kernel
import TestSupport
import Testing

@testable import Redis

@Suite("Circuit breaker")
struct CircuitBreakerTests {
    private func at(_ milliseconds: UInt64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    @Test("two failures in a row open it; a success in between does not let them add up")
    func opening() {
        var breaker = CircuitBreaker()
        breaker.failed(at: at(0))
        breaker.succeeded()
        breaker.failed(at: at(0))
        #expect(breaker.permit(at: at(0)) == .granted)
        breaker.failed(at: at(0))
        #expect(breaker.state == .open && breaker.openings == 1)
        #expect(breaker.permit(at: at(99)) == .denied)
    }

    @Test("one attempt after a while; each that fails doubles the time, up to five seconds")
    func backoff() {
        var breaker = CircuitBreaker()
        breaker.failed(at: at(0), isCertain: true)
        var now: UInt64 = 0
        for pause in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] as [UInt64] {
            #expect(breaker.permit(at: at(now + pause - 1)) == .denied)
            now += pause
            #expect(breaker.permit(at: at(now)) == .probe)
            #expect(breaker.permit(at: at(now)) == .denied)
            breaker.failed(at: at(now))
        }
        now += 5_000
        #expect(breaker.permit(at: at(now)) == .probe)
        breaker.succeeded()
        #expect(breaker.permit(at: at(now)) == .granted)
    }

    @Test("what fails again soon after it worked is left alone for longer each time, until it is calm for ten seconds")
    func comingAndGoing() {
        var breaker = CircuitBreaker()
        var now: UInt64 = 0
        for pause in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] as [UInt64] {
            breaker.failed(at: at(now), isCertain: true)
            #expect(breaker.permit(at: at(now + pause - 1)) == .denied)
            now += pause
            #expect(breaker.permit(at: at(now)) == .probe)
            breaker.succeeded()
            now += 500
            #expect(breaker.permit(at: at(now)) == .granted)
        }
        now += 9_500
        breaker.failed(at: at(now), isCertain: true)
        #expect(breaker.permit(at: at(now + 99)) == .denied)
        #expect(breaker.permit(at: at(now + 100)) == .probe)
    }

    @Test("an attempt of which nobody says anything has failed")
    func forgotten() {
        var breaker = CircuitBreaker()
        breaker.failed(at: at(0), isCertain: true)
        #expect(breaker.permit(at: at(100)) == .probe)
        #expect(breaker.permit(at: at(2_099)) == .denied)
        #expect(breaker.permit(at: at(2_100)) == .denied)
        #expect(breaker.state == .open)
        #expect(breaker.permit(at: at(2_300)) == .probe)
    }

    @Test("whatever happens, it never denies for longer than the longest pause and an attempt", arguments: 0..<100)
    func random(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var breaker = CircuitBreaker()
        var now: UInt64 = 0
        var lastChance: UInt64 = 0
        for _ in 0..<2_000 {
            now += UInt64.random(in: 0...400, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: breaker.failed(at: at(now))
            case 1: breaker.failed(at: at(now), isCertain: true)
            case 2 where Int.random(in: 0..<20, using: &random) == 0: breaker.succeeded()
            default: break
            }
            if breaker.permit(at: at(now)) != .denied { lastChance = now }
            #expect(now - lastChance <= 7_800, "seed \(seed)")
        }
    }
}
