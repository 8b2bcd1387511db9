/// Smooth weighted round-robin as nginx has it: in every choice each server that takes part gains its weight, and the
/// one that has most is chosen and pays for all. Weights 5, 1, 1 give a a b a c a a rather than a a a a a b c.
///
/// It looks at every server, so it serves few of them. The weights sum to zero while the same servers take part; one
/// that is out keeps what it has.
struct SmoothTurns: Sendable {
    /// More servers than this take turns from a heap. A choice keeps a bit for each.
    static var maximumCount: Int { 64 }

    /// By position.
    private let weights: [Int32]
    private var current: [Int64]

    init(weights: [Int32]) {
        self.weights = weights
        current = Array(repeating: 0, count: weights.count)
    }

    /// The member with most weight that was not refused; the first of equals.
    func propose(from members: [Int32], _ choice: inout Choice) -> Int32? {
        if choice.proposed >= 0 { choice.refused |= 1 << UInt64(choice.index) }
        var best = -1
        var most = Int64.min
        for index in members.indices where choice.refused & (1 << UInt64(index)) == 0 {
            let position = Int(members[index])
            let weight = current[position] + Int64(weights[position])
            if weight > most { (best, most) = (index, weight) }
        }
        guard best >= 0 else { return nil }
        choice.index = best
        return members[best]
    }

    /// Every member that was not refused gains its weight, and `server` pays the sum.
    mutating func charge(_ server: Int32, among members: [Int32], refused: UInt64) {
        var total: Int64 = 0
        for index in members.indices where refused & (1 << UInt64(index)) == 0 {
            let position = Int(members[index])
            current[position] += Int64(weights[position])
            total += Int64(weights[position])
        }
        current[Int(server)] -= total
    }
}
