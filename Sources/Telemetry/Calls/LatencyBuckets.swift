/// The upper bounds of a histogram's buckets, and which bucket a duration belongs to. Its memory is never freed.
struct LatencyBuckets: @unchecked Sendable {
    /// Buckets with a bound. One more has none.
    static var bounded: Int { 18 }
    /// All buckets.
    static var count: Int { bounded + 1 }

    /// In nanoseconds, ascending; the last is the largest number there is.
    private let bounds: UnsafeMutablePointer<UInt64>
    /// By the number of significant bits of a duration, the first bucket that it can belong to.
    private let firsts: UnsafeMutablePointer<UInt8>

    private init(milliseconds: [Double]) {
        bounds = .allocate(capacity: Self.count)
        firsts = .allocate(capacity: 65)
        for index in 0..<Self.count {
            bounds[index] = index < Self.bounded ? UInt64(milliseconds[index] * 1e6) : UInt64.max
        }
        for bits in 0...64 {
            let smallest: UInt64 = bits == 0 ? 0 : 1 << UInt64(bits - 1)
            firsts[bits] = UInt8((0..<Self.count).first { bounds[$0] >= smallest } ?? Self.bounded)
        }
    }

    /// Of calls: from half a millisecond, which a call in the same rack takes, to five minutes, which a tool may.
    static let calls = LatencyBuckets(milliseconds: [
        0.5, 1, 2.5, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000,
    ])

    /// Of sessions: from a second to a week.
    static let sessions = LatencyBuckets(
        milliseconds: [
            1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400, 172_800, 604_800,
        ].map { $0 * 1_000 })

    /// The bucket of a duration in nanoseconds: the first whose bound is not below it.
    @inline(__always)
    func index(of nanoseconds: UInt64) -> Int {
        var index = Int(firsts[UInt64.bitWidth &- nanoseconds.leadingZeroBitCount])
        while nanoseconds > bounds[index] { index &+= 1 }
        return index
    }

    /// The bound of a bucket, in seconds; nil: it has none.
    func seconds(_ index: Int) -> Double? { index < Self.bounded ? Double(bounds[index]) / 1e9 : nil }
}
