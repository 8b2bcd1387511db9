/// Positions of servers, as a set that takes no memory after it was made and that is emptied at a constant cost.
struct PositionSet: Sendable {
    /// By position, the round in which it was inserted last.
    private var rounds: [UInt64]
    private var round: UInt64 = 1

    init(capacity: Int) {
        rounds = Array(repeating: 0, count: capacity)
    }

    func contains(_ position: Int) -> Bool { rounds[position] == round }

    mutating func insert(_ position: Int) { rounds[position] = round }

    mutating func removeAll() { round += 1 }
}
