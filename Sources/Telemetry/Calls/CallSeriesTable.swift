import Synchronization

/// The series of one worker: a histogram for each key, found by hashing. Only that worker counts in it, with relaxed stores and
/// without a lock; a lock is taken for a series that appears, and by readers. Its memory is never freed.
struct CallSeriesTable: ~Copyable {
    /// A key, and where its histogram is. Kept together, so that both come with one line of the cache.
    struct Entry: ~Copyable {
        /// 0: free; 1: removed.
        let key: Atomic<UInt64>
        var row: Int
    }

    /// What only the holder of the lock changes. Not private: Swift 6.3 fails to compile other files otherwise.
    struct Free {
        /// Rows that were used and are zero again.
        var rows: [Int] = []
        /// Rows from here on were never used.
        var next = 0
    }

    private nonisolated(unsafe) let entries: UnsafeMutablePointer<Entry>
    /// Of each histogram the buckets, then the sum of all durations in nanoseconds.
    private let rows: Counters
    private let slots: Int
    private let capacity: Int
    private let namedLegLimit: Int
    private let free = Mutex(Free())
    /// Series, and those of them that tell both a server and a name. They change under the lock.
    private let used = Atomic(0)
    private let namedLegs = Atomic(0)

    /// Numbers of a histogram.
    static var rowLength: Int { LatencyBuckets.count + 1 }
    /// Places that are looked at for a key.
    private static var probes: Int { 64 }

    /// `capacity` is rounded up to a power of two, and at least 16.
    init(capacity: Int, namedLegs: Int) {
        var rounded = 16
        while rounded < min(capacity, 1 << 20) { rounded *= 2 }
        self.capacity = rounded
        slots = 2 * rounded
        namedLegLimit = namedLegs
        rows = Counters(rounded * Self.rowLength)
        entries = zeroedMemory(Entry.self, count: slots)
    }

