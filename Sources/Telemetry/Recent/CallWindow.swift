/// Calls since the start, with what they were every half minute of the last five: counting one costs no look at a clock.
struct CallWindow: Sendable {
    /// Marks that are kept, and how far apart they are, in seconds.
    static var marks: Int { 10 }
    static var pause: UInt64 { 30 }

    private var totals = CallTotals()
    private var marks = InlineArray<10, CallTotals>(repeating: CallTotals())
    private var looked = CallTotals()

    mutating func add(_ nanoseconds: UInt64, _ outcome: CallEvent.Outcome) { totals.add(nanoseconds, outcome) }

    /// Half a minute has passed. `index` goes round from 0 to `marks` - 1.
    mutating func mark(_ index: Int) { marks[index] = totals }

    /// The calls since a mark, or since the start if it was not made yet.
    func since(mark index: Int) -> CallTotals { totals.since(marks[index]) }

    /// Whether there was no call since a mark.
    func isQuiet(sinceMark index: Int) -> Bool { totals.calls == marks[index].calls }

    /// Calls since this was last asked.
    mutating func takeSinceLooked() -> CallTotals {
        defer { looked = totals }
        return totals.since(looked)
    }
}
