/// How many requests a key may make: `count` in a time on average, and `burst` of them at once.
package struct RequestRate: Sendable, Equatable {
    /// Requests in the time; at least 1.
    package let count: Int
    /// The time in seconds; at least 1.
    package let seconds: Int
    /// Requests that may come at once after a pause; at least 1.
    package let burst: Int
    /// The time between two requests at this rate, in ticks.
    let interval: UInt64
    /// The time that a whole burst takes at this rate, in ticks.
    let window: UInt64

    /// `count` requests in so many seconds; without `burst` as many may come at once. Numbers below 1 count as 1. A burst may
    /// take a year at its rate at most: a larger one is cut.
    package init(_ count: Int, per seconds: Int, burst: Int? = nil) {
        self.count = max(1, count)
        self.seconds = max(1, min(seconds, Self.longestSeconds))
        let ticks = UInt64(self.seconds) * Self.ticksPerSecond
        interval = max(1, ticks / UInt64(self.count))
        let most = Int(clamping: UInt64(Self.longestSeconds) * Self.ticksPerSecond / interval)
        self.burst = min(max(1, burst ?? self.count), max(1, most))
        window = interval * UInt64(self.burst)
    }

    /// The unit of time here, in nanoseconds: fine enough for 100,000 requests a second, and 56 bits of it last for 36 years.
    static var nanosecondsPerTick: UInt64 { 16 }
    private static var ticksPerSecond: UInt64 { 1_000_000_000 / nanosecondsPerTick }
    private static var longestSeconds: Int { 366 * 86_400 }

    /// The time that so many requests use at this rate, in ticks, as far as a burst has it.
    package func time(of count: Int) -> Int64 {
        let (time, overflow) = interval.multipliedReportingOverflow(by: UInt64(max(1, count)))
        return Int64(clamping: overflow ? window : min(time, window))
    }

    /// The time that all who share this rate are believed to have used, in ticks: each may use a burst before it hears of the
    /// others', and nobody pays for more of them than 64. A year at most.
    package var longestBacklog: UInt64 {
        min(2 * window + 64 * interval, Self.longestTicks)
    }

    static var longestTicks: UInt64 { UInt64(longestSeconds) * ticksPerSecond }

    /// Ticks as microseconds, to the nearest.
    package static func microseconds(ofTicks ticks: Int64) -> Int64 {
        let ticks = min(max(ticks, -Int64(longestTicks) * 2), Int64(longestTicks) * 2)
        return (ticks * Int64(nanosecondsPerTick) + (ticks < 0 ? -500 : 500)) / 1_000
    }

    /// Microseconds that somebody else has named as ticks; what is below 0 counts as 0, and what is beyond a year as that.
    package static func ticks(ofMicroseconds microseconds: Int64) -> UInt64 {
        let (nanoseconds, overflow) = UInt64(max(0, microseconds)).multipliedReportingOverflow(by: 1_000)
        return overflow ? longestTicks : min(longestTicks, nanoseconds / nanosecondsPerTick)
    }

    /// How long it takes until a burst is whole again, in seconds, rounded up.
    package var recoverySeconds: Int {
        Int(clamping: (window + Self.ticksPerSecond - 1) / Self.ticksPerSecond)
    }
}

/// Whether a request may go on.
package enum RateVerdict: Equatable, Sendable {
    /// It may, and so may as many more at once.
    case allowed(remaining: Int)
    /// It may not; it could in so many nanoseconds, if no other came before. `.max`: never, for it counts as more requests
    /// than a burst has.
    case refused(nanoseconds: UInt64)
}

/// The generic cell rate algorithm (GCRA, ITU-T I.371) with one instant for each key: the theoretical arrival time, up to which
/// the requests so far have used the key's time up.
enum CellRate {
    /// What comes of `count` requests at `now`, and the arrival time after that; all in ticks.
    @inline(__always)
    static func charge(
        _ arrival: UInt64, _ rate: borrowing RequestRate, now: UInt64, count: Int
    ) -> (verdict: RateVerdict, arrival: UInt64) {
        let used = arrival > now ? arrival - now : 0
        let (cost, overflow) = rate.interval.multipliedReportingOverflow(by: UInt64(max(1, count)))
        guard !overflow, cost <= rate.window else { return (.refused(nanoseconds: .max), arrival) }
        // Both are at most a year: no sum overflows.
        guard used <= rate.window - cost else {
            let wait = used - (rate.window - cost)
            let (nanoseconds, isLong) = wait.multipliedReportingOverflow(by: RequestRate.nanosecondsPerTick)
            return (.refused(nanoseconds: isLong ? .max - 1 : nanoseconds), arrival)
        }
        let left = (rate.window - used - cost) / rate.interval
        return (.allowed(remaining: Int(clamping: left)), now + used + cost)
    }
}
