import Kernel

/// Names one occupant of a `Slab` by its slot and the slot's generation. A handle may outlive its occupant: the slab
/// recognises a stale one, because the generation changes with every insertion and removal.
public struct Handle: Hashable, Sendable {
    /// Index into the slab.
    public let slot: UInt32
    /// The slot's generation while the occupant is there: odd, and `Slab.generationMask` at most.
    public let generation: UInt32

    /// A handle made of numbers, of an occupant or of nobody.
    @inlinable
    public init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// The handle of nobody: its generation is none that a slab gives.
    @inlinable public static var none: Handle { Handle(slot: .max, generation: .max) }
    /// It is `none`.
    @inlinable public var isNone: Bool { slot == .max }
}

/// Owns many noncopyable values at stable handles; insertion and removal are O(1), memory is reused.
///
/// The addresses for `limit` values are reserved at once, and memory comes page by page as slots are first used: a value
/// never moves while it lives here, and growth costs one `mprotect` for a few hundred slots. Not for values that must be
/// visited in order.
public struct Slab<Element: ~Copyable>: ~Copyable {
    @usableFromInline let elements: UnsafeMutablePointer<Element>
    /// By slot; odd while the slot is occupied.
    @usableFromInline let generations: UnsafeMutablePointer<UInt32>
    /// A stack of the slots that were used and are free.
    @usableFromInline let free: UnsafeMutablePointer<UInt32>
    @usableFromInline var freeCount = 0
    /// Slots that were ever occupied; those from here on were never touched.
    @usableFromInline var used = 0
    /// Slots whose memory may be touched.
    @usableFromInline var usable = 0
    /// Holds the three arrays.
    private let memory: ReservedMemory
    /// Occupied slots.
    @inlinable public var count: Int { used - freeCount }
    /// The most occupants this slab takes.
    public let limit: Int

    /// 24 bits of a generation travel in poller tokens; more would never be compared.
    @inlinable public static var generationMask: UInt32 { 0xff_ffff }

    /// Bytes of elements that become usable at a time.
    private static var growthBytes: Int { 262_144 }

    /// A slab for up to `limit` occupants, at least 1. Traps, and says why, if the process may not have so many addresses
    /// (RLIMIT_AS).
    public init(limit: Int) {
        let limit = max(1, limit)
        let layout = Slab.layout(limit)
        let reserved = Slab.reserve(layout.byteCount, slots: limit)
        elements = reserved.base.assumingMemoryBound(to: Element.self)
        generations = (reserved.base + layout.generations).assumingMemoryBound(to: UInt32.self)
        free = (reserved.base + layout.free).assumingMemoryBound(to: UInt32.self)
        self.limit = limit
        // Stored last and read no more: stored in a do-catch, or read here afterwards, the optimiser of Swift 6.3.1 destroys
        // it before this returns.
        memory = reserved
    }

    private static func reserve(_ byteCount: Int, slots: Int) -> ReservedMemory {
        do throws(SystemError) {
            return try ReservedMemory(byteCount: byteCount)
        } catch {
            fatalError("cannot reserve \(byteCount) bytes of address space for \(slots) slots: \(error)")
        }
    }

    deinit {
        for slot in 0..<used where generations[slot] & 1 == 1 { (elements + slot).deinitialize(count: 1) }
    }

    /// Where the arrays begin, in bytes from the elements, and how long all three are. They share no page.
    private static func layout(_ limit: Int) -> (generations: Int, free: Int, byteCount: Int) {
        precondition(MemoryLayout<Element>.alignment <= 4_096, "elements are aligned to a page at most")
        let generations = ReservedMemory.aligned(limit * MemoryLayout<Element>.stride)
        let numbers = ReservedMemory.aligned(limit * MemoryLayout<UInt32>.stride)
        return (generations, generations + numbers, generations + 2 * numbers)
    }

    /// Makes some more slots usable. False at the limit, or if the system refuses the memory.
    @usableFromInline
    @inline(never)
    mutating func grow() -> Bool {
        guard usable < limit else { return false }
        let more = max(1, Slab.growthBytes / MemoryLayout<Element>.stride)
        let grown = min(limit, usable + more)
        let layout = Slab.layout(limit)
        do throws(SystemError) {
            try makeUsable(usable..<grown, from: 0, stride: MemoryLayout<Element>.stride)
            try makeUsable(usable..<grown, from: layout.generations, stride: MemoryLayout<UInt32>.stride)
            try makeUsable(usable..<grown, from: layout.free, stride: MemoryLayout<UInt32>.stride)
        } catch {
            return false
        }
        usable = grown
        return true
    }

    private func makeUsable(_ slots: Range<Int>, from start: Int, stride: Int) throws(SystemError) {
        try memory.makeUsable(start + slots.lowerBound * stride..<start + slots.upperBound * stride)
    }

    /// Slots that were ever occupied: `handle(inSlot:)` below this number finds every occupant.
    @inlinable public var slots: Int { used }

    /// The slab has as many occupants as its limit.
    @inlinable public var isFull: Bool { count >= limit }

    /// Moves `element` in and returns its handle, the lowest slot that was never used or the one freed last. Nil, and the
    /// element destroyed, when the slab is full (ask `isFull` first) or the system refuses the memory.
    @inlinable
    public mutating func insert(_ element: consuming Element) -> Handle? {
        let slot: Int
        if freeCount > 0 {
            freeCount -= 1
            slot = Int(free[freeCount])
        } else {
            guard used < usable || grow() else { return nil }
            slot = used
            generations[slot] = 0
            used += 1
        }
        let generation = (generations[slot] &+ 1) & Slab.generationMask
        generations[slot] = generation
        (elements + slot).initialize(to: element)
        return Handle(slot: UInt32(truncatingIfNeeded: slot), generation: generation)
    }

    /// Moves the occupant out and makes its handle stale; nil if the handle is stale already.
    @inlinable
    public mutating func remove(_ handle: Handle) -> Element? {
        guard contains(handle) else { return nil }
        let slot = Int(handle.slot)
        generations[slot] = (generations[slot] &+ 1) & Slab.generationMask
        free[freeCount] = handle.slot
        freeCount += 1
        return (elements + slot).move()
    }

    /// Whether the handle names an occupant. Any numbers may be asked about.
    /// Destroys the occupant where it lies and retires its handle; nothing happens if it is gone already. Cheaper than
    /// `remove` where nothing of the occupant is needed any more.
    @inlinable
    public mutating func discard(_ handle: Handle) {
        guard contains(handle) else { return }
        let slot = Int(handle.slot)
        generations[slot] = (generations[slot] &+ 1) & Slab.generationMask
        free[freeCount] = handle.slot
        freeCount += 1
        (elements + slot).deinitialize(count: 1)
    }

    /// Whether the occupant that the handle names is still here.
    @inlinable
    public func contains(_ handle: Handle) -> Bool {
        // A handle made from outside numbers may hold an even generation, which equals that of a free slot.
        handle.generation & 1 == 1 && Int(handle.slot) < used && generations[Int(handle.slot)] == handle.generation
    }

    /// The handle of the occupant of `slot`, which is not negative; nil if it has none.
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
