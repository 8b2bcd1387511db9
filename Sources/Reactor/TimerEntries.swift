/// The entries of a `TimerWheel` at stable indices; those that are free form a list.
///
/// They lie in chunks of 64 KiB and never move: when another is needed, only that one is allocated. The memory of a peak
/// is kept for the next.
struct TimerEntries: ~Copyable {
    /// 16 bytes, because every idle stream has some: the tick rather than the instant, 32 bits of it (two years).
    struct Entry {
        var token: UInt64
        var tick: UInt32
        /// Index of the next entry of the same list; `end` for the last.
        var next: UInt32
    }

    /// The index of no entry: where a list ends.
    static var end: UInt32 { .max }
    private static var chunkBits: UInt32 { 12 }
    private static var chunkCount: Int { 1 << Int(chunkBits) }

    private var chunks: [UnsafeMutablePointer<Entry>] = []
    /// Entries that were ever used: the index of the next new one.
    private var used = 0
    private var free = TimerEntries.end

    /// `expected`: entries that are likely to be in use at a time, any number. The chunk table has space for them.
    init(expected: Int) {
        chunks.reserveCapacity(max(0, expected) / TimerEntries.chunkCount + 1)
    }

    deinit {
        for chunk in chunks { chunk.deallocate() }
    }

    /// The entry at an index that `insert` returned and `remove` has not freed.
    subscript(index: UInt32) -> Entry {
        get { chunks[Int(index >> TimerEntries.chunkBits)][Int(index) & (TimerEntries.chunkCount - 1)] }
        nonmutating set {
            chunks[Int(index >> TimerEntries.chunkBits)][Int(index) & (TimerEntries.chunkCount - 1)] = newValue
        }
    }

    /// Sets the next entry of the list that the entry at `index` is in.
    func link(_ index: UInt32, to next: UInt32) {
        chunks[Int(index >> TimerEntries.chunkBits)][Int(index) & (TimerEntries.chunkCount - 1)].next = next
    }

    /// Stores an entry and returns its index.
    mutating func insert(_ entry: Entry) -> UInt32 {
        let index: UInt32
        if free != TimerEntries.end {
            index = free
            free = self[index].next
        } else {
            index = UInt32(used)
            precondition(index != TimerEntries.end, "no index left for a timer")
            if used & (TimerEntries.chunkCount - 1) == 0 {
                chunks.append(.allocate(capacity: TimerEntries.chunkCount))
            }
            used += 1
        }
        self[index] = entry
        return index
    }

    /// Frees the entry at `index` for the next `insert`.
    mutating func remove(_ index: UInt32) {
        link(index, to: free)
        free = index
    }
}
