import Kernel
import Reactor

/// Events to send at a given time with a resolution of a millisecond, which is finer than that of `TimerWheel`. A
/// binary heap: adding and removing cost O(log n).
struct EventSchedule {
    enum Task {
        /// The next periodic event of a session's stream, with its number from 1. It is dropped if the connection no
        /// longer has the session's stream.
        case event(Handle, of: SessionID, sequence: UInt64)
        /// The next step of a pending call.
        case pendingCall(Handle)
    }

    struct Entry {
        let due: Instant
        let task: Task
    }

    private var entries: [Entry] = []

    mutating func add(_ task: Task, at due: Instant) {
        var index = entries.count
        entries.append(Entry(due: due, task: task))
        while index > 0, entries[index].due < entries[(index - 1) / 2].due {
            entries.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    /// Removes and returns the next entry that is due, if there is one. The caller computes the following time from
    /// `due`, not from the current time, so that delays do not add up.
    mutating func popDue(at now: Instant) -> Entry? {
        guard let first = entries.first, first.due <= now, let last = entries.popLast() else { return nil }
        if entries.isEmpty { return first }
        entries[0] = last
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < entries.count else { return first }
            if child + 1 < entries.count, entries[child + 1].due < entries[child].due { child += 1 }
            guard entries[child].due < entries[index].due else { return first }
            entries.swapAt(index, child)
            index = child
        }
    }

    /// The milliseconds until the next entry is due, rounded up; -1 if there is none.
    func millisecondsUntilNext(from now: Instant) -> CInt {
        guard let due = entries.first?.due else { return -1 }
        return due <= now ? 0 : CInt(clamping: ((due - now).nanoseconds + 999_999) / 1_000_000)
    }
}
