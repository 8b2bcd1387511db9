/// Takes a server out for a while whose answers to requests fail one after the other, as Envoy's outlier detection does:
/// no socket, no clock of its own, no log.
///
/// Health checks ask whether a process lives; this looks at what it does with real work. A server is ejected after so many
/// failures in a row. The time grows by its base with every ejection, up to five minutes, and shrinks by one base
/// for each base that the server has been back without another. Who may be ejected, and how many at a time, is its
/// owner's to say.
///
/// All of it fits 64 bits, so that threads can share it in one atomic: load, `record`, compare and exchange.
package struct OutlierDetector: Equatable, Sendable {
    /// When a server is ejected, and for how long.
    package struct Rule: Equatable, Sendable {
        /// Failures in a row after which a server is ejected; at least 1.
        package var failures: Int
        /// Nanoseconds of the first ejection.
        package var baseEjection: UInt64

        /// A rule; fewer than one failure counts as one.
        package init(failures: Int, baseEjection: UInt64) {
            self.failures = max(1, failures)
            self.baseEjection = baseEjection
        }

        /// Nanoseconds of the n-th ejection in a short time, `count` from 1: so many bases, five minutes at most, or one
        /// base if that is longer.
        func ejection(_ count: UInt8) -> UInt64 {
            let (time, overflow) = baseEjection.multipliedReportingOverflow(by: UInt64(count))
            return max(baseEjection, min(overflow ? .max : time, OutlierDetector.longestEjection))
        }
    }

    /// What came of work that a server was given.
    package enum Outcome: Sendable { case succeeded, failed }

    /// What is to be done about it.
    package enum Action: Equatable, Sendable {
        case none
        /// Its failures are as many as it takes: if it may be ejected, `eject` it.
        case considerEjection
    }

    /// Nanoseconds of the longest ejection, unless the base is longer.
    static var longestEjection: UInt64 { 300_000_000_000 }
    /// Time is kept in ticks of so many nanoseconds, for which 39 bits last 1,700 years.
    private static var tick: UInt64 { 100_000_000 }

    /// Failures since the last success.
    package private(set) var failures: UInt16 = 0
    /// Ejections that the next one is longer by.
    private var ejections: UInt8 = 0
    /// It gets no new work.
    package private(set) var isEjected = false
    /// In ticks: until when it is ejected, or since when it is back.
    private var since: UInt64 = 0

    /// A server of which nothing is known.
    package init() {}

    /// Whether recording a success would change anything.
    package var hasFailures: Bool { failures > 0 }

    /// Records what came of some work. While a server is ejected, nothing counts: what sessions it keeps may fail as
    /// they like.
    package mutating func record(_ outcome: Outcome, _ rule: Rule) -> Action {
        guard !isEjected else { return .none }
        switch outcome {
        case .succeeded:
            failures = 0
            return .none
        case .failed:
            if failures < .max { failures += 1 }
            return Int(failures) >= rule.failures ? .considerEjection : .none
        }
    }

    /// Ejects the server now. Returns the nanoseconds after which `readmit` is due.
    package mutating func eject(at now: UInt64, _ rule: Rule) -> UInt64 {
        forgetEjections(at: now, rule)
        if ejections < .max { ejections += 1 }
        let time = rule.ejection(ejections)
        isEjected = true
        failures = 0
        let (end, overflow) = now.addingReportingOverflow(time)
        since = (overflow ? UInt64.max : end) / Self.tick
        return time
    }

    /// Ejects the server until then, by order: the ejections that follow are no longer for it.
    package mutating func eject(until end: UInt64) {
        isEjected = true
        failures = 0
        since = end / Self.tick
    }

    /// Ends an ejection before its time, by order. Returns whether there was one.
    package mutating func readmitEarly(at now: UInt64) -> Bool {
        guard isEjected else { return false }
        isEjected = false
        failures = 0
        since = now / Self.tick
        return true
    }

    /// Whether a call of `readmit` would bring the server back.
    package func isDue(at now: UInt64) -> Bool { isEjected && now / Self.tick >= since }

    /// Ends an ejection whose time is over. Returns whether it did.
    package mutating func readmit(at now: UInt64) -> Bool {
        guard isDue(at: now) else { return false }
        isEjected = false
        failures = 0
        since = now / Self.tick
        return true
    }

    /// Ends an ejection that should not have been begun, as if it had not been.
    package mutating func revoke() {
        guard isEjected else { return }
        isEjected = false
        ejections -= ejections > 0 ? 1 : 0
    }

    /// One ejection less for each base that the server has been back.
    private mutating func forgetEjections(at now: UInt64, _ rule: Rule) {
        let base = max(1, rule.baseEjection / Self.tick)
        let quiet = now / Self.tick
        guard ejections > 0, quiet > since else { return }
        ejections -= UInt8(clamping: min(UInt64(ejections), (quiet - since) / base))
    }
}

// MARK: - Packing

extension OutlierDetector {
    /// The whole detector in one word.
    package var packed: UInt64 {
        UInt64(failures) | UInt64(ejections) << 16 | (since & 0x7F_FFFF_FFFF) << 24 | (isEjected ? 1 << 63 : 0)
    }

    /// The detector that `packed` was taken from. Any other word gives some valid detector.
    package init(packed: UInt64) {
        failures = UInt16(truncatingIfNeeded: packed)
        ejections = UInt8(truncatingIfNeeded: packed >> 16)
        since = packed >> 24 & 0x7F_FFFF_FFFF
        isEjected = packed >> 63 == 1
    }
}

// MARK: - How many

extension OutlierDetector {
    /// How many of an upstream's servers may be ejected at a time: the percentage, rounded down, but one at least and never
    /// all. Of a single server, none.
    package static func limit(servers: Int, maximumPercent: Int) -> Int {
        guard servers > 1, maximumPercent > 0 else { return 0 }
        let (product, overflow) = servers.multipliedReportingOverflow(by: min(maximumPercent, 100))
        return min(servers - 1, max(1, overflow ? servers : product / 100))
    }
}
