import Kernel
import Reactor

/// What can be found in `SessionStreams`.
protocol StreamKeyed: ~Copyable {
    /// The key of the session whose stream it is.
    var streamKey: UInt64 { get }
}

/// The GET streams of sessions that are open on this worker, found by their session: a hash table of exchanges' slots, with
/// linear probing (Knuth, The Art of Computer Programming, vol. 3, section 6.4). Each exchange keeps its own key, so that an
/// open stream costs eight bytes here or less.
struct SessionStreams {
    /// Slots; `none` where there is none. A power of two of them.
    private var cells: [UInt32] = []
    private(set) var count = 0
    /// By an exchange's slot: when its server first said that the session has a stream already.
    var conflicts: [UInt32: Instant] = [:]
    /// By an exchange's slot: when the client of a stream was sent a comment, to find out whether it is still there.
    var probes: [UInt32: Instant] = [:]

    /// Nothing is open, and nothing is being found out.
    var isEmpty: Bool { count == 0 && conflicts.isEmpty && probes.isEmpty }

    private static var none: UInt32 { .max }
    private var mask: Int { cells.count - 1 }

    private func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 7) & mask }

    private func key<Element: StreamKeyed & ~Copyable>(_ slot: UInt32, _ slab: borrowing Slab<Element>) -> UInt64 {
        slab.handle(inSlot: Int(slot)).map { slab[$0].streamKey } ?? 0
    }

    /// Adds an occupant of the slab, which has its key.
    mutating func insert<Element: StreamKeyed & ~Copyable>(_ slot: UInt32, in slab: borrowing Slab<Element>) {
        if 2 * (count + 1) > cells.count { grow(slab) }
        place(slot, key(slot, slab))
        count += 1
    }

    /// Takes a slot out; nothing happens if it is not here.
    mutating func remove<Element: StreamKeyed & ~Copyable>(_ slot: UInt32, in slab: borrowing Slab<Element>) {
        guard count > 0 else { return }
        var index = home(key(slot, slab))
        while cells[index] != slot {
            guard cells[index] != SessionStreams.none else { return }
            index = (index + 1) & mask
        }
        count -= 1
        // What was pushed behind the gap moves into it, so that no search ends too early.
        var next = (index + 1) & mask
        while cells[next] != SessionStreams.none {
            let distance = (next - home(key(cells[next], slab))) & mask
            if distance >= (next - index) & mask {
                cells[index] = cells[next]
                index = next
            }
            next = (next + 1) & mask
        }
        cells[index] = SessionStreams.none
    }

    /// The first slot with a key that is not `other`.
    func find<Element: StreamKeyed & ~Copyable>(
        _ hash: UInt64, except other: UInt32 = .max, in slab: borrowing Slab<Element>
    ) -> UInt32? {
        guard count > 0 else { return nil }
        var index = home(hash)
        while cells[index] != SessionStreams.none {
            if cells[index] != other, key(cells[index], slab) == hash { return cells[index] }
            index = (index + 1) & mask
        }
        return nil
    }

    private mutating func place(_ slot: UInt32, _ hash: UInt64) {
        var index = home(hash)
        while cells[index] != SessionStreams.none { index = (index + 1) & mask }
        cells[index] = slot
    }

    private mutating func grow<Element: StreamKeyed & ~Copyable>(_ slab: borrowing Slab<Element>) {
        let old = cells
        cells = Array(repeating: SessionStreams.none, count: max(16, 2 * old.count))
        for slot in old where slot != SessionStreams.none { place(slot, key(slot, slab)) }
    }
}
