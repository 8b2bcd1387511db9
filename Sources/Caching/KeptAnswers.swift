import Kernel
import MCP

/// The answers that are kept, by their names: no more bytes than the rules allow.
struct KeptAnswers: Sendable {
    private struct Entry: Sendable {
        let key: CacheKey
        let answer: CachedAnswer
        /// Of `counts`.
        let series: Int
    }

    private let rules: CacheRules
    private var order = EvictionOrder<CacheKey>()
    private var index = AnswerIndex()
    private var slots: [CacheKey: Int] = [:]
    /// By slot.
    private var entries: [Entry?] = []
    private var evictions: UInt64 = 0
    private var invalidations: UInt64 = 0
    private var purged: UInt64 = 0
    var counts = CacheCounts()

    init(rules: CacheRules) { self.rules = rules }

    // MARK: - Looking

    /// The answer that has one of these names and is still good; it is counted as `event`.
    mutating func fresh(_ keys: CacheKeys, at now: Instant, countingAs event: CacheEvent) -> CachedAnswer? {
        if let answer = fresh(keys.shared, at: now, countingAs: event) { return answer }
        guard let own = keys.own else { return nil }
        return fresh(own, at: now, countingAs: event)
    }

    private mutating func fresh(_ key: CacheKey, at now: Instant, countingAs event: CacheEvent) -> CachedAnswer? {
        guard let slot = slots[key], let entry = entries[slot], entry.answer.remaining(at: now) != nil else {
            return nil
        }
        order.noteUse(slot)
        counts.count(event, entry.series)
        return entry.answer
    }

    /// The answer that has one of these names and may be had though its time is over, the caller's own before that for
    /// everybody. What may not be had any more is taken out.
    mutating func stale(_ keys: CacheKeys, at now: Instant) -> CachedAnswer? {
        let shared = stale(keys.shared, at: now)
        return keys.own.flatMap { stale($0, at: now) } ?? shared
    }

    private mutating func stale(_ key: CacheKey, at now: Instant) -> CachedAnswer? {
        guard let slot = slots[key], let answer = entries[slot]?.answer else { return nil }
        if answer.receivedAt + answer.result.ttl + rules.staleIfError > now { return answer }
        remove(slot)
        return nil
    }

    // MARK: - Keeping

    /// Keeps an answer in place of the one that had its name, if it is not too long; others leave if there is no space.
    mutating func insert(_ answer: CachedAnswer, _ key: CacheKey) {
        if let slot = slots[key] { remove(slot) }
        guard answer.bytes <= rules.maximumBytes else { return }
        let slot = order.insert(key, bytes: answer.bytes)
        while entries.count <= slot { entries.append(nil) }
        entries[slot] = Entry(key: key, answer: answer, series: counts.number(answer.method, answer.subject))
        slots[key] = slot
        index.insert(slot, answer)
        while order.bytes > rules.maximumBytes, let victim = order.evict(capacity: rules.maximumBytes) {
            forget(victim.slot)
            evictions += 1
        }
    }

    // MARK: - Taking out

    /// Takes out what a server has said is no longer so: how many.
    mutating func invalidate(_ change: ServerChange) -> Int {
        let meant = index.slots(of: change)
        for slot in meant { remove(slot) }
        invalidations += UInt64(meant.count)
        return meant.count
    }

    /// Takes out what an operator has chosen: how many.
    mutating func purge(_ selection: CachePurge) -> Int {
        let meant = entries.indices.filter { slot in entries[slot].map { selection.isFor($0.answer) } ?? false }
        for slot in meant { remove(slot) }
        purged += UInt64(meant.count)
        return meant.count
    }

    private mutating func remove(_ slot: Int) {
        forget(slot)
        order.remove(slot)
    }

    /// Takes an answer out that is not among the others in `order` any more, or will not be.
    private mutating func forget(_ slot: Int) {
        guard let entry = entries[slot] else { return }
        slots[entry.key] = nil
        entries[slot] = nil
        index.remove(slot, entry.answer)
    }

    /// How these answers do.
    var status: CacheStatus {
        var status = CacheStatus()
        status.entries = slots.count
        status.bytes = order.bytes
        status.maximumBytes = rules.maximumBytes
        status.evictions = evictions
        status.invalidations = invalidations
        status.purged = purged
        status.counts = counts
        return status
    }
}
