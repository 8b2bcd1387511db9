/// Bounds retries to a share of the requests, so that retries cannot multiply the load of servers that are failing
/// (Finagle's retry budget). A floor lets the few requests of a quiet upstream be retried all the same.
///
/// Requests and retries of the last ten seconds count, in slices of a second. Pure: the clock is handed in.
package struct RetryBudget: Equatable, Sendable {
    private static var sliceCount: Int { 10 }
    private static var nanosecondsPerSlice: UInt64 { 1_000_000_000 }
    /// Tokens that a retry costs; a request brings `percent` of them.
    private static var retryCost: Int64 { 100 }

    private let percent: Int64
    private let floor: Int64
    private let isUnlimited: Bool
    /// Tokens brought less tokens spent, by slice of the past; empty if unlimited.
    private var slices: [Int64]
    private var sum: Int64 = 0
    /// Those of the present slice, which are in neither.
    private var latest: Int64 = 0
    /// The slice of the present, counted from the clock's zero.
    private var present: UInt64 = 0
    /// When the present slice is over, in nanoseconds.
    private var presentEnds: UInt64 = 0
    /// Retries that were not granted.
    package private(set) var deniedCount: UInt64 = 0

    /// A budget that grants every retry.
    package static var unlimited: RetryBudget { RetryBudget() }

    private init() {
        (percent, floor, isUnlimited, slices) = (0, 0, true, [])
    }

    /// - Parameters:
    ///   - percent: Retries granted for a hundred requests, brought inside 0...1000.
    ///   - minimumPerSecond: Retries granted in a second whatever the requests, averaged over the window; brought inside
    ///     0...1_000_000.
    package init(percent: Int, minimumPerSecond: Int) {
        self.percent = Int64(min(max(0, percent), 1_000))
        floor = Int64(min(max(0, minimumPerSecond), 1_000_000)) * Int64(Self.sliceCount) * Self.retryCost
        isUnlimited = false
        slices = Array(repeating: 0, count: Self.sliceCount)
    }

    /// Records a request, not a retry of it.
    ///
    /// - Parameter now: Monotonic time in nanoseconds.
    package mutating func requestBegan(now: UInt64) {
        guard !isUnlimited else { return }
        if now >= presentEnds { advance(to: now) }
        latest += percent
    }

    /// The answer to a withdrawal.
    package enum Withdrawal: Sendable {
        /// The cost of a retry was taken.
        case granted
        /// There is not enough left; nothing was taken, and `deniedCount` grew.
        case denied
    }

    /// Takes the cost of a retry, if there is as much left.
    ///
    /// - Parameter now: Monotonic time in nanoseconds.
    package mutating func withdraw(now: UInt64) -> Withdrawal {
        guard !isUnlimited else { return .granted }
        if now >= presentEnds { advance(to: now) }
        guard sum + latest + floor >= Self.retryCost else {
            deniedCount &+= 1
            return .denied
        }
        latest -= Self.retryCost
        return .granted
    }

    /// Forgets what is older than the window. A clock that goes back stands still instead.
    private mutating func advance(to now: UInt64) {
        let slice = now / Self.nanosecondsPerSlice
        presentEnds = (slice + 1).multipliedReportingOverflow(by: Self.nanosecondsPerSlice).partialValue
        guard slice > present else { return }
        slices[Int(present % UInt64(Self.sliceCount))] += latest
        sum += latest
        latest = 0
        for step in 1...min(slice - present, UInt64(Self.sliceCount)) {
            let index = Int((present + step) % UInt64(Self.sliceCount))
            sum -= slices[index]
            slices[index] = 0
        }
        present = slice
    }
}
