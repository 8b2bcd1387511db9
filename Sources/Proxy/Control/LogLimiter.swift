import Kernel

/// Bounds how often a worker logs what peers can cause as often as they like: ten lines at once, then one a second.
struct LogLimiter {
    private static var burst: Int { 10 }

    private var available = LogLimiter.burst
    private var refilledAt: Instant?
    /// Lines left out since the last one.
    private var omitted = 0

    /// The number of lines left out before the one that may be logged now; nil if this one is left out as well.
    mutating func admit(at now: Instant) -> Int? {
        let since = refilledAt ?? now
        let seconds = Int(clamping: (now - since).nanoseconds / 1_000_000_000)
        if seconds > 0 || refilledAt == nil {
            available = min(Self.burst, available &+ min(seconds, Self.burst))
            refilledAt = now
        }
        guard available > 0 else {
            omitted &+= 1
            return nil
        }
        available -= 1
        defer { omitted = 0 }
        return omitted
    }
}
