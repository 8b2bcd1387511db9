/// Turns the results of a server's health checks into a verdict, and nothing else: no socket, no clock, no log.
///
/// One lost check must not take a server out and one lucky check must not bring it back, so the verdict changes only after
/// `rise` passes or `fall` failures in a row. A server that was not checked yet counts as healthy: a start or a reload
/// must not begin with an outage. It is unproven until its first pass, or until `fall` failures prove it unhealthy.
///
/// All of it fits 64 bits, so that threads can share it in one atomic: load, `record`, compare and exchange.
package struct HealthTracker: Equatable, Sendable {
    /// What the checks so far amount to.
    package enum Verdict: UInt8, Sendable { case healthy, unhealthy }
    /// What came of one check.
    package enum Outcome: Sendable { case passed, failed }

    /// Healthy until checks say otherwise.
    package private(set) var verdict: Verdict = .healthy
    /// Whether any check has passed, or enough have failed.
    package private(set) var isProven = false
    /// Results in a row that speak against the verdict.
    private var contraryRun: UInt16 = 0
    private let rise: UInt16
    private let fall: UInt16

    /// - Parameters:
    ///   - rise: Passes in a row after which an unhealthy server is healthy.
    ///   - fall: Failures in a row after which a healthy server is unhealthy.
    ///
    /// Both are brought inside 1...65535.
    package init(rise: Int, fall: Int) {
        self.rise = UInt16(clamping: max(1, rise))
        self.fall = UInt16(clamping: max(1, fall))
    }

    /// Whether the server may get new work.
    package var isHealthy: Bool { verdict == .healthy }

    /// The same state under other thresholds.
    package func with(rise: Int, fall: Int) -> HealthTracker {
        var changed = HealthTracker(rise: rise, fall: fall)
        changed.verdict = verdict
        changed.isProven = isProven
        return changed
    }

    /// Records a check and returns the new verdict if this is the check that changed it.
    package mutating func record(_ outcome: Outcome) -> Verdict? {
        switch (verdict, outcome) {
        case (.healthy, .passed):
            isProven = true
            contraryRun = 0
            return nil
        case (.unhealthy, .failed):
            contraryRun = 0
            return nil
        case (.healthy, .failed): return flip(to: .unhealthy, after: fall)
        case (.unhealthy, .passed): return flip(to: .healthy, after: rise)
        }
    }

    private mutating func flip(to other: Verdict, after threshold: UInt16) -> Verdict? {
        contraryRun += 1
        guard contraryRun >= threshold else { return nil }
        contraryRun = 0
        verdict = other
        isProven = true
        return other
    }
}

// MARK: - Packing

extension HealthTracker {
    /// The whole tracker in one word.
    package var packed: UInt64 {
        UInt64(rise) | UInt64(fall) << 16 | UInt64(contraryRun) << 32 | UInt64(verdict.rawValue) << 48
            | (isProven ? 1 << 49 : 0)
    }

    /// The tracker that `packed` was taken from. Any other word gives some valid tracker.
    package init(packed: UInt64) {
        self.init(rise: Int(packed & 0xFFFF), fall: Int(packed >> 16 & 0xFFFF))
        contraryRun = min(UInt16(truncatingIfNeeded: packed >> 32), .max - 1)
        verdict = packed >> 48 & 1 == 0 ? .healthy : .unhealthy
        isProven = packed >> 49 & 1 == 1
    }
}
