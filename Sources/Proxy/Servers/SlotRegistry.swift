/// Gives names to slots, counts who uses them, and takes them back when nothing does.
struct SlotRegistry {
    private struct Entry {
        var key = ""
        var generation: UInt16 = 0
        var references = 0
        /// Kept for `key`, which had the slot in the process before.
        var isReserved = false
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
            let isNew = entries[slot].isReserved
            entries[slot].isReserved = false
            entries[slot].references += 1
            return (id(slot), isNew)
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
        return entries.firstIndex { $0.references == 0 && !$0.isReserved }
    }

    // MARK: - From one process to the next

    /// All keys that have slots.
    var registered: [(id: ServerID, key: String)] { slots.map { (id($0.value), $0.key) } }

    /// Whether the identity is in use.
    func contains(_ id: ServerID) -> Bool {
        let slot = Int(id.slot)
        return entries.indices.contains(slot) && entries[slot].generation == id.generation
            && entries[slot].references > 0
    }

    /// Keeps a slot for a key that had it in the process before, so that it has the same identity here. Only before any key
    /// is retained. A slot beyond the capacity, or one that is reserved already, is not kept.
    mutating func reserve(_ id: ServerID, for key: String) {
        let slot = Int(id.slot)
        guard slot < capacity, slots[key] == nil else { return }
        while entries.count <= slot { entries.append(Entry()) }
        guard !entries[slot].isReserved else { return }
        entries[slot] = Entry(key: key, generation: id.generation, references: 0, isReserved: true)
        slots[key] = slot
    }

    /// Frees what was reserved for keys that did not come.
    mutating func dropReservations() {
        for slot in entries.indices where entries[slot].isReserved {
            entries[slot].isReserved = false
            slots[entries[slot].key] = nil
        }
    }

    private func id(_ slot: Int) -> ServerID {
        ServerID(slot: UInt16(truncatingIfNeeded: slot), generation: entries[slot].generation)
    }
}
