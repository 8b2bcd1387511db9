/// The calls of the last five minutes, in ten slots of half a minute, and those since somebody last looked.
package struct CallWindow: Sendable {
    /// What calls came to.
    package struct Summary: Sendable {
        package var durations = DurationCounts()
        /// Calls that failed in any way, and those of them that a tool says failed.
        package var failed: UInt64 = 0
        package var toolErrors: UInt64 = 0
        package var calls: UInt64 { durations.total }

        package init() {}

        fileprivate mutating func add(_ nanoseconds: UInt64, _ outcome: CallEvent.Outcome) {
            durations.add(nanoseconds)
            if outcome.isFailure { failed &+= 1 }
            if outcome == .toolError { toolErrors &+= 1 }
        }

        fileprivate mutating func add(_ other: borrowing Summary) {
            durations.add(other.durations)
            failed &+= other.failed
            toolErrors &+= other.toolErrors
        }
    }

    /// How long it looks back, in seconds.
    package static var seconds: UInt64 { slots * slotSeconds }
    private static var slots: UInt64 { 10 }
    private static var slotSeconds: UInt64 { 30 }

    private struct Slot {
        /// Which half minute since 1970 it is of.
        var number: UInt64 = 0
        var summary = Summary()
    }

    private var slots = InlineArray<10, Slot>(repeating: Slot())
    private var sinceLooked = Summary()
    /// The newest half minute in which there was a call.
    private var newest: UInt64 = 0

    package init() {}

    /// Adds a call that ended at `second` since 1970.
    mutating func add(_ nanoseconds: UInt64, _ outcome: CallEvent.Outcome, at second: UInt64) {
        let number = second / Self.slotSeconds
        let index = Int(number % Self.slots)
        if slots[index].number != number { slots[index] = Slot(number: number) }
        slots[index].summary.add(nanoseconds, outcome)
        sinceLooked.add(nanoseconds, outcome)
        newest = number
    }

    /// All calls of the last five minutes.
    func summary(at second: UInt64) -> Summary {
        var sum = Summary()
        let now = second / Self.slotSeconds
        for index in slots.indices where slots[index].number &+ Self.slots > now && slots[index].number <= now {
            sum.add(slots[index].summary)
        }
        return sum
    }

    /// Whether it has no call of the last five minutes.
    func isEmpty(at second: UInt64) -> Bool { newest &+ Self.slots <= second / Self.slotSeconds }

    /// Calls since this was last asked.
    mutating func takeSinceLooked() -> Summary {
        defer { sinceLooked = Summary() }
        return sinceLooked
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
