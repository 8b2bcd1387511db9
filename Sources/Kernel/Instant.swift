import Glibc

/// A point on the monotonic clock, in nanoseconds since an arbitrary start. It never goes back and means nothing in another
/// process.
public struct Instant: Comparable, Hashable, Sendable {
    /// Nanoseconds since the clock's start.
    public var nanoseconds: UInt64

    /// The instant that lies `nanoseconds` after the clock's start.
    @inlinable
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// Later than every deadline that is ever set.
    @inlinable
    public static var never: Instant { Instant(nanoseconds: .max) }

    /// The present, read from CLOCK_MONOTONIC: a vDSO call, which does not enter the kernel.
    public static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }

    /// Whether `left` is the earlier one.
    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The instant `interval` later; `never` stays `never`.
    @inlinable
    public static func + (instant: Instant, interval: Interval) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(interval.nanoseconds)
        return Instant(nanoseconds: overflow ? .max : sum)
    }

    /// The time from `earlier` to `later`; zero if they are the other way round.
    @inlinable
    public static func - (later: Instant, earlier: Instant) -> Interval {
        Interval(nanoseconds: later < earlier ? 0 : later.nanoseconds &- earlier.nanoseconds)
    }
}

/// A length of time in nanoseconds. `Duration` is 128 bits wide; the data plane keeps 64.
public struct Interval: Comparable, Hashable, Sendable {
    /// The whole length in nanoseconds.
    public var nanoseconds: UInt64

    /// A length of `nanoseconds`.
    @inlinable
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// 584 years: the length of a timeout that is off.
    @inlinable
    public static var unlimited: Interval { Interval(nanoseconds: .max) }

    /// `count` milliseconds; wraps beyond 584 years.
    @inlinable
    public static func milliseconds(_ count: UInt64) -> Interval { Interval(nanoseconds: count &* 1_000_000) }

    /// `count` seconds; wraps beyond 584 years.
    @inlinable
    public static func seconds(_ count: UInt64) -> Interval { Interval(nanoseconds: count &* 1_000_000_000) }

    /// Whether `left` is the shorter one.
    @inlinable
    public static func < (left: Interval, right: Interval) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The whole length in milliseconds, for people to read.
    @inlinable
    public var milliseconds: Double { Double(nanoseconds) / 1_000_000 }

    /// A `Duration` in 64 bits: a negative one becomes zero, one beyond 584 years `unlimited`.
    public init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (scaled, overflow) = UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carried) = scaled.addingReportingOverflow(UInt64(clamping: attoseconds / 1_000_000_000))
        nanoseconds = overflow || carried ? .max : sum
    }
}

/// The time of day, for what must mean the same on another machine or after a restart. It may jump either way.
public struct WallClock: Sendable {
    /// Seconds since 1970-01-01 UTC, modulo 2^32 (until 2106).
    public static func seconds() -> UInt32 {
        UInt32(truncatingIfNeeded: time(nil))
    }

    /// Nanoseconds since 1970-01-01 UTC (until 2554).
    public static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }
}
