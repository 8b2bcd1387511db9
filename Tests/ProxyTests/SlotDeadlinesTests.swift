import Kernel
import Reactor
import Simulation
import TestSupport
import Testing

@testable import Proxy

@Suite("Deadlines of slots")
struct SlotDeadlinesTests {
    /// Deadlines, a wheel and a clock, and what a worker does with them: who is looked at too early asks again.
    private struct Machine: ~Copyable {
        var deadlines = SlotDeadlines(.clientDeadline, limit: 8)
        var now = Instant(nanoseconds: 5_000_000_000)
        var wheel = TimerWheel(now: Instant(nanoseconds: 5_000_000_000))
        /// By slot, what its occupant wants; nil: nothing.
        var wanted: [Instant?] = Array(repeating: nil, count: 8)
        /// Who was looked at in time, and when.
        var due: [(slot: Int, at: Instant)] = []
        /// Looks that came to nothing, by slot.
        var looks: [Int] = Array(repeating: 0, count: 8)

        mutating func arm(_ slot: Int, in interval: Interval) {
            wanted[slot] = now + interval
            deadlines.arm(UInt32(slot), at: now + interval, now: now, in: &wheel)
        }

        /// Time passes in steps of a tick at most.
        mutating func advance(by interval: Interval) {
            let end = now + interval
            while now < end {
                now = min(end, now + .milliseconds(5))
                while let raw = wheel.popDue(at: now) { fire(Token(raw: raw)) }
            }
        }

        private mutating func fire(_ token: Token) {
            #expect(token.kind == .clientDeadline)
            let slot = token.slot
            guard deadlines.timerFired(slot, at: now) == .due, let deadline = wanted[slot] else { return }
            if deadline <= now {
                wanted[slot] = nil
                due.append((slot, now))
            } else {
                looks[slot] += 1
                deadlines.arm(UInt32(slot), at: deadline, now: now, in: &wheel)
            }
        }
    }

    /// A tick of the wheel and a step of the clock.
    private static let grain = Interval.milliseconds(17 + 5)

    @Test("a slot is looked at when its deadline has come, a tick later at most")
    func once() {
        var machine = Machine()
        let deadline = machine.now + .milliseconds(300)
        machine.arm(3, in: .milliseconds(300))
        machine.advance(by: .milliseconds(299))
        #expect(machine.due.isEmpty)
        machine.advance(by: .milliseconds(100))
        #expect(machine.due.map(\.slot) == [3])
        #expect(machine.due.allSatisfy { $0.at >= deadline && $0.at - deadline <= Self.grain })
        #expect(machine.wheel.count == 0)
    }

    @Test("a deadline that moves on with every request schedules no timer for it")
    func movesOn() {
        var machine = Machine()
        for _ in 0..<2_000 {
            machine.arm(1, in: .seconds(5))
            #expect(machine.wheel.count == 1)
            machine.advance(by: .milliseconds(10))
        }
        #expect(machine.due.isEmpty)
        #expect(machine.looks[1] == 3, "in 20 s of requests a look in a little more than 5 s")
        machine.advance(by: .seconds(6))
        #expect(machine.due.map(\.slot) == [1])
        #expect(machine.wheel.count == 0)
    }

    @Test("a deadline that moves nearer is kept, and the timer for the old one is no look")
    func movesNearer() {
        var machine = Machine()
        machine.arm(2, in: .seconds(8))
        machine.arm(2, in: .seconds(1))
        #expect(machine.wheel.count == 2)
        machine.advance(by: .milliseconds(1_100))
        #expect(machine.due.map(\.slot) == [2])
        // The next occupant's own deadline is not touched by the timer that is left.
        machine.arm(2, in: .seconds(9))
        machine.advance(by: .milliseconds(7_500))
        #expect(machine.wheel.count == 1)
        #expect(machine.looks[2] == 0 && machine.due.count == 1)
        machine.advance(by: .seconds(2))
        #expect(machine.due.map(\.slot) == [2, 2])
    }

    @Test("a far deadline is looked at on its way, every ten seconds, with one timer")
    func far() {
        var machine = Machine()
        machine.arm(0, in: .seconds(3_600))
        for _ in 0..<60 {
            machine.advance(by: .seconds(1))
            #expect(machine.wheel.count == 1)
        }
        #expect(machine.looks[0] == 5)
        // So a nearer one that follows is one timer more for ten seconds at most, not for an hour.
        machine.arm(0, in: .seconds(1))
        machine.advance(by: .seconds(11))
        #expect(machine.due.count == 1)
        #expect(machine.wheel.count == 0)
    }

    @Test("no deadline is no timer")
    func never() {
        var machine = Machine()
        machine.deadlines.arm(4, at: .never, now: machine.now, in: &machine.wheel)
        #expect(machine.wheel.count == 0)
        // Nobody asked for these.
        for slot in [4, 1_000_000] {
            let timer = machine.deadlines.timerFired(slot, at: machine.now)
            #expect(timer == .superseded)
        }
    }

    @Test("whatever is asked for, everybody is looked at in time", arguments: 1...20 as ClosedRange<UInt64>)
    func random(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var machine = Machine()
        var asked: [Instant?] = Array(repeating: nil, count: 8)
        for _ in 0..<400 {
            let slot = Int.random(in: 0..<8, using: &generator)
            let longest: UInt64 = generator.oneIn(4) ? 40_000 : 500
            let interval = Interval.milliseconds(UInt64.random(in: 0...longest, using: &generator))
            machine.arm(slot, in: interval)
            asked[slot] = machine.now + interval
            machine.advance(by: .milliseconds(UInt64.random(in: 0...200, using: &generator)))
            for found in machine.due {
                let deadline = asked[found.slot] ?? .never
                #expect(found.at >= deadline && found.at - deadline <= Self.grain, "seed \(seed)")
                asked[found.slot] = nil
            }
            machine.due = []
            for slot in asked.indices {
                #expect(asked[slot].map { machine.now < $0 + Self.grain } ?? true, "late, seed \(seed)")
            }
        }
        machine.advance(by: .seconds(60))
        #expect(machine.due.count == asked.count { $0 != nil }, "seed \(seed)")
        #expect(machine.wheel.count == 0, "seed \(seed)")
    }
}
