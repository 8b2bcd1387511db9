import Kernel
import Reactor
import Simulation
import TestSupport
import Testing

@Suite("Timer wheel")
struct TimerWheelTests {
    private static let tick: UInt64 = 1 << 24
    private static let millisecond: UInt64 = 1_000_000

    private func drain(_ wheel: inout TimerWheel, _ now: UInt64) -> [UInt64] {
        var tokens: [UInt64] = []
        while let token = wheel.popDue(at: Instant(nanoseconds: now)) { tokens.append(token) }
        return tokens
    }

    /// Deadlines from the past to many rotations ahead.
    private func delay(_ generator: inout SeededGenerator) -> UInt64 {
        let longest: [UInt64] = [1_000, 20_000_000, 1_000_000_000, 100_000_000_000, 4_000_000_000_000]
        return generator.next() % longest[Int(generator.next() % 5)]
    }

    @Test("never early, never later than a tick and the step; all come once", arguments: 1...12)
    func model(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var now = generator.next() % (1 << 50)
        var wheel = TimerWheel(now: Instant(nanoseconds: now))
        var deadlines: [UInt64: UInt64] = [:]
        var next: UInt64 = 0
        for round in 0..<2000 {
            for _ in 0..<(generator.next() % 3) {
                let deadline = generator.oneIn(10) ? now &- 5 : now + delay(&generator)
                wheel.schedule(next, at: Instant(nanoseconds: deadline))
                deadlines[next] = max(deadline, now)
                next += 1
            }
            let step = generator.next() % (generator.oneIn(20) ? 200_000_000_000 : 50_000_000)
            now += step
            for token in drain(&wheel, now) {
                guard let deadline = deadlines.removeValue(forKey: token) else {
                    Issue.record("\(token) came twice, seed \(seed)")
                    continue
                }
                if deadline > now || now - deadline > TimerWheelTests.tick + step {
                    Issue.record("\(token) due at \(deadline) came at \(now) after a step of \(step), seed \(seed)")
                }
            }
            guard round.isMultiple(of: 50) else { continue }
            // What is due for a tick or more has been handed out.
            let late = deadlines.values.filter { $0 + TimerWheelTests.tick <= now }
            #expect(late.isEmpty)
            let count = wheel.count
            #expect(count == deadlines.count)
        }
    }

    @Test("a worker that sleeps as it is told is never late by more than a tick and a millisecond", arguments: 1...12)
    func sleeping(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var now = generator.next() % (1 << 50)
        var wheel = TimerWheel(now: Instant(nanoseconds: now))
        var deadlines: [UInt64: UInt64] = [:]
        for token in 0..<UInt64(300) {
            let deadline = now + delay(&generator)
            wheel.schedule(token, at: Instant(nanoseconds: deadline))
            deadlines[token] = deadline
        }
        var turns = 0
        while !deadlines.isEmpty, turns < 100_000 {
            turns += 1
            let milliseconds = wheel.millisecondsUntilNext(from: Instant(nanoseconds: now))
            // Everything due was taken, so sleeping not at all would be spinning.
            if milliseconds <= 0 { Issue.record("spins at \(now), seed \(seed)") }
            now += UInt64(max(0, milliseconds)) * TimerWheelTests.millisecond
            for token in drain(&wheel, now) {
                let deadline = deadlines.removeValue(forKey: token) ?? 0
                if deadline > now || now - deadline > TimerWheelTests.tick + TimerWheelTests.millisecond {
                    Issue.record("\(token) due at \(deadline) came at \(now), seed \(seed)")
                }
            }
        }

        #expect(deadlines.isEmpty)
        #expect(wheel.millisecondsUntilNext(from: Instant(nanoseconds: now)) == -1)
        // A long deadline is passed by once a rotation of 68 s, 59 times in 4000 s, and no oftener.
        #expect(turns <= 300 * 60)
    }

    @Test("an empty wheel lets the worker sleep for ever, a waiting timer not at all")
    func bounds() {
        let start: UInt64 = 5_000_000_000
        var wheel = TimerWheel(now: Instant(nanoseconds: start))
        #expect(wheel.millisecondsUntilNext(from: Instant(nanoseconds: start)) == -1)
        #expect(wheel.popDue(at: Instant(nanoseconds: start * 100)) == nil)

        wheel.schedule(1, at: Instant(nanoseconds: start * 101))
        wheel.schedule(2, at: Instant(nanoseconds: start * 101))
        let late = Instant(nanoseconds: start * 102)

        #expect(wheel.millisecondsUntilNext(from: late) == 0)
        #expect(wheel.popDue(at: late) != nil)
        #expect(wheel.millisecondsUntilNext(from: late) == 0, "one more is due")
        #expect(wheel.popDue(at: late) != nil)
        #expect(wheel.popDue(at: late) == nil)
        #expect(wheel.millisecondsUntilNext(from: late) == -1)
    }

    @Test("a timer asked for while others are handed out waits for its tick, however often")
    func rescheduling() {
        var wheel = TimerWheel(now: Instant(nanoseconds: 0))
        wheel.schedule(1, at: Instant(nanoseconds: 1))
        var times = 0
        let now = Instant(nanoseconds: 100 * TimerWheelTests.tick)
        while let token = wheel.popDue(at: now), times < 1000 {
            times += 1
            wheel.schedule(token, at: Instant(nanoseconds: 1))
        }

        #expect(times <= 101)
        #expect(wheel.count == 1)
    }

    @Test("deadlines at the end of time are kept, never is not", arguments: [1, 2, 1 << 23, 1 << 24, 1 << 25])
    func endOfTime(before: UInt64) {
        var wheel = TimerWheel(now: Instant(nanoseconds: 1 << 40))
        wheel.schedule(1, at: .never)
        #expect(wheel.count == 0)

        wheel.schedule(2, at: Instant(nanoseconds: .max - before))

        #expect(wheel.count == 1)
        #expect(drain(&wheel, (1 << 40) + 500_000_000_000) == [])
    }

    @Test("a multiple of the rotation ahead is still not early", arguments: [1, 2, 10])
    func rotations(rounds: UInt64) {
        let rotation = TimerWheelTests.tick * 4096
        var wheel = TimerWheel(now: Instant(nanoseconds: 0))
        wheel.schedule(1, at: Instant(nanoseconds: rounds * rotation))

        #expect(drain(&wheel, rounds * rotation - 1) == [])
        #expect(drain(&wheel, rounds * rotation) == [1])
    }

    @Test("many more timers than were expected all fire once, and their entries are used again")
    func growth() {
        var wheel = TimerWheel(now: Instant(nanoseconds: 0), expecting: 10)
        var now: UInt64 = 0
        // 20,000 entries lie in several chunks; the second and third round take them from the free list.
        for round in 0..<3 {
            for token in 0..<UInt64(20_000) {
                wheel.schedule(token, at: Instant(nanoseconds: now + 1 + token * 1_000_000))
            }
            #expect(wheel.count == 20_000)
            now += 30_000_000_000
            var seen = [Bool](repeating: false, count: 20_000)
            for token in drain(&wheel, now) {
                #expect(!seen[Int(token)], "round \(round)")
                seen[Int(token)] = true
            }
            #expect(seen.allSatisfy { $0 } && wheel.count == 0)
        }
    }
}
