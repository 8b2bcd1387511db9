import Kernel
import Reactor

/// What is to be sent at its time, to the millisecond, which `TimerWheel` is too coarse for: one deadline for
/// thousands of streams. A binary heap: O(log n) for each event.
struct Agenda {
    enum Task {
        /// The next event of a stream that gets them without asking, as long as the connection carries this session's:
        /// its number, from 1.
        case beat(Handle, of: SessionID, sequence: UInt64)
        /// The next step of a pending call.
        case job(Handle)
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

    /// The next entry that is due, if any. What follows it is reckoned from its time and not from now: so nothing
    /// drifts, and what was held up is made up for.
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

    /// As `TimerWheel.millisecondsUntilNext`: -1 with nothing to wait for, and never early.
    func millisecondsUntilNext(from now: Instant) -> CInt {
        guard let due = entries.first?.due else { return -1 }
        return due <= now ? 0 : CInt(clamping: ((due - now).nanoseconds + 999_999) / 1_000_000)
    }
}
