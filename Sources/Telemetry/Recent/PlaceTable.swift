/// Places in an array by keys that are hashes already: open addressing, for a bounded number of keys.
struct PlaceTable: Sendable {
    private var slots: [Slot]
    private let mask: Int

    private struct Slot {
        var key: UInt64 = 0
        /// -1: the slot is free.
        var place: Int32 = -1
    }

    /// For so many keys at most. It is never more than half full.
    init(limit: Int) {
        var size = 16
        while size < 2 * limit { size *= 2 }
        slots = Array(repeating: Slot(), count: size)
        mask = size - 1
    }

    /// The places with this key, of which there may be several, first to last, until `body` says true; nil if it never does.
    func first(_ key: UInt64, where body: (Int) -> Bool) -> Int? {
        var index = home(key)
        while slots[index].place >= 0 {
            if slots[index].key == key, body(Int(slots[index].place)) { return Int(slots[index].place) }
            index = (index + 1) & mask
        }
        return nil
    }

    /// Adds a key, which may be there already.
    mutating func insert(_ key: UInt64, _ place: Int) {
        var index = home(key)
        while slots[index].place >= 0 { index = (index + 1) & mask }
        slots[index] = Slot(key: key, place: Int32(truncatingIfNeeded: place))
    }

    /// Removes a key with its place. Those behind it move up (Knuth, The Art of Computer Programming 3, 6.4, algorithm R).
    mutating func remove(_ key: UInt64, _ place: Int) {
        var index = home(key)
        while slots[index].place >= 0, slots[index].key != key || Int(slots[index].place) != place {
            index = (index + 1) & mask
        }
        var free = index
        while slots[index].place >= 0 {
            index = (index + 1) & mask
            guard slots[index].place >= 0 else { break }
            let distance = (index &- home(slots[index].key)) & mask
            if distance >= (index &- free) & mask {
                slots[free] = slots[index]
                free = index
            }
        }
        slots[free] = Slot()
    }

    mutating func removeAll() {
        for index in slots.indices { slots[index] = Slot() }
    }

    private func home(_ key: UInt64) -> Int { Int(truncatingIfNeeded: key ^ key >> 32) & mask }
}
