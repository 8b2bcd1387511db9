/// Durations of calls, as they are read: how many fell into each bucket, and their sum.
package struct CallHistogram: Sendable, Equatable {
    /// By bucket, those of smaller buckets not included.
    package private(set) var counts: [Int64]
    /// Of all durations, in nanoseconds.
    package private(set) var nanoseconds: Int64
    /// The upper bounds in seconds, ascending; the last bucket has none.
    package let bounds: [Double]

    init(counts: [Int64], nanoseconds: Int64, buckets: LatencyBuckets) {
        self.counts = counts
        self.nanoseconds = nanoseconds
        bounds = buckets.seconds
    }

    /// What another process has counted; nil: it has other buckets. `isOfSessions`: durations of sessions, and not of calls.
    package init?(counts: [Int64], nanoseconds: Int64, isOfSessions: Bool) {
        guard counts.count == LatencyBuckets.count, counts.allSatisfy({ $0 >= 0 }) else { return nil }
        self.init(counts: counts, nanoseconds: nanoseconds, buckets: isOfSessions ? .sessions : .calls)
    }

    /// Nothing yet.
    init(_ buckets: LatencyBuckets) {
        self.init(counts: Array(repeating: 0, count: LatencyBuckets.count), nanoseconds: 0, buckets: buckets)
    }

    /// Nothing yet, in the buckets of calls.
    package init() { self.init(.calls) }

    /// Adds one duration.
    package mutating func record(nanoseconds duration: UInt64) {
        counts[LatencyBuckets.calls.index(of: duration)] &+= 1
        nanoseconds &+= Int64(clamping: duration)
    }

    /// Adds the numbers of one series: of each bucket, and behind them the sum of all durations.
    mutating func add(_ number: (Int) -> Int64) {
        for index in 0..<LatencyBuckets.count { counts[index] &+= number(index) }
        nanoseconds &+= number(LatencyBuckets.count)
    }

    /// All calls.
    package var count: Int64 { counts.reduce(0, &+) }

    /// Adds the calls of another one, which must have the same bounds.
    package mutating func add(_ other: CallHistogram) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
        nanoseconds &+= other.nanoseconds
    }

    /// The duration in seconds that a part of all calls, from 0 to 1, did not exceed, on a straight line between the bounds of
    /// its bucket, as `histogram_quantile` of Prometheus has it. Where the last bucket has it, that one's lower bound; nil if
    /// there were no calls.
    package func quantile(_ part: Double) -> Double? {
        let total = count
        guard total > 0 else { return nil }
        let rank = max(0, min(1, part)) * Double(total)
        var below: Int64 = 0
        for (index, bound) in bounds.enumerated() {
            let within = counts[index]
            if Double(below + within) >= rank, within > 0 {
                let lower = index == 0 ? 0 : bounds[index - 1]
                return lower + (bound - lower) * max(0, rank - Double(below)) / Double(within)
            }
            below += within
        }
        return bounds.last
    }
}
