import Kernel

/// The due times of the calls of an open loop: evenly spaced, and independent of how long responses take. A call that
/// is due and not yet sent waits; its wait is part of its latency (so there is no coordinated omission).
struct Schedule {
    private let start: Instant
    private let nanosecondsApart: Double
    private var issued: UInt64 = 0

    /// `rate`: calls a second, above 0.
    init(start: Instant, rate: Double) {
        self.start = start
        nanosecondsApart = 1_000_000_000 / rate
    }

    /// When the next call is due.
    var next: Instant { due(issued) }

    /// Takes the next call if it is due. Returns its due time.
    mutating func take(at now: Instant) -> Instant? {
        let next = next
        guard next <= now else { return nil }
        issued &+= 1
        return next
    }

    /// Skips the calls that were due more than `timeout` ago and are not sent. Returns how many.
    mutating func skip(overdueBy timeout: Interval, at now: Instant) -> UInt64 {
        let waited = (now - start).nanoseconds
        guard waited > timeout.nanoseconds else { return 0 }
        let overdue = UInt64(Double(waited &- timeout.nanoseconds) / nanosecondsApart)
        guard overdue > issued else { return 0 }
        defer { issued = overdue }
        return overdue &- issued
    }

    private func due(_ number: UInt64) -> Instant {
        start + Interval(nanoseconds: UInt64(Double(number) * nanosecondsApart))
    }
}
