public import Kernel

/// Deadlines of many connections, each good to one tick (about 17 ms) and, within half a year, never early.
///
/// A hashed wheel: scheduling is O(1) and there is no cancelling. An entry is a reminder to look, not a verdict:
/// whoever is named looks at its own deadline when the reminder comes, and asks for another if that has moved. A
/// busy connection therefore schedules about once per timeout, not once per read.
public struct TimerWheel: ~Copyable {
    /// 16 bytes, because every idle stream has some: the tick rather than the instant, 32 bits of it (two years).
    struct Entry {
        var token: UInt64
        var tick: UInt32
        var next: UInt32
    }

    private static let bits: UInt64 = 12
    private static let slots = 1 << Int(bits)
    private static let shift: UInt64 = 24
    private static let end = UInt32.max
    /// Ticks ahead that an entry can say: 208 days. Who asks for more is reminded then, and asks again.
    private static let farthest: UInt64 = 1 << 30

    private var entries: [Entry] = []
    private var free = TimerWheel.end
    private var buckets: [UInt32]
    /// One bit per bucket that holds anything, so that finding the next one is a walk over 64 words.
    private var occupied: [UInt64]
    /// The tick up to which everything due was handed out.
    private var current: UInt64
    private var due: UInt32 = TimerWheel.end
    /// Reminders outstanding.
    public private(set) var count = 0

    /// `expecting`: reminders outstanding at a time, for which address space is taken now and memory as it is used.
    public init(now: Instant, expecting: Int = 0) {
        entries.reserveCapacity(expecting)
        buckets = Array(repeating: TimerWheel.end, count: TimerWheel.slots)
        occupied = Array(repeating: 0, count: TimerWheel.slots / 64)
        current = now.nanoseconds >> TimerWheel.shift
    }

    /// Asks to be reminded of `token` at `deadline`. `Instant.never` is not kept.
    public mutating func schedule(_ token: UInt64, at deadline: Instant) {
        guard deadline < .never else { return }
        let tick = min(max(TimerWheel.tick(reaching: deadline), current + 1), current + TimerWheel.farthest)
        let bucket = Int(tick & UInt64(TimerWheel.slots - 1))
        let index = takeEntry(Entry(token: token, tick: UInt32(truncatingIfNeeded: tick), next: buckets[bucket]))
        buckets[bucket] = index
        occupied[bucket / 64] |= 1 << UInt64(bucket % 64)
        count += 1
    }

    /// The next reminder that is due at `now`, if any. Call until nil.
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
        let index = due
        due = entries[Int(index)].next
        let token = entries[Int(index)].token
        entries[Int(index)].next = free
        free = index
        count -= 1
        return token
    }

    /// How long a worker may sleep: −1 with nothing scheduled, else milliseconds until the next bucket is due.
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

    /// Moves what is due in a bucket to the due list and leaves what belongs to a later round.
    private mutating func collect(_ bucket: Int) {
        let reached = UInt32(truncatingIfNeeded: current)
        var index = buckets[bucket]
        var later = TimerWheel.end
        while index != TimerWheel.end {
            let next = entries[Int(index)].next
            if Int32(bitPattern: entries[Int(index)].tick &- reached) <= 0 {
                entries[Int(index)].next = due
                due = index
            } else {
                entries[Int(index)].next = later
                later = index
            }
            index = next
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

    private mutating func takeEntry(_ entry: Entry) -> UInt32 {
        guard free != TimerWheel.end else {
            entries.append(entry)
            return UInt32(entries.count - 1)
        }
        let index = free
        free = entries[Int(index)].next
        entries[Int(index)] = entry
        return index
    }
}
