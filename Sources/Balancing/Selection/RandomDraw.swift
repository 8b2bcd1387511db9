/// Draws different members at random, each at a constant cost: the first two by arithmetic alone, which nearly always is
/// enough, further ones by a shuffle in place that is undone when the choice ends.
struct RandomDraw: Sendable {
    /// For each index from the front, the index that its member was swapped with.
    private var swaps: [Int32] = []
    private var state: UInt64 = 0

    init() {}

    init(capacity: Int) {
        swaps.reserveCapacity(capacity)
    }

    mutating func propose(from members: inout [Int32], _ choice: inout Choice) -> Int32? {
        let count = members.count
        guard choice.steps < count else { return nil }
        switch choice.steps {
        case 0: return members[Self.first(choice.random, of: count)]
        case 1: return members[Self.second(choice.random, of: count)]
        default: break
        }
        if choice.steps == 2 {
            choice.isUnsettled = true
            takeOutPair(&members, choice.random)
        }
        state = SplitMix64.avalanche(state)
        let left = UInt64(count - choice.steps)
        swap(choice.steps, choice.steps + Int(((state >> 32) * left) >> 32), in: &members)
        return members[choice.steps]
    }

    /// Undoes the shuffle.
    mutating func undo(_ members: inout [Int32]) {
        for index in swaps.indices.reversed() { members.swapAt(index, Int(swaps[index])) }
        swaps.removeAll(keepingCapacity: true)
    }

    /// Moves the two members that were drawn to the front.
    private mutating func takeOutPair(_ members: inout [Int32], _ random: UInt64) {
        let first = Self.first(random, of: members.count)
        let second = Self.second(random, of: members.count)
        swap(0, first, in: &members)
        swap(1, second == 0 ? first : second, in: &members)
        state = random
    }

    private mutating func swap(_ index: Int, _ other: Int, in members: inout [Int32]) {
        members.swapAt(index, other)
        swaps.append(Int32(truncatingIfNeeded: other))
    }

    private static func first(_ random: UInt64, of count: Int) -> Int {
        Int(((random >> 32) * UInt64(count)) >> 32)
    }

    private static func second(_ random: UInt64, of count: Int) -> Int {
        let distance = 1 + Int(((random & 0xFFFF_FFFF) * UInt64(count - 1)) >> 32)
        let index = first(random, of: count) + distance
        return index < count ? index : index - count
    }
}