    @inline(__always)
    private func home(_ key: UInt64) -> Int {
        let mixed = (key ^ key >> 29) &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: mixed >> 32) & (slots &- 1)
    }

    /// Counts a duration. Only the table's worker may call this.
    @inline(__always)
    func add(_ key: CallSeriesKey, _ nanoseconds: UInt64, bucket: Int) {
        var slot = home(key.bits)
        for _ in 0..<Self.probes {
            let found = entries[slot].key.load(ordering: .relaxed)
            if found == key.bits { return add(nanoseconds, bucket, row: entries[slot].row) }
            if found == 0 { break }
            slot = (slot &+ 1) & (slots &- 1)
        }
        addToNew(key, nanoseconds, bucket)
    }

    @inline(__always)
    private func add(_ nanoseconds: UInt64, _ bucket: Int, row: Int) {
        let base = row &* Self.rowLength
        rows[base &+ bucket].increase(by: 1)
        rows[base &+ LatencyBuckets.count].increase(by: Int64(truncatingIfNeeded: nanoseconds))
    }

    /// Counts many durations at once. Only the table's owner may call this.
    func add(_ histogram: CallHistogram, to key: CallSeriesKey) {
        guard let row = find(key) ?? rowOfFullTable(key) ?? newRow(key) else { return }
        let base = row * Self.rowLength
        for (bucket, count) in histogram.counts.enumerated() where bucket < LatencyBuckets.count {
            rows[base + bucket].increase(by: count)
        }
        rows[base + LatencyBuckets.count].increase(by: histogram.nanoseconds)
    }

    // MARK: - Series that appear

    @inline(never)
    private func addToNew(_ key: CallSeriesKey, _ nanoseconds: UInt64, _ bucket: Int) {
        if let row = rowOfFullTable(key) ?? newRow(key) { add(nanoseconds, bucket, row: row) }
    }

    /// What takes a key that gets no series, as far as it is there already: without the lock.
    private func rowOfFullTable(_ key: CallSeriesKey) -> Int? {
        let allowed = allowed(key)
        if allowed != key, let row = find(allowed) { return row }
        guard !hasSpace(for: allowed) else { return nil }
        if let row = find(key.reduced) { return row }
        return hasSpace(for: key.reduced) ? nil : find(.rest(key.kind))
    }

    private func newRow(_ key: CallSeriesKey) -> Int? {
        free.withLock { free in
            let allowed = allowed(key)
            if let row = find(allowed) ?? insert(allowed, &free) { return row }
            if let row = find(key.reduced) ?? insert(key.reduced, &free) { return row }
            return find(.rest(key.kind)) ?? insert(.rest(key.kind), &free, isLast: true)
        }
    }

    /// A name for each server is a product, which has a limit of its own.
    private func allowed(_ key: CallSeriesKey) -> CallSeriesKey {
        let isBeyond = key.hasNamedLeg && namedLegs.load(ordering: .relaxed) >= namedLegLimit
        return isBeyond ? key.withName(.other) : key
    }

    /// From half full on there are no new series for failures, which clients can cause in more ways than there is space for;
    /// and the last three rows are for what has no other.
    private func hasSpace(for key: CallSeriesKey) -> Bool {
        let used = used.load(ordering: .relaxed)
        let isFailure = key.error != .none && key.error != .toolError && key != key.reduced
        return used < capacity - 3 && (!isFailure || used < capacity / 2)
    }

    private func find(_ key: CallSeriesKey) -> Int? {
        var slot = home(key.bits)
        for _ in 0..<Self.probes {
            let found = entries[slot].key.load(ordering: .relaxed)
            if found == key.bits { return entries[slot].row }
            if found == 0 { return nil }
            slot = (slot + 1) & (slots - 1)
        }
        return nil
    }

    private func insert(_ key: CallSeriesKey, _ free: inout Free, isLast: Bool = false) -> Int? {
        guard isLast ? used.load(ordering: .relaxed) < capacity : hasSpace(for: key) else { return nil }
        var slot = home(key.bits)
        for _ in 0..<Self.probes {
            guard entries[slot].key.load(ordering: .relaxed) > 1 else {
                let row = free.rows.popLast() ?? free.next
                if row == free.next { free.next += 1 }
                entries[slot].row = row
                entries[slot].key.store(key.bits, ordering: .releasing)
                count(key, 1)
                return row
            }
            slot = (slot + 1) & (slots - 1)
        }
        return nil
    }

    /// Only under the lock.
    private func count(_ key: CallSeriesKey, _ change: Int) {
        used.store(used.load(ordering: .relaxed) + change, ordering: .relaxed)
        if key.hasNamedLeg { namedLegs.store(namedLegs.load(ordering: .relaxed) + change, ordering: .relaxed) }
    }

    // MARK: - Any thread

    /// Removes series. No worker may count in them any more.
    func remove(where isRemoved: (CallSeriesKey) -> Bool) {
        free.withLock { free in
            guard free.next > 0 else { return }
            for slot in 0..<slots {
                let key = CallSeriesKey(bits: entries[slot].key.load(ordering: .relaxed))
                guard key.bits > 1, isRemoved(key) else { continue }
                entries[slot].key.store(1, ordering: .relaxed)
                for number in 0..<Self.rowLength {
                    rows[entries[slot].row * Self.rowLength + number].pointee.store(0, ordering: .relaxed)
                }
                free.rows.append(entries[slot].row)
                count(key, -1)
            }
        }
    }

    /// Calls `body` with every series: its key, and a function for each of its numbers.
    func forEach(_ body: (CallSeriesKey, (Int) -> Int64) -> Void) {
        free.withLock { free in
            guard free.next > 0 else { return }
            for slot in 0..<slots {
                let key = CallSeriesKey(bits: entries[slot].key.load(ordering: .relaxed))
                guard key.bits > 1 else { continue }
                let base = entries[slot].row * Self.rowLength
                body(key) { rows[base + $0].pointee.load(ordering: .relaxed) }
            }
        }
    }
}

extension CallSeriesKey {
    /// It is of calls of one tool or prompt at one server.
    fileprivate var hasNamedLeg: Bool { kind == .leg && name != .none && name != .other }
}
