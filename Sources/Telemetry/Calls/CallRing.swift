import Glibc
import Kernel
import Synchronization

/// Calls on their way from one worker to the thread that logs them: a ring that one thread fills and another empties.
///
/// A pointer by value, without reference counting. Its memory is never freed, so it stays valid until the process ends. While
/// nobody wants calls it has no slots, and `push` is one branch.
package struct CallRing: Sendable {
    /// Slots that a ring has unless its maker says otherwise: at 50 ms between two looks, enough for 80,000 calls a second.
    package static var standardCapacity: Int { 4_096 }

    /// What became of a call.
    package enum Pushed: Sendable {
        /// It will be received.
        case accepted
        /// The ring was full: it is counted as dropped.
        case dropped
        /// Nobody wants calls.
        case off
    }

    private let cells: CallRingCells
    private let mask: Int

    /// A ring that is off. `capacity` is rounded up to a power of two, 2 to 2^20. `bell` is rung by the first call that comes
    /// while the consumer sleeps.
    init(capacity: Int, bell: Descriptor) {
        let wanted = min(max(2, capacity), 1 << 20)
        mask = (1 << (Int.bitWidth - (wanted - 1).leadingZeroBitCount)) - 1
        cells = CallRingCells()
        cells.store(.bell, Int(bell.raw))
    }

    /// A ring that is never turned on.
    package static var none: CallRing { CallRing(capacity: 2, bell: .none) }

    /// Calls that it can hold.
    package var capacity: Int { mask + 1 }

    /// Whether anybody wants calls. The worker asks before it makes one.
    package var isOn: Bool { cells.load(.slots) != 0 }

    /// Hands a call to the consumer. Only the thread of the ring's worker may call this. It neither waits nor allocates, and
    /// makes a system call only for the first call after a second without any.
    @discardableResult
    package func push(_ event: borrowing CallEvent) -> Pushed {
        guard let slots = slots else { return .off }
        let tail = cells.load(.tail)
        if tail &- cells.load(.knownHead) > mask {
            cells.store(.knownHead, cells.loadAcquiring(.head))
            guard tail &- cells.load(.knownHead) <= mask else {
                cells.store(.dropped, cells.load(.dropped) &+ 1)
                return .dropped
            }
        }
        slots[tail & mask] = copy event
        cells.storeReleasing(.tail, tail &+ 1)
        if cells.load(.isAsleep) != 0 { ringBell() }
        return .accepted
    }

    /// Calls that found it full, since the start. Any thread may ask.
    package var dropped: Int { cells.load(.dropped) }

    private var slots: UnsafeMutablePointer<CallEvent>? {
        UnsafeMutablePointer(bitPattern: cells.loadAcquiring(.slots))
    }

    /// The consumer may be woken by every worker at once, or by one that saw the mark late: a ring too much does no harm.
    @inline(never)
    private func ringBell() {
        cells.store(.isAsleep, 0)
        var one: UInt64 = 1
        _ = write(CInt(truncatingIfNeeded: cells.load(.bell)), &one, MemoryLayout<UInt64>.size)
    }
}

// MARK: - What the consumer does; one thread at a time

extension CallRing {
    /// Takes calls from now on, or no more. Memory is allocated the first time. Those that are there stay to be drained.
    func turn(on isOn: Bool) {
        guard isOn else { return cells.store(.slots, 0) }
        if cells.load(.memory) == 0 {
            let memory = UnsafeMutablePointer<CallEvent>.allocate(capacity: capacity)
            memory.initialize(repeating: CallEvent(), count: capacity)
            cells.store(.memory, Int(bitPattern: memory))
        }
        cells.storeReleasing(.slots, cells.load(.memory))
    }

    /// Gives each call that was there when this began to `body`, in the order in which they came, and returns how many.
    func drain(_ body: (borrowing CallEvent) -> Void) -> Int {
        guard let memory = UnsafeMutablePointer<CallEvent>(bitPattern: cells.load(.memory)) else { return 0 }
        let head = cells.load(.head)
        let count = cells.loadAcquiring(.tail) &- head
        for offset in 0..<count {
            body(memory[(head &+ offset) & mask])
            // Each slot is free as soon as it was read: a slow consumer then costs fewer calls.
            cells.storeReleasing(.head, head &+ offset &+ 1)
        }
        return count
    }

    /// Whether the next call rings the bell.
    func markAsleep(_ isAsleep: Bool) { cells.store(.isAsleep, isAsleep ? 1 : 0) }
}

/// The numbers of a ring, those of the producer, those of the consumer and those of both on cache lines of their own.
struct CallRingCells: @unchecked Sendable {
    /// Which number; the value is its place among words of eight bytes.
    enum Cell: Int {
        /// The address of the slots in use, 0 while the ring is off; the descriptor to ring; whether the consumer sleeps.
        case slots = 0, bell, isAsleep
        /// The address of the slots, once there are any.
        case memory = 8
        /// Calls pushed and dropped; the head as the producer saw it last.
        case tail = 16, dropped, knownHead
        /// Calls taken.
        case head = 24
    }

    private let base: UnsafeMutablePointer<Atomic<Int>>

    init() {
        base = .allocate(capacity: 32)
        for index in 0..<32 { (base + index).initialize(to: Atomic(0)) }
    }

    func load(_ cell: Cell) -> Int { base[cell.rawValue].load(ordering: .relaxed) }
    func loadAcquiring(_ cell: Cell) -> Int { base[cell.rawValue].load(ordering: .acquiring) }
    func store(_ cell: Cell, _ value: Int) { base[cell.rawValue].store(value, ordering: .relaxed) }
    func storeReleasing(_ cell: Cell, _ value: Int) { base[cell.rawValue].store(value, ordering: .releasing) }
}
