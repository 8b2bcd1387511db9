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
/// Grows by doubling up to `limit`; elements move in memory when it grows, so nothing may keep an address. Not for
/// values that must be visited in order. A slot's generation is odd while somebody lives in it.
public struct Slab<Element: ~Copyable>: ~Copyable {
    @usableFromInline var elements: UnsafeMutablePointer<Element>
    @usableFromInline var generations: UnsafeMutablePointer<UInt32>
    @usableFromInline var free: UnsafeMutablePointer<UInt32>
    @usableFromInline var freeCount: Int
    @usableFromInline var capacity: Int
    /// Occupied slots.
    @inlinable public var count: Int { occupied }
    @usableFromInline var occupied: Int
    /// The most occupants this slab takes.
    public let limit: Int

    /// 24 bits of a generation travel in poller tokens; more would never be compared.
    @inlinable public static var generationMask: UInt32 { 0xff_ffff }

    public init(limit: Int) {
        self.limit = max(1, limit)
        capacity = min(64, self.limit)
        elements = .allocate(capacity: capacity)
        generations = .allocate(capacity: capacity)
        free = .allocate(capacity: capacity)
        freeCount = 0
        occupied = 0
        open(from: 0)
    }

    deinit {
        for slot in 0..<capacity where generations[slot] & 1 == 1 { (elements + slot).deinitialize(count: 1) }
        elements.deallocate()
        generations.deallocate()
        free.deallocate()
    }

    /// Slots there are now, occupied or not: the bound for a walk over all of them.
    @inlinable public var slots: Int { capacity }

    @inlinable public var isFull: Bool { count >= limit }

    /// Moves `element` in. Nil, and the element gone, when the slab is at its limit: ask `isFull` first.
    @inlinable
    public mutating func insert(_ element: consuming Element) -> Handle? {
        if freeCount == 0 {
            guard capacity < limit else { return nil }
            grow()
        }
        freeCount -= 1
        let slot = free[freeCount]
        let generation = (generations[Int(slot)] &+ 1) & Slab.generationMask
        generations[Int(slot)] = generation
        (elements + Int(slot)).initialize(to: element)
        occupied += 1
        return Handle(slot: slot, generation: generation)
    }

    /// Moves the occupant out and retires its handle; nil if it is gone already.
    @inlinable
    public mutating func remove(_ handle: Handle) -> Element? {
        guard contains(handle) else { return nil }
        let slot = Int(handle.slot)
        generations[slot] = (generations[slot] &+ 1) & Slab.generationMask
        free[freeCount] = handle.slot
        freeCount += 1
        occupied -= 1
        return (elements + slot).move()
    }

    @inlinable
    public func contains(_ handle: Handle) -> Bool {
        // An even generation is a free slot's: a handle made from outside numbers may hold one.
        handle.generation & 1 == 1 && Int(handle.slot) < capacity
            && generations[Int(handle.slot)] == handle.generation
    }

    /// The handle of whoever lives in `slot`, if anyone does.
    @inlinable
    public func handle(inSlot slot: Int) -> Handle? {
        guard slot < capacity, generations[slot] & 1 == 1 else { return nil }
        return Handle(slot: UInt32(slot), generation: generations[slot])
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

    @usableFromInline
    mutating func grow() {
        let old = capacity
        let grown = min(limit, capacity * 2)
        let fresh = UnsafeMutablePointer<Element>.allocate(capacity: grown)
        let numbers = UnsafeMutablePointer<UInt32>.allocate(capacity: grown)
        numbers.update(from: generations, count: old)
        for slot in 0..<old where numbers[slot] & 1 == 1 {
            (fresh + slot).moveInitialize(from: elements + slot, count: 1)
        }
        elements.deallocate()
        generations.deallocate()
        free.deallocate()
        elements = fresh
        generations = numbers
        free = .allocate(capacity: grown)
        capacity = grown
        open(from: old)
    }

    /// Puts the slots from `first` on the free list, lowest on top.
    @usableFromInline
    mutating func open(from first: Int) {
        for slot in (first..<capacity).reversed() {
            generations[slot] = 0
            free[freeCount] = UInt32(slot)
            freeCount += 1
        }
    }
}
