/// What must be true of a stream's events: numbers that go up by one.
struct StreamOracle: Equatable {
    /// The next number; nil before the first event, which may have any.
    private(set) var expected: UInt64?

    /// What an event with this number says: so many events skipped, one repeated, or nothing.
    mutating func heard(_ number: UInt64) -> (wrong: WrongAnswer, count: UInt64)? {
        guard let expected, number != expected else {
            self.expected = number &+ 1
            return nil
        }
        // One that comes late was counted as skipped before: it is not a second mistake of its own, but it is not a new
        // event either.
        if number < expected { return (.duplicate, 1) }
        self.expected = number &+ 1
        return (.gap, number &- expected)
    }
}
