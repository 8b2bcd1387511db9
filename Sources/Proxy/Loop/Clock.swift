import Kernel
import Reactor

/// A worker's time: one clock read a turn, and the wheel of its timers.
struct Clock: ~Copyable {
    /// When the present turn began. Connections that became ready together see the same time.
    var now: Instant
    var timers: TimerWheel
    /// When housekeeping is due next; at most one timer for it is outstanding.
    private var housekeepingAt = Instant.never

    /// `timers` is how many deadlines to have memory for.
    init(now: Instant, timers: Int) {
        self.now = now
        self.timers = TimerWheel(now: now, expecting: timers)
    }

    /// Makes sure that housekeeping is done no later than `time`.
    mutating func scheduleHousekeeping(at time: Instant) {
        guard time < housekeepingAt else { return }
        housekeepingAt = time
        timers.schedule(Token(.housekeeping).raw, at: time)
    }

    /// Whether a housekeeping timer that fired is the one that counts: timers cannot be cancelled, and one that was
    /// overtaken by an earlier one means nothing.
    mutating func takeHousekeeping() -> Bool {
        guard housekeepingAt <= now else { return false }
        housekeepingAt = .never
        return true
    }
}
