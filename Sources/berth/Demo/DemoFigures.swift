package import Histogram

/// What a demo has counted.
package struct DemoFigures: Sendable {
    /// Sessions that are open now.
    package private(set) var open = 0
    /// Sessions begun so far.
    package private(set) var begun = 0
    /// Calls answered.
    package private(set) var calls = 0
    /// Calls answered, by replica.
    package private(set) var callsByReplica: [String: Int] = [:]
    /// Calls that found their session gone, on another replica, or with another count than its own.
    package private(set) var strays = 0
    /// Calls that came to nothing for another reason, and sessions that could not be begun.
    package private(set) var failures = 0
    /// Why the last of the strays and failures was one.
    package private(set) var lastFailure: String?
    /// Times from request to complete answer, in microseconds, of the calls that are answered at once.
    package private(set) var latency = Histogram<UInt64>(highestTrackableValue: 60_000_000)

    package init() {}

    /// The share of session calls that met their session as they left it, in percent.
    package var affinityPercent: Double {
        calls + strays == 0 ? 100 : 100 * Double(calls) / Double(calls + strays)
    }

    /// A latency percentile, 0...100, in milliseconds; 0 before the first call.
    package func latencyMilliseconds(percentile: Double) -> Double {
        calls == 0 ? 0 : Double(latency.valueAtPercentile(percentile)) / 1_000
    }

    mutating func recordBegin() {
        open += 1
        begun += 1
    }

    mutating func recordEnd() { open -= 1 }

    /// Without a time for a call that takes its time on purpose.
    mutating func recordCall(on replica: String, microseconds: UInt64?) {
        calls += 1
        callsByReplica[replica, default: 0] += 1
        // The waits are bounded far below the histogram's range.
        if let microseconds { _ = latency.record(min(microseconds, 60_000_000)) }
    }

    mutating func recordStray(_ what: String) {
        strays += 1
        lastFailure = what
    }

    mutating func recordFailure(_ what: String) {
        failures += 1
        lastFailure = what
    }
}
