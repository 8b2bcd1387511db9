import Glibc

/// A point on the monotonic clock, in nanoseconds since an arbitrary start. Never goes back, never says what day it is.
public struct Instant: Comparable, Hashable, Sendable {
    public var nanoseconds: UInt64

    @inlinable
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// Later than every deadline that is ever set.
    @inlinable
    public static var never: Instant { Instant(nanoseconds: .max) }

    /// Reads CLOCK_MONOTONIC; a vDSO call, no trap into the kernel.
    public static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }

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
    public var nanoseconds: UInt64

    @inlinable
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// Longer than any process lives: what "off" means for a timeout.
    @inlinable
    public static var unlimited: Interval { Interval(nanoseconds: .max) }

    @inlinable
    public static func milliseconds(_ count: UInt64) -> Interval { Interval(nanoseconds: count &* 1_000_000) }

    @inlinable
    public static func seconds(_ count: UInt64) -> Interval { Interval(nanoseconds: count &* 1_000_000_000) }

    @inlinable
    public static func < (left: Interval, right: Interval) -> Bool { left.nanoseconds < right.nanoseconds }

    @inlinable
    public var milliseconds: Double { Double(nanoseconds) / 1_000_000 }

    /// Negative durations are zero; those beyond 584 years are unlimited.
    public init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (scaled, overflow) = UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carried) = scaled.addingReportingOverflow(UInt64(clamping: attoseconds / 1_000_000_000))
        nanoseconds = overflow || carried ? .max : sum
    }
}

/// Seconds since 1970, for what must mean the same on another machine or after a restart.
public struct WallClock: Sendable {
    public static func seconds() -> UInt32 {
        UInt32(truncatingIfNeeded: time(nil))
    }
}
