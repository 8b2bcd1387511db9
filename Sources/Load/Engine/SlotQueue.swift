/// A queue of slots with room for so many: first come, first served. Allocates once.
struct SlotQueue {
    private var storage: [Int32]
    private var first = 0
    private(set) var count = 0

    init(capacity: Int) { storage = Array(repeating: -1, count: max(1, capacity)) }

    var isEmpty: Bool { count == 0 }

    /// There must be room: nobody stands in a line twice, and it has a place for everybody.
    mutating func append(_ slot: Int) {
        precondition(count < storage.count, "somebody stands in line twice")
        var index = first + count
        if index >= storage.count { index -= storage.count }
        storage[index] = Int32(truncatingIfNeeded: slot)
        count += 1
    }

    mutating func popFirst() -> Int? {
        guard count > 0 else { return nil }
        let slot = storage[first]
        first = first + 1 == storage.count ? 0 : first + 1
        count -= 1
        return Int(slot)
    }
}
