package import Histogram

/// The counts of a demo.
package struct DemoStatistics: Sendable {
    /// Open sessions.
    package private(set) var open = 0
    /// Sessions begun since the start.
    package private(set) var begun = 0
    /// Calls with a correct result.
    package private(set) var calls = 0
    /// Calls answered, by replica.
    package private(set) var callsByReplica: [String: Int] = [:]
    /// Calls whose session was not found, or was answered by another replica or with a wrong call count.
    package private(set) var misrouted = 0
    /// Calls and sessions that failed for another reason.
    package private(set) var failures = 0
    /// The reason of the last misrouted or failed call.
    package private(set) var lastFailure: String?
    /// Latencies in microseconds, from the request to the end of the response, without those of streaming calls.
    package private(set) var latency = Histogram<UInt64>(highestTrackableValue: 60_000_000)

    /// All counts 0.
    package init() {}

    /// The percentage of calls that were not misrouted; 100 before the first call.
    package var affinityPercent: Double {
        calls + misrouted == 0 ? 100 : 100 * Double(calls) / Double(calls + misrouted)
    }

    /// The latency in milliseconds at a percentile, 0...100; 0 before the first call.
    package func latencyMilliseconds(percentile: Double) -> Double {
        calls == 0 ? 0 : Double(latency.valueAtPercentile(percentile)) / 1_000
    }

    mutating func recordBegin() {
        open += 1
        begun += 1
    }

    mutating func recordEnd() { open -= 1 }

    /// `microseconds`: the latency; nil for a streaming call.
    mutating func recordCall(on replica: String, microseconds: UInt64?) {
        calls += 1
        callsByReplica[replica, default: 0] += 1
        // Timeouts are far below the histogram's limit.
        if let microseconds { _ = latency.record(min(microseconds, 60_000_000)) }
    }

    mutating func recordMisrouted(_ what: String) {
        misrouted += 1
        lastFailure = what
    }

    mutating func recordFailure(_ what: String) {
        failures += 1
        lastFailure = what
    }
}
