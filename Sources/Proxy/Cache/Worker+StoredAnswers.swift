import Caching
import Kernel
import MCP
import Reactor
import Redis

/// Answers that several Berths share. A store that does not answer costs sharing, and never a call.
extension Worker where Outside: ~Copyable {
    /// Whether a store is asked before a server is.
    enum StoreSearch { case asking, notAsking }

    /// An answer is to be fetched: perhaps another Berth has done so.
    mutating func searchStore(
        _ exchange: Handle, _ fetch: CacheFetch, stale: CachedAnswer?, _ sharing: AnswerSharing
    ) -> StoreSearch {
        guard sharing.isTrusted(fetch.question.method) else {
            // The store could not be told that this has changed: it is told again, and not asked before it knows.
            if sharing.claimOutdating(fetch.question.method, hadAnswers: false, at: clock.now) {
                outdateStored(fetch.question.method, sharing)
            }
            return .notAsking
        }
        var commands: [RedisCommand] = [.get(key: sharing.generationKey(of: fetch.question.method))]
        for name in [fetch.keys.shared, fetch.keys.own] {
            guard let name else { continue }
            commands += [.get(key: sharing.key(of: name)), .timeToLive(key: sharing.key(of: name))]
        }
        var search = StoredAnswerSearch(fetch: fetch, stale: stale, sharing: sharing)
        for command in commands {
            guard
                upstreams.stores.submit(command, to: sharing.store, .findAnswer, for: exchange, at: clock.now)
                    == .submitted
            else { break }
            search.expected += 1
        }
        guard search.expected == commands.count else { return .notAsking }
        exchanges.caching[exchange] = .searching(search)
        act(on: exchange, .answerAwaited)
        exchanges.setDeadline(exchange, clock.now + sharing.wait, &clock)
        return .asking
    }

    /// A store has answered a search, or will not.
    mutating func takeStoredAnswer(_ exchange: Handle, _ answer: StoreAnswer) {
        guard exchanges.contains(exchange), case .searching(var search) = exchanges.caching[exchange] else { return }
        search.replies.append(answer)
        exchanges.caching[exchange] = .searching(search)
        if search.replies.count == search.expected { exchanges.caching.waking.append(exchange) }
    }

    /// The store has answered, or not in time. The answer that it had is at hand from here on; else what the store has said goes with
    /// the fetch.
    mutating func endSearch(_ search: StoredAnswerSearch, _ cache: UpstreamCache) -> CacheFetch? {
        if let found = search.found {
            wake(cache.answers.end(search.fetch, .answered(found.result, fields: found.fields), at: clock.now))
            return nil
        }
        var fetch = search.fetch
        fetch.generation = search.generation
        if search.replies.count < search.expected {
            noteLate(search.sharing.store, .findAnswer)
        } else if search.lacksGeneration {
            // If another Berth is quicker, its generation counts, and nobody finds this answer.
            fetch.generation = AnswerSharing.newGeneration()
            _ = upstreams.stores.submit(
                .create(
                    key: search.sharing.generationKey(of: fetch.question.method), value: fetch.generation,
                    milliseconds: AnswerSharing.generationTime),
                to: search.sharing.store, .keepAnswer, at: clock.now)
        }
        return fetch
    }

    /// An answer was fetched: other Berths may have it too.
    mutating func share(_ result: CacheableResult, fields: [UInt8], _ fetch: CacheFetch, _ cache: UpstreamCache) {
        guard let sharing = cache.sharing, !fetch.generation.isEmpty,
            let name = result.isShared ? fetch.keys.shared : fetch.keys.own,
            let value = StoredAnswer(result, fields: fields, generation: fetch.generation).encoded
        else { return }
        _ = upstreams.stores.submit(
            .set(key: sharing.key(of: name), value: value, milliseconds: result.ttl.nanoseconds / 1_000_000),
            to: sharing.store, .keepAnswer, at: clock.now)
    }

    /// Takes out what a server has said is no longer so, here and in the store.
    mutating func outdate(_ change: ServerChange, _ cache: UpstreamCache) {
        let count = cache.answers.invalidate(change)
        guard let sharing = cache.sharing else { return }
        for method in change.methods where sharing.claimOutdating(method, hadAnswers: count > 0, at: clock.now) {
            outdateStored(method, sharing)
        }
    }

    /// Gives the method a new generation.
    mutating func outdateStored(_ method: MCPMethod, _ sharing: AnswerSharing) {
        let outdated = sharing.beginTelling(method)
        _ = upstreams.stores.submit(
            .set(
                key: sharing.generationKey(of: method), value: AnswerSharing.newGeneration(),
                milliseconds: AnswerSharing.generationTime),
            to: sharing.store, .outdateAnswers, outdating: outdated, at: clock.now)
    }
}
