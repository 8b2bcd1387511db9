/// What must be true of the answers of one session: one replica, and one count of calls, for all its life.
struct SessionOracle: Equatable {
    /// As `ReplicaNames` numbers it; nil until it has named itself.
    private(set) var replica: UInt16?
    /// Tool calls that the replica has certainly counted.
    private(set) var counted: UInt64 = 0
    /// Calls that came to nothing on their way: the replica may have counted them, or may yet, or never.
    private(set) var uncertain: UInt64 = 0

    /// The counts that the next answer may name.
    var expected: ClosedRange<UInt64> { (counted + 1)...(counted + 1 + uncertain) }

    /// A call came to nothing.
    mutating func failed() { uncertain += 1 }

    /// The call was answered, without a word on who counts.
    mutating func answered() { counted += 1 }

    /// The name to look at first when the next is heard, where it says nothing of what must be true.
    mutating func guess(_ name: UInt16) { replica = name }

    /// The call was answered with the replica's name and its count. What is wrong with that, if anything; the next
    /// answer is held against this one, so that one mistake is one mistake.
    mutating func answered(by name: UInt16, count: UInt64) -> WrongAnswer? {
        let known = replica
        replica = known ?? name
        // Another's counter says nothing of whether ours has moved.
        if let known, known != name {
            uncertain += 1
            return .strayed
        }
        let expected = expected
        defer { counted = count }
        guard expected ~= count else { return .miscounted }
        uncertain -= count - expected.lowerBound
        return nil
    }
}
