import Kernel

/// Counts changes within a window of time, and says how many more there may be.
struct ChurnLimit: Sendable {
    /// When the last changes were made, oldest first; at most `maximum` of them.
    private var times: [Instant] = []

    /// Changes that may be made at `now` without exceeding `maximum` in the window.
    mutating func available(_ maximum: Int, at now: Instant) -> Int {
        times.removeAll { $0 + DiscoveryLimits.changeWindow <= now }
        return max(0, maximum - times.count)
    }

    /// Some changes were made.
    mutating func note(_ count: Int, at now: Instant) {
        for _ in 0..<count { times.append(now) }
    }

    /// When another change may be made after all that may be made now have been; `never` if none was made.
    var nextAt: Instant { times.first.map { $0 + DiscoveryLimits.changeWindow } ?? .never }
}
