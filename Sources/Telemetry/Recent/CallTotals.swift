/// What calls came to, and how long they took.
package struct CallTotals: Sendable {
    /// How long they took.
    package private(set) var durations = DurationCounts()
    /// Calls that failed in any way.
    package private(set) var failed: UInt64 = 0
    /// Those of them that a tool says failed.
    package private(set) var toolErrors: UInt64 = 0
    /// All calls.
    package var calls: UInt64 { durations.total }

    /// No calls.
    package init() {}

    /// Counts a call that took so many nanoseconds.
    mutating func add(_ nanoseconds: UInt64, _ outcome: CallEvent.Outcome) {
        durations.add(nanoseconds)
        if outcome.isFailure { failed &+= 1 }
        if case .toolError = outcome { toolErrors &+= 1 }
    }

    /// Adds what another one has counted.
    package mutating func add(_ other: borrowing CallTotals) {
        durations.add(other.durations)
        failed &+= other.failed
        toolErrors &+= other.toolErrors
    }

    /// The calls since this was `earlier`.
    func since(_ earlier: borrowing CallTotals) -> CallTotals {
        var difference = CallTotals()
        difference.durations = durations.since(earlier.durations)
        difference.failed = failed &- earlier.failed
        difference.toolErrors = toolErrors &- earlier.toolErrors
        return difference
    }
}

extension CallEvent.Outcome {
    /// Whether whoever called did not get what was asked for, for another reason than that it gave up.
    package var isFailure: Bool {
        switch self {
        case .success, .cancelled: false
        case .toolError, .rpcError, .httpError, .timeout, .aborted, .rejected: true
        }
    }
}
