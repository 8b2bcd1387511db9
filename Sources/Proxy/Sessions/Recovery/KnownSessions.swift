import Kernel

/// Sessions of which one worker knows that there is nothing to take note of: looked up before the table that all workers
/// share, which has locks. Exact: a place holds one session's key, and the next one takes it over.
struct KnownSessions {
    private struct Entry {
        var key = SessionKey.none
        /// The epoch of recoveries up to which the session is where its id says.
        var epoch: UInt32 = 0
        /// Seconds of the worker's clock at which the table was told of a use; 0: never.
        var usedAt: UInt32 = 0
        /// No use of it changes anything.
        var isSettled = false
    }

    private var entries: [Entry]

    /// For so many sessions, rounded up to a power of two.
    init(capacity: Int = 2_048) {
        var size = 16
        while size < capacity { size *= 2 }
        entries = Array(repeating: Entry(), count: size)
    }

    private func place(_ key: SessionKey) -> Int { Int(truncatingIfNeeded: key.low) & (entries.count - 1) }

    private static func seconds(_ now: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000_000) &+ 1
    }

    /// Whether the table has heard of the session lately, and whether a use of it changes anything. `idle` is the time
    /// after which it would be forgotten.
    func state(of key: SessionKey, at now: Instant, idle: Interval) -> State {
        let entry = entries[place(key)]
        guard entry.key == key, entry.usedAt != 0 else { return .stale }
        // A quarter of the time, roughly; a minute at most.
        let seconds = UInt32(truncatingIfNeeded: min(60, idle.nanoseconds >> 32))
        guard Self.seconds(now) &- entry.usedAt <= seconds else { return .stale }
        return entry.isSettled ? .settled : .fresh
    }

    enum State {
        /// The table is to be told.
        case stale
        /// The table need not be told unless the use changes something.
        case fresh
        /// No use changes anything.
        case settled
    }

    /// The table was told of a use.
    mutating func noteUse(_ key: SessionKey, isSettled: Bool, at now: Instant) {
        let place = place(key)
        if entries[place].key != key { entries[place] = Entry(key: key) }
        entries[place].usedAt = Self.seconds(now)
        entries[place].isSettled = isSettled
    }

    /// Whether the session was where its id says at this epoch of recoveries.
    func isInPlace(_ key: SessionKey, epoch: UInt32) -> Bool {
        let entry = entries[place(key)]
        return entry.key == key && entry.epoch == epoch
    }

    mutating func noteInPlace(_ key: SessionKey, epoch: UInt32) {
        let place = place(key)
        if entries[place].key != key { entries[place] = Entry(key: key) }
        entries[place].epoch = epoch
    }

    /// The session's server has changed, or it has ended.
    mutating func forget(_ key: SessionKey) {
        let place = place(key)
        if entries[place].key == key { entries[place] = Entry() }
    }
}
