public import Kernel

/// How often something may happen: `perSecond` on average, `burst` at once.
public struct RateLimit: Sendable {
    /// How often it may happen at once, after a long time without.
    public var burst: UInt32
    /// Nanoseconds in which one is earned.
    @usableFromInline let price: UInt64

    /// A limit of `perSecond` on average, at least 1, and `burst` at once.
    public init(perSecond: UInt32, burst: UInt32) {
        price = 1_000_000_000 / UInt64(max(1, perSecond))
        self.burst = burst
    }
}

/// Counts what happens and says when it happens too often: the generic cell rate algorithm (ITU-T I.371), which keeps
/// nothing but the time at which all that happened will have been earned.
///
/// The limit is an argument of every call, so that many limiters may share one and none holds a copy.
public struct RateLimiter: Sendable {
    @usableFromInline var counted: UInt32 = 0
    /// How often it has happened, allowed or not, modulo 2^32.
    @inlinable public var count: UInt32 { counted }
    /// In nanoseconds of the monotonic clock.
    @usableFromInline var earnedAt: UInt64 = 0

    /// A limiter that has counted nothing.
    @inlinable
    public init() {}

    /// Counts `times` occurrences at `now`. False if those were more than `limit` allows; they count all the same. A
    /// negative number counts as none.
    @inlinable
    public mutating func add(_ limit: RateLimit, now: Instant, times: Int = 1) -> Bool {
        counted &+= UInt32(truncatingIfNeeded: times)
        earnedAt = max(earnedAt, now.nanoseconds) &+ limit.price &* UInt64(max(0, times))
        return earnedAt &- now.nanoseconds <= UInt64(limit.burst) &* limit.price
    }

    /// Earns `times` occurrences at once; `count` stays.
    @inlinable
    public mutating func refund(_ times: UInt64, _ limit: RateLimit) {
        let amount = limit.price &* times
        earnedAt = earnedAt > amount ? earnedAt &- amount : 0
    }
}
