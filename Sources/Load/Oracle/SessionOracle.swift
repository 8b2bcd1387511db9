/// What must be true of the answers of one session: one replica, and one count of calls, for all its life.
struct SessionOracle: Equatable {
    /// As `ReplicaNames` numbers it; nil until it has named itself.
    private(set) var replica: UInt16?
    /// Tool calls that the replica has certainly counted, and those it may have: calls that failed on their way may or
    /// may not have reached it.
    private(set) var fewest: UInt64 = 0
    private(set) var most: UInt64 = 0

    /// A tool call is sent: it will be counted, or will fail.
    mutating func called() { most &+= 1 }

    /// The call was answered, without a word on who counts.
    mutating func answered() { fewest &+= 1 }

    /// The name to look at first when the next is heard, where it says nothing of what must be true.
    mutating func guess(_ name: UInt16) { replica = name }

    /// The call was answered with the replica's name and its count. What is wrong with that, if anything; the next
    /// answer is held against this one.
    mutating func answered(by name: UInt16, count: UInt64) -> WrongAnswer? {
        fewest &+= 1
        let known = replica
        replica = known ?? name
        if let known, known != name {
            // The counter is another's; ours has not moved for all we know.
            fewest &-= 1
            return .strayed
        }
        let isRight = fewest...Swift.max(fewest, most) ~= count
        fewest = count
        most = count
        return isRight ? nil : .miscounted
    }
}
