/// The expected order of a stream's events: their numbers go up by one.
struct StreamOracle: Equatable {
    /// The next number; nil before the first event, which may have any number.
    private(set) var expected: UInt64?

    /// Checks the number of an event. Returns how many events were skipped, or that one was repeated; nil if neither.
    mutating func receive(_ number: UInt64) -> (wrong: WrongAnswer, count: UInt64)? {
        guard let expected, number != expected else {
            self.expected = number &+ 1
            return nil
        }
        // A number below the expected one was received before, or was counted as skipped.
        if number < expected { return (.duplicate, 1) }
        self.expected = number &+ 1
        return (.gap, number &- expected)
    }
}
