/// The expected state of one session: one replica answers all its calls, and counts each of them once.
struct SessionOracle: Equatable {
    /// The replica's number in `ReplicaNames`; nil until a result has named it.
    private(set) var replica: UInt16?
    /// Tool calls that the replica has certainly counted.
    private(set) var counted: UInt64 = 0
    /// Failed tool calls: the replica may have counted them, or may still do so.
    private(set) var uncertain: UInt64 = 0
    /// Tool calls answered since a result last named the replica.
    private var unnamed: UInt64 = 0

    /// The counts that the next result may contain.
    var expected: ClosedRange<UInt64> { (counted + 1)...(counted + 1 + uncertain) }

    /// A tool call failed.
    mutating func failed() { uncertain += 1 }

    /// A tool call was answered without a count.
    mutating func answered() {
        counted += 1
        unnamed += 1
    }

    /// Stores the replica of a stateless call. Another one may answer the next call; this is the name to compare first.
    mutating func guess(_ name: UInt16) { replica = name }

    /// The session was moved to another replica, which counts anew, and has answered a tool call. Returns what is wrong.
    mutating func moved(to name: UInt16, count: UInt64) -> WrongAnswer? {
        let expected = 1...(1 + unnamed + uncertain)
        replica = name
        (counted, unnamed) = (count, 0)
        return expected ~= count ? nil : .miscounted
    }

    /// A tool call was answered with the replica's name and its count. Returns what is wrong, if anything. Later
    /// results are compared with this one, so that one error is counted once.
    mutating func answered(by name: UInt16, count: UInt64) -> WrongAnswer? {
        let known = replica
        unnamed = 0
        replica = known ?? name
        // The count of another replica does not tell whether the session's own replica has counted the call.
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
