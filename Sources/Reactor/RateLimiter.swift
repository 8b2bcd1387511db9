public import Kernel

/// A limit on the rate of events: `perSecond` on average, `burst` at once.
public struct RateLimit: Sendable {
    /// The number of events allowed at once.
    public var burst: UInt32
    /// The emission interval: nanoseconds for each event.
    @usableFromInline let interval: UInt64

    /// `perSecond` is at least 1; 0 counts as 1.
    public init(perSecond: UInt32, burst: UInt32) {
        interval = 1_000_000_000 / UInt64(max(1, perSecond))
        self.burst = burst
    }
}

/// Counts events and limits their rate with the generic cell rate algorithm (GCRA, ITU-T I.371), which needs only one
/// instant: the theoretical arrival time.
///
/// The limit is an argument of every call, so that many limiters may share one and none holds a copy.
public struct RateLimiter: Sendable {
    @usableFromInline var counted: UInt32 = 0
    /// The number of events, allowed or not, modulo 2^32.
    @inlinable public var count: UInt32 { counted }
    /// The theoretical arrival time, in nanoseconds of the clock of `Instant`.
    @usableFromInline var arrivalTime: UInt64 = 0

    /// A limiter without events.
    @inlinable
    public init() {}

    /// Counts `times` events at `now`. False if they exceed the limit; they count all the same. A negative number counts
    /// as 0.
    @inlinable
    public mutating func add(_ limit: RateLimit, now: Instant, times: Int = 1) -> Bool {
        counted &+= UInt32(truncatingIfNeeded: times)
        arrivalTime = max(arrivalTime, now.nanoseconds) &+ limit.interval &* UInt64(max(0, times))
        return arrivalTime &- now.nanoseconds <= UInt64(limit.burst) &* limit.interval
    }

    /// Allows `times` more events. `count` does not change.
    @inlinable
    public mutating func refund(_ times: UInt64, _ limit: RateLimit) {
        let amount = limit.interval &* times
        arrivalTime = arrivalTime > amount ? arrivalTime &- amount : 0
    }
}
