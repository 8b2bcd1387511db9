import Kernel

/// What counters have grown by within a window: kept as a few readings of the past, a tenth of the window apart.
struct CounterWindow<Key: Hashable & Sendable>: Sendable {
    /// All events of a kind, and those of them that are bad.
    struct Count: Sendable, Equatable {
        var all: Int64
        var bad: Int64
    }

    /// Readings of the past; enough for a window, and the one before it.
    private static var readings: Int { 11 }

    private var past: [(at: Instant, counts: [Key: Count])] = []

    /// Takes a reading and returns what each counter has grown by since the oldest within the window. A counter that is new
    /// counts from 0; so does one that is smaller than it was, for it began anew.
    mutating func grow(to counts: [Key: Count], at now: Instant, window: Interval) -> [Key: Count] {
        past.removeAll { now - $0.at > window }
        let step = Interval(nanoseconds: window.nanoseconds / UInt64(Self.readings - 1))
        defer {
            if past.last.map({ now - $0.at >= step }) ?? true { past.append((now, counts)) }
            if past.count > Self.readings { past.removeFirst() }
        }
        guard let base = past.first?.counts else {
            // Nothing is known of the time before.
            return counts.mapValues { _ in Count(all: 0, bad: 0) }
        }
        return counts.reduce(into: [:]) { grown, entry in
            let (key, count) = entry
            let before = base[key] ?? Count(all: 0, bad: 0)
            let isSame = count.all >= before.all && count.bad >= before.bad
            grown[key] = isSame ? Count(all: count.all - before.all, bad: count.bad - before.bad) : count
        }
    }
}
