/// Decides what leaves a full cache: S3-FIFO (Yang and others, SOSP 2023).
///
/// What is new goes through a small queue, a tenth of the whole, and leaves again unless it is asked for while it is there; so a
/// scan of things that are asked for once pushes out nothing else. What is asked for again moves to the main queue, where each
/// round costs it one of at most two points; so nothing stays for having been liked once. (With three, as in the paper, what
/// was popular yesterday holds its place too long.) The names of what left the small
/// queue are remembered for a while: if they come back, they go to the main queue at once.
///
/// An entry is a slot, which is given to another when it has left. All operations take constant time, on average.
package struct EvictionOrder<Key: Hashable & Sendable>: Sendable {
    private enum Queue: UInt8, Sendable { case small, main }

    private struct Node: Sendable {
        var key: Key
        var bytes: Int
        var queue: Queue
        var points: UInt8 = 0
        var next: Int32 = -1
        var previous: Int32 = -1
    }

    /// A queue of nodes: the newest at the head.
    private struct List: Sendable {
        var head: Int32 = -1
        var tail: Int32 = -1
        var bytes = 0
    }

    private static var mostPoints: UInt8 { 2 }

    private var nodes: [Node?] = []
    private var free: [Int32] = []
    private var small = List()
    private var main = List()
    private var ghosts = GhostNames<Key>()

    /// No entry.
    package init() {}

    /// Entries that there are.
    package var count: Int { nodes.count - free.count }
    /// Bytes of all entries.
    package var bytes: Int { small.bytes + main.bytes }

    /// Takes an entry in: its slot.
    package mutating func insert(_ key: Key, bytes: Int) -> Int {
        let queue: Queue = ghosts.remove(key) ? .main : .small
        let node = Node(key: key, bytes: max(1, bytes), queue: queue)
        let slot: Int32
        if let known = free.popLast() {
            slot = known
            nodes[Int(slot)] = node
        } else {
            slot = Int32(truncatingIfNeeded: nodes.count)
            nodes.append(node)
        }
        link(slot)
        return Int(slot)
    }

    /// An entry was asked for.
    package mutating func noteUse(_ slot: Int) {
        guard nodes.indices.contains(slot), let points = nodes[slot]?.points, points < Self.mostPoints else { return }
        nodes[slot]?.points = points + 1
    }

    /// Takes an entry out.
    package mutating func remove(_ slot: Int) {
        guard nodes.indices.contains(slot), nodes[slot] != nil else { return }
        unlink(Int32(truncatingIfNeeded: slot))
        nodes[slot] = nil
        free.append(Int32(truncatingIfNeeded: slot))
    }

    /// Takes the entry out that is the next to leave: its slot and its name; nil if there is none. `capacity` are the bytes that
    /// all entries may have.
    package mutating func evict(capacity: Int) -> (slot: Int, key: Key)? {
        // Each step but the last takes a point or moves an entry to the main queue: at most four for each entry.
        for _ in 0..<(4 * count + 4) {
            let fromSmall = small.tail >= 0 && (small.bytes * 10 > capacity || main.tail < 0)
            let slot = fromSmall ? small.tail : main.tail
            guard slot >= 0, let node = nodes[Int(slot)] else { return nil }
            if node.points > 0 {
                unlink(slot)
                nodes[Int(slot)]?.queue = .main
                nodes[Int(slot)]?.points = fromSmall ? 0 : node.points - 1
                link(slot)
                continue
            }
            remove(Int(slot))
            if fromSmall { ghosts.insert(node.key, limit: max(64, count * 9 / 10)) }
            return (Int(slot), node.key)
        }
        return nil
    }

    // MARK: - Links

    private mutating func link(_ slot: Int32) {
        guard let node = nodes[Int(slot)] else { return }
        var list = node.queue == .small ? small : main
        nodes[Int(slot)]?.next = list.head
        nodes[Int(slot)]?.previous = -1
        if list.head >= 0 { nodes[Int(list.head)]?.previous = slot } else { list.tail = slot }
        list.head = slot
        list.bytes += node.bytes
        if node.queue == .small { small = list } else { main = list }
    }

    private mutating func unlink(_ slot: Int32) {
        guard let node = nodes[Int(slot)] else { return }
        var list = node.queue == .small ? small : main
        if node.previous >= 0 { nodes[Int(node.previous)]?.next = node.next } else { list.head = node.next }
        if node.next >= 0 { nodes[Int(node.next)]?.previous = node.previous } else { list.tail = node.previous }
        list.bytes -= node.bytes
        if node.queue == .small { small = list } else { main = list }
    }
}

/// Names of entries that have left, the oldest of which are forgotten.
private struct GhostNames<Key: Hashable & Sendable>: Sendable {
    /// By name, its number.
    private var numbers: [Key: UInt64] = [:]
    /// In order of their numbers, from `first` on. A name that was taken out, or in again, stays here until its turn.
    private var order: [Key] = []
    private var begin = 0
    private var first: UInt64 = 0

    mutating func insert(_ key: Key, limit: Int) {
        numbers[key] = first + UInt64(order.count - begin)
        order.append(key)
        while order.count - begin > limit {
            if numbers[order[begin]] == first { numbers[order[begin]] = nil }
            begin += 1
            first += 1
        }
        if begin > 1_024, begin > order.count / 2 {
            order.removeFirst(begin)
            begin = 0
        }
    }

    /// Whether a name was there; it is no more.
    mutating func remove(_ key: Key) -> Bool { numbers.removeValue(forKey: key) != nil }
}
