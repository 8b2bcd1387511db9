/// Names one occupant of a `Slab`: its slot, and the generation the slot had when it moved in. A handle outlives
/// its occupant harmlessly: the slab knows a stale one.
public struct Handle: Hashable, Sendable {
    public let slot: UInt32
    public let generation: UInt32

    @inlinable
    public init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// Never names anyone.
    @inlinable public static var none: Handle { Handle(slot: .max, generation: .max) }
    @inlinable public var isNone: Bool { slot == .max }
}

/// Owns many noncopyable values at stable handles; insertion and removal are O(1), memory is reused.
///
/// The address space for `limit` values is taken at once and the memory as slots are first used: values never move and
/// growing leaves no holes behind. Not for values that must be visited in order. A slot's generation is odd while
/// somebody lives in it.
public struct Slab<Element: ~Copyable>: ~Copyable {
    @usableFromInline let elements: UnsafeMutablePointer<Element>
    @usableFromInline let generations: UnsafeMutablePointer<UInt32>
    /// A stack of the slots that were used and are free.
    @usableFromInline let free: UnsafeMutablePointer<UInt32>
    @usableFromInline var freeCount = 0
    /// Slots that were ever used: what lies beyond has no memory yet.
    @usableFromInline var used = 0
    /// Occupied slots.
    @inlinable public var count: Int { used - freeCount }
    /// The most occupants this slab takes.
    public let limit: Int

    /// 24 bits of a generation travel in poller tokens; more would never be compared.
    @inlinable public static var generationMask: UInt32 { 0xff_ffff }

    public init(limit: Int) {
        self.limit = max(1, limit)
        elements = .allocate(capacity: self.limit)
        generations = .allocate(capacity: self.limit)
        free = .allocate(capacity: self.limit)
    }

    deinit {
        for slot in 0..<used where generations[slot] & 1 == 1 { (elements + slot).deinitialize(count: 1) }
        elements.deallocate()
        generations.deallocate()
        free.deallocate()
    }

    /// Slots that were ever occupied: the bound for a walk over all occupants.
    @inlinable public var slots: Int { used }

    @inlinable public var isFull: Bool { count >= limit }

    /// Moves `element` in. Nil, and the element gone, when the slab is at its limit: ask `isFull` first.
    @inlinable
    public mutating func insert(_ element: consuming Element) -> Handle? {
        let slot: Int
        if freeCount > 0 {
            freeCount -= 1
            slot = Int(free[freeCount])
        } else {
            guard used < limit else { return nil }
            slot = used
            generations[slot] = 0
            used += 1
        }
        let generation = (generations[slot] &+ 1) & Slab.generationMask
        generations[slot] = generation
        (elements + slot).initialize(to: element)
        return Handle(slot: UInt32(truncatingIfNeeded: slot), generation: generation)
    }

    /// Moves the occupant out and retires its handle; nil if it is gone already.
    @inlinable
    public mutating func remove(_ handle: Handle) -> Element? {
        guard contains(handle) else { return nil }
        let slot = Int(handle.slot)
        generations[slot] = (generations[slot] &+ 1) & Slab.generationMask
        free[freeCount] = handle.slot
        freeCount += 1
        return (elements + slot).move()
    }

    @inlinable
    public func contains(_ handle: Handle) -> Bool {
        // An even generation is a free slot's: a handle made from outside numbers may hold one.
        handle.generation & 1 == 1 && Int(handle.slot) < used && generations[Int(handle.slot)] == handle.generation
    }

    /// The handle of whoever lives in `slot`, if anyone does.
    @inlinable
    public func handle(inSlot slot: Int) -> Handle? {
        guard slot < used, generations[slot] & 1 == 1 else { return nil }
        return Handle(slot: UInt32(truncatingIfNeeded: slot), generation: generations[slot])
    }

    /// The occupant. Traps on a stale handle: ask `contains` where the handle comes from outside (an event, a timer).
    @inlinable
    public subscript(handle: Handle) -> Element {
        _read {
            precondition(contains(handle), "stale handle")
            yield elements[Int(handle.slot)]
        }
        _modify {
            precondition(contains(handle), "stale handle")
            yield &elements[Int(handle.slot)]
        }
    }
}
