/// Gives names to slots, counts who uses them, and takes them back when nothing does.
struct SlotRegistry {
    private struct Entry {
        var key = ""
        var generation: UInt16 = 0
        var references = 0
    }

    private var entries: [Entry] = []
    private var slots: [String: Int] = [:]
    /// The most slots there are.
    let capacity: Int

    init(capacity: Int) { self.capacity = min(capacity, Int(UInt16.max)) }

    /// Slots in use.
    var count: Int { slots.count }

    /// Adds a use of `key`, with a slot of its own if it is new; nil if all slots are in use. Prefers slots that were
    /// never used, so that a name that comes back soon is not confused with another in figures of the past.
    mutating func retain(_ key: String) -> (id: ServerID, isNew: Bool)? {
        if let slot = slots[key] {
            entries[slot].references += 1
            return (id(slot), false)
        }
        guard let slot = freeSlot() else { return nil }
        entries[slot].key = key
        entries[slot].generation &+= 1
        entries[slot].references = 1
        slots[key] = slot
        return (id(slot), true)
    }

    /// Takes one use of an identity back.
    mutating func release(_ id: ServerID) {
        let slot = Int(id.slot)
        guard entries.indices.contains(slot), entries[slot].generation == id.generation, entries[slot].references > 0
        else { return }
        entries[slot].references -= 1
        if entries[slot].references == 0 { slots[entries[slot].key] = nil }
    }

    private mutating func freeSlot() -> Int? {
        if entries.count < capacity {
            entries.append(Entry())
            return entries.count - 1
        }
        return entries.firstIndex { $0.references == 0 }
    }

    private func id(_ slot: Int) -> ServerID {
        ServerID(slot: UInt16(truncatingIfNeeded: slot), generation: entries[slot].generation)
    }
}
