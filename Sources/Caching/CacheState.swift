import Kernel
import MCP

/// What a cache's lock guards.
struct CacheState<Waiter: Sendable>: Sendable {
    private struct Fetch: Sendable {
        let number: UInt64
        let question: CacheQuestion
        var waiters: [Waiter] = []
        /// What was asked has changed since: the answer may be the old one.
        var isOutdated = false
    }

    /// Waiters of one fetch; who comes later asks a server itself.
    private static var maximumWaiters: Int { 10_000 }
    /// Names of which it is remembered that their answers are not kept, or are for one caller alone.
    private static var maximumHints: Int { 4_096 }
    /// How long such a hint holds.
    private static var hintTime: Interval { .seconds(10) }

    /// The answers that are there. It comes first, and has no generic parameter: finding one needs nothing of the rest.
    var kept: KeptAnswers
    private var fetches: [CacheKey: Fetch] = [:]
    /// Shared names whose answers were unfit to be kept, until when that counts.
    private var unfit: [CacheKey: Instant] = [:]
    /// Shared names whose answers were for one caller alone, until when that counts.
    private var personal: [CacheKey: Instant] = [:]
    private var lastFetch: UInt64 = 0

    init(rules: CacheRules) { kept = KeptAnswers(rules: rules) }

    // MARK: - Looking

    mutating func look(
        up keys: CacheKeys, _ question: CacheQuestion, at now: Instant, waiter: Waiter?, countingAs event: CacheEvent
    ) -> AnswerCache<Waiter>.Lookup {
        if let answer = kept.fresh(keys, at: now, countingAs: event) { return .fresh(answer) }
        let stale = kept.stale(keys, at: now)
        let key = isPrivate(keys, at: now) ? keys.own : keys.shared
        guard let key, !isHinted(keys.shared, in: unfit, at: now) else { return pass(question, stale) }
        if var fetch = fetches[key] {
            guard let waiter, fetch.waiters.count < Self.maximumWaiters, !fetch.isOutdated else {
                return pass(question, stale)
            }
            fetch.waiters.append(waiter)
            fetches[key] = fetch
            return .wait
        }
        lastFetch += 1
        fetches[key] = Fetch(number: lastFetch, question: question)
        return .fetch(CacheFetch(key: key, number: lastFetch, keys: keys, question: question), stale: stale)
    }

    private mutating func pass(
        _ question: CacheQuestion, _ stale: CachedAnswer?
    ) -> AnswerCache<Waiter>.Lookup {
        kept.counts.count(.bypass, question.method, question.subject)
        return .pass(stale: stale)
    }

    private func isPrivate(_ keys: CacheKeys, at now: Instant) -> Bool { isHinted(keys.shared, in: personal, at: now) }

    private func isHinted(_ key: CacheKey, in hints: [CacheKey: Instant], at now: Instant) -> Bool {
        hints[key].map { $0 > now } ?? false
    }

    // MARK: - Fetching

    mutating func end(
        _ fetch: CacheFetch, _ outcome: AnswerCache<Waiter>.Outcome, at now: Instant
    ) -> [Waiter] {
        guard let known = fetches[fetch.key], known.number == fetch.number else { return [] }
        fetches[fetch.key] = nil
        switch outcome {
        case .answered(let result, let fields):
            if !result.isShared { hint(fetch.keys.shared, in: \.personal, at: now, for: result.ttl) }
            guard let key = result.isShared ? fetch.keys.shared : fetch.keys.own else {
                hint(fetch.keys.shared, in: \.unfit, at: now, for: Self.hintTime)
                break
            }
            if !known.isOutdated {
                kept.insert(CachedAnswer(fetch.question, result, fields: fields, at: now), key)
            }
        case .unfit: hint(fetch.keys.shared, in: \.unfit, at: now, for: Self.hintTime)
        case .failed: break
        }
        return known.waiters
    }

    private mutating func hint(
        _ key: CacheKey, in hints: WritableKeyPath<Self, [CacheKey: Instant]>, at now: Instant, for time: Interval
    ) {
        if self[keyPath: hints].count >= Self.maximumHints {
            self[keyPath: hints] = self[keyPath: hints].filter { $0.value > now }
            if self[keyPath: hints].count >= Self.maximumHints { self[keyPath: hints] = [:] }
        }
        self[keyPath: hints][key] = now + time
    }

    // MARK: - Taking out

    mutating func invalidate(_ change: ServerChange) -> Int {
        var underWay = 0
        for key in fetches.keys {
            guard let question = fetches[key]?.question, change.concerns(question.method, question.subject) else {
                continue
            }
            fetches[key]?.isOutdated = true
            underWay += 1
        }
        return kept.invalidate(change) + underWay
    }

    mutating func purge(_ selection: CachePurge) -> Int {
        for key in fetches.keys { fetches[key]?.isOutdated = true }
        return kept.purge(selection)
    }

    var status: CacheStatus {
        var status = kept.status
        status.fetches = fetches.count
        status.waiting = fetches.values.reduce(0) { $0 + $1.waiters.count }
        return status
    }
}
