/// Turns a stream of probe results into a verdict, and nothing else: no socket, no clock, no log.
///
/// One lost probe must not empty a pool and one lucky probe must not refill it, so a verdict flips only after a run of
/// `rise` successes or `fall` failures in a row. An endpoint nobody has probed yet counts as healthy: a start or a
/// reload must not begin with an outage. It stays unproven until its first success, and the same `fall` failures
/// prove it unhealthy.
///
/// All of it fits 64 bits, so that an owner shared by threads can keep it in one atomic: load, `record`, exchange.
package struct HealthTracker: Equatable, Sendable {
    package enum Verdict: UInt8, Sendable { case healthy, unhealthy }
    package enum Outcome: Sendable { case passed, failed }

    package private(set) var verdict: Verdict = .healthy
    /// Whether any probe has passed, or enough have failed.
    package private(set) var isProven = false
    private var contraryRun: UInt16 = 0
    private let rise: UInt16
    private let fall: UInt16

    /// Thresholds outside 1...65535 are brought inside.
    package init(rise: Int, fall: Int) {
        self.rise = UInt16(clamping: max(1, rise))
        self.fall = UInt16(clamping: max(1, fall))
    }

    package var isHealthy: Bool { verdict == .healthy }

    /// Records a probe and returns the new verdict if this is the probe that changed it.
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
    /// Everything, in one word.
    package var packed: UInt64 {
        UInt64(rise) | UInt64(fall) << 16 | UInt64(contraryRun) << 32 | UInt64(verdict.rawValue) << 48
            | (isProven ? 1 << 49 : 0)
    }

    /// From what `packed` gave. Another word gives some valid tracker.
    package init(packed: UInt64) {
        self.init(rise: Int(packed & 0xFFFF), fall: Int(packed >> 16 & 0xFFFF))
        contraryRun = min(UInt16(truncatingIfNeeded: packed >> 32), .max - 1)
        verdict = packed >> 48 & 1 == 0 ? .healthy : .unhealthy
        isProven = packed >> 49 & 1 == 1
    }
}
