public import Kernel

/// Deadlines of many connections, each good to one tick (about 17 ms) and, within half a year, never early.
///
/// A hashed wheel: scheduling is O(1) and a timer cannot be cancelled. A timer that fires is no proof that its deadline
/// has passed: whoever its token names looks at its own deadline then, and schedules another timer if that has moved. A
/// busy connection therefore schedules about once per timeout, not once per read.
public struct TimerWheel: ~Copyable {
    private static let bits: UInt64 = 12
    private static let slots = 1 << Int(bits)
    /// A tick is 2^24 nanoseconds.
    private static let shift: UInt64 = 24
    private static let end = TimerEntries.end
    /// Ticks ahead that an entry can say: 208 days. A timer that is due later fires then, and is scheduled again.
    private static let farthest: UInt64 = 1 << 30

    private var entries: TimerEntries
    /// By tick modulo `slots`: the first entry of a list.
    private var buckets: [UInt32]
    /// One bit per bucket that holds anything, so that finding the next one is a walk over 64 words.
    private var occupied: [UInt64]
    /// The tick up to which everything due was moved to the `due` list.
    private var current: UInt64
    /// The first entry that is due and was not handed out yet.
    private var due: UInt32 = TimerWheel.end
    /// Timers that were scheduled and have not fired.
    public private(set) var count = 0

    /// An empty wheel. `expecting`: timers that are likely to be outstanding at a time; more are no error, and none costs
    /// memory before it is scheduled.
    public init(now: Instant, expecting: Int = 0) {
        entries = TimerEntries(expected: expecting)
        buckets = Array(repeating: TimerWheel.end, count: TimerWheel.slots)
        occupied = Array(repeating: 0, count: TimerWheel.slots / 64)
        current = now.nanoseconds >> TimerWheel.shift
    }

    /// Starts a timer that hands out `token` at `deadline`, up to a tick later. `Instant.never` starts none.
    public mutating func schedule(_ token: UInt64, at deadline: Instant) {
        guard deadline < .never else { return }
        let tick = min(max(TimerWheel.tick(reaching: deadline), current + 1), current + TimerWheel.farthest)
        let bucket = Int(tick & UInt64(TimerWheel.slots - 1))
        buckets[bucket] = entries.insert(
            TimerEntries.Entry(token: token, tick: UInt32(truncatingIfNeeded: tick), next: buckets[bucket]))
        occupied[bucket / 64] |= 1 << UInt64(bucket % 64)
        count += 1
    }

    /// The token of a timer that is due at `now`, which has fired with that; nil if none is. Call until nil.
    public mutating func popDue(at now: Instant) -> UInt64? {
        let target = now.nanoseconds >> TimerWheel.shift
        while due == TimerWheel.end {
            guard current < target else { return nil }
            guard let ahead = ticksToNextBucket() else {
                current = target
                return nil
            }
            // A wait longer than the wheel skips nothing: every occupied bucket between here and there is visited once.
            let next = current + UInt64(ahead)
            guard next <= target else {
                current = target
                return nil
            }
            current = next
            collect(Int(next & UInt64(TimerWheel.slots - 1)))
        }
        let entry = entries[due]
        entries.remove(due)
        due = entry.next
        count -= 1
        return entry.token
    }

    /// How long a worker may sleep, in milliseconds until the next bucket is due; −1 if no timer is outstanding.
    public func millisecondsUntilNext(from now: Instant) -> CInt {
        if due != TimerWheel.end { return 0 }
        guard count > 0, let ahead = ticksToNextBucket() else { return -1 }
        let wake = (current + UInt64(ahead)) << TimerWheel.shift
        guard wake > now.nanoseconds else { return 0 }
        return CInt(clamping: (wake - now.nanoseconds) / 1_000_000 + 1)
    }

    /// The first tick at whose start `deadline` has passed: never early.
    private static func tick(reaching deadline: Instant) -> UInt64 {
        let started = deadline.nanoseconds >> shift
        return started << shift == deadline.nanoseconds ? started : started + 1
    }

    /// Moves the entries of a bucket that are due to the due list and leaves those of a later round.
    private mutating func collect(_ bucket: Int) {
        let reached = UInt32(truncatingIfNeeded: current)
        var index = buckets[bucket]
        var later = TimerWheel.end
        while index != TimerWheel.end {
            let entry = entries[index]
            if Int32(bitPattern: entry.tick &- reached) <= 0 {
                entries.link(index, to: due)
                due = index
            } else {
                entries.link(index, to: later)
                later = index
            }
            index = entry.next
        }
        buckets[bucket] = later
        if later == TimerWheel.end { occupied[bucket / 64] &= ~(1 << UInt64(bucket % 64)) }
    }

    /// Ticks from `current` to the next bucket that holds anything: 1...slots, or nil with an empty wheel.
    private func ticksToNextBucket() -> Int? {
        let start = Int((current + 1) & UInt64(TimerWheel.slots - 1))
        var word = start / 64
        var mask = UInt64.max << UInt64(start % 64)
        for _ in 0...occupied.count {
            let bits = occupied[word] & mask
            if bits != 0 {
                let found = word * 64 + bits.trailingZeroBitCount
                return (found - start + TimerWheel.slots) % TimerWheel.slots + 1
            }
            mask = .max
            word = (word + 1) % occupied.count
        }
        return nil
    }
}
