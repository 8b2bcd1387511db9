import Kernel

/// The times at which the calls of an open loop are due: evenly spaced, and never moved by how long an answer takes.
/// What is due and not yet sent waits, and its wait is part of its latency.
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

    /// Takes the next call if it is due: the time it was due at.
    mutating func take(at now: Instant) -> Instant? {
        let next = next
        guard next <= now else { return nil }
        issued &+= 1
        return next
    }

    /// Gives up the calls that were due more than `patience` ago; how many those are.
    mutating func giveUp(olderThan patience: Interval, at now: Instant) -> UInt64 {
        let waited = (now - start).nanoseconds
        guard waited > patience.nanoseconds else { return 0 }
        let late = UInt64(Double(waited &- patience.nanoseconds) / nanosecondsApart)
        guard late > issued else { return 0 }
        defer { issued = late }
        return late &- issued
    }

    private func due(_ number: UInt64) -> Instant {
        start + Interval(nanoseconds: UInt64(Double(number) * nanosecondsApart))
    }
}
