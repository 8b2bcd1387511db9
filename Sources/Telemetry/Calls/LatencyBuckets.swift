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
    private let isOfSessions: Bool

    private init(seconds: [Double], isOfSessions: Bool) {
        self.isOfSessions = isOfSessions
        bounds = .allocate(capacity: Self.count)
        firsts = .allocate(capacity: 65)
        for index in 0..<Self.count {
            bounds[index] = index < Self.bounded ? UInt64((seconds[index] * 1e9).rounded()) : UInt64.max
        }
        for bits in 0...64 {
            let smallest: UInt64 = bits == 0 ? 0 : 1 << UInt64(bits - 1)
            firsts[bits] = UInt8((0..<Self.count).first { bounds[$0] >= smallest } ?? Self.bounded)
        }
    }

    /// From half a millisecond, which a call in the same rack takes, to five minutes, which a tool may.
    private static let secondsOfCalls = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300,
    ]
    /// From a second to a week.
    private static let secondsOfSessions: [Double] = [
        1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400, 172_800, 604_800,
    ]

    static let calls = LatencyBuckets(seconds: secondsOfCalls, isOfSessions: false)
    static let sessions = LatencyBuckets(seconds: secondsOfSessions, isOfSessions: true)

    /// The bounds in seconds, ascending. No property of each, which would be counted wherever a worker looks a bucket up.
    var seconds: [Double] { isOfSessions ? Self.secondsOfSessions : Self.secondsOfCalls }

    /// The bucket of a duration in nanoseconds: the first whose bound is not below it.
    @inline(__always)
    func index(of nanoseconds: UInt64) -> Int {
        var index = Int(firsts[UInt64.bitWidth &- nanoseconds.leadingZeroBitCount])
        while nanoseconds > bounds[index] { index &+= 1 }
        return index
    }
}
