import Kernel
import Reactor

/// What a timer that fired stands for. Timers cannot be cancelled, so some fire for what was wanted once.
enum FiredTimer {
    /// Its time has come; no timer is outstanding now.
    case due
    /// An earlier timer has done its work, or a later one is on its way: do nothing.
    case superseded
}

/// A worker's time: one clock read a turn, and the wheel of its timers.
struct Clock: ~Copyable {
    /// When the present turn began. Connections that became ready together see the same time.
    var now: Instant
    var timers: TimerWheel
    /// What is to be added to the monotonic clock for nanoseconds since 1970, and until when that is believed.
    private var wallOffset: UInt64 = 0
    private var wallOffsetUntil = Instant(nanoseconds: 0)
    /// When housekeeping is due next; at most one timer for it is outstanding.
    private var housekeepingAt = Instant.never

    /// `timers` is how many deadlines to have memory for.
    init(now: Instant, timers: Int) {
        self.now = now
        self.timers = TimerWheel(now: now, expecting: timers)
    }

    /// The present in nanoseconds since 1970 UTC. The time of day is asked for once a second.
    mutating func wallNanoseconds<Outside: World & ~Copyable>(_ world: inout Outside) -> UInt64 {
        if now >= wallOffsetUntil {
            wallOffset = world.wallNanoseconds() &- now.nanoseconds
            wallOffsetUntil = now + .seconds(1)
        }
        return now.nanoseconds &+ wallOffset
    }

    /// Makes sure that housekeeping is done no later than `time`.
    mutating func scheduleHousekeeping(at time: Instant) {
        guard time < housekeepingAt else { return }
        housekeepingAt = time
        timers.schedule(Token(.housekeeping).raw, at: time)
    }

    /// A timer for housekeeping came: whether it is the one that counts.
    mutating func housekeepingFired() -> FiredTimer {
        guard housekeepingAt <= now else { return .superseded }
        housekeepingAt = .never
        return .due
    }
}
