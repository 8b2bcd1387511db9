/// A first-in, first-out queue of slots with a fixed capacity. Allocates once.
struct SlotQueue {
    private var storage: [Int32]
    private var first = 0
    private(set) var count = 0

    init(capacity: Int) { storage = Array(repeating: -1, count: max(1, capacity)) }

    var isEmpty: Bool { count == 0 }

    /// Appends a slot. The queue must not be full: it has capacity for every slot, and no slot is in it twice.
    mutating func append(_ slot: Int) {
        precondition(count < storage.count, "a slot was queued twice")
        var index = first + count
        if index >= storage.count { index -= storage.count }
        storage[index] = Int32(truncatingIfNeeded: slot)
        count += 1
    }

    /// Removes the oldest slot; nil if the queue is empty.
    mutating func popFirst() -> Int? {
        guard count > 0 else { return nil }
        let slot = storage[first]
        first = first + 1 == storage.count ? 0 : first + 1
        count -= 1
        return Int(slot)
    }
}
