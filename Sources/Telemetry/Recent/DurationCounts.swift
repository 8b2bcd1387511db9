/// How long calls took, counted by powers of two in four steps each: 16 µs to nine minutes, off by an eighth at most.
package struct DurationCounts: Sendable {
    private static var size: Int { 96 }
    /// Calls of the first bucket took less than this, in nanoseconds, as a power of two.
    private static var unit: UInt64 { 14 }

    private var counts = InlineArray<96, UInt32>(repeating: 0)
    /// Calls counted.
    package private(set) var total: UInt64 = 0

    package init() {}

    /// Counts a call that took so many nanoseconds.
    package mutating func add(_ nanoseconds: UInt64) {
        counts[Self.bucket(of: nanoseconds)] &+= 1
        total &+= 1
    }

    /// Adds what another one has counted.
    package mutating func add(_ other: borrowing DurationCounts) {
        for bucket in 0..<Self.size { counts[bucket] &+= other.counts[bucket] }
        total &+= other.total
    }

    /// The calls since this was `earlier`.
    func since(_ earlier: borrowing DurationCounts) -> DurationCounts {
        var difference = DurationCounts()
        for bucket in 0..<Self.size { difference.counts[bucket] = counts[bucket] &- earlier.counts[bucket] }
        difference.total = total &- earlier.total
        return difference
    }

    /// The time within which this share of the calls was done, 0...1, in nanoseconds; nil without a call.
    package func percentile(_ share: Double) -> UInt64? {
        guard total > 0 else { return nil }
        let rank = max(1, (share * Double(total)).rounded(.up))
        var below = 0.0
        for bucket in 0..<Self.size where counts[bucket] > 0 {
            let inside = Double(counts[bucket])
            if below + inside >= rank {
                let start = Double(Self.start(of: bucket))
                let width = Double(Self.start(of: bucket + 1)) - start
                return UInt64(start + width * (rank - below) / inside)
            }
            below += inside
        }
        return Self.start(of: Self.size)
    }

    private static func bucket(of nanoseconds: UInt64) -> Int {
        let value = nanoseconds >> unit
        guard value >= 4 else { return Int(truncatingIfNeeded: value) }
        let power = UInt64.bitWidth - 1 - value.leadingZeroBitCount
        let step = Int(truncatingIfNeeded: value >> UInt64(power - 2)) & 3
        return min(size - 1, (power - 1) * 4 + step)
    }

    /// The least time of a bucket, in nanoseconds.
    private static func start(of bucket: Int) -> UInt64 {
        guard bucket >= 4 else { return UInt64(bucket) << unit }
        return UInt64(4 + bucket % 4) << (UInt64(bucket / 4 - 1) + unit)
    }
}
