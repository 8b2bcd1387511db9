import Caching
import HTTP
import Kernel
import Reactor

/// Answers on their way from servers to the cache.
extension Worker where Outside: ~Copyable {
    /// The head of a response is parsed: its body is read, if it may be one to keep.
    mutating func beginFetchedAnswer(_ exchange: Handle, isEventStream: Bool) {
        guard case .fetching(let fetch, _) = exchanges.caching[exchange] else { return }
        guard let cache = cache(of: exchange) else { return }
        guard io.responseHead.status == 200, !io.hasContentCoding,
            let fields = CachedFields.lines(
                of: io.responseHead, in: io.received, isEventStream: isEventStream, vary: cache.answers.rules.vary)
        else {
            end(fetch, io.responseHead.status >= 500 ? .failed : .unfit, cache)
            exchanges.caching[exchange] = nil
            return
        }
        exchanges.caching[exchange] = nil
        exchanges.caching.begin(
            CachedExchanges.Answer(fetch: fetch, isEventStream: isEventStream, fields: fields), exchange)
    }

    /// A piece of a response's body passes by.
    mutating func readFetchedAnswer(_ exchange: Handle, _ range: ByteRange) {
        guard let fetch = exchanges.caching.append(exchange, io.received, range) else { return }
        if let cache = cache(of: exchange) { end(fetch, .unfit, cache) }
    }

    /// A response is complete: its answer is kept, if it is fit for that.
    mutating func keepFetchedAnswer(_ exchange: Handle) {
        guard let answer = exchanges.caching.takeAnswer(exchange), let cache = cache(of: exchange) else { return }
        // Where only the end of the connection ends the body, it may be cut off.
        guard !exchanges[exchange].response.isUntilClose else {
            end(answer.fetch, .unfit, cache)
            return
        }
        let result = CacheableResult(
            answer.body.span, isEventStream: answer.isEventStream, answer.fetch.question.authority,
            rules: cache.answers.rules)
        end(answer.fetch, result.map { .answered($0, fields: answer.fields) } ?? .unfit, cache)
        if let result { share(result, fields: answer.fields, answer.fetch, cache) }
    }

    /// The exchange is over, however: nobody is to wait for it any longer.
    mutating func abandonFetch(_ exchange: Handle) {
        guard let fetch = exchanges.caching.discard(exchange), let cache = cache(of: exchange) else { return }
        end(fetch, .failed, cache)
    }

    private mutating func end(
        _ fetch: CacheFetch, _ outcome: AnswerCache<CacheWaiter>.Outcome, _ cache: UpstreamCache
    ) {
        wake(cache.answers.end(fetch, outcome, at: clock.now))
    }

    private func cache(of exchange: Handle) -> UpstreamCache? {
        let upstream = Int(exchanges[exchange].upstream)
        return servers.upstreams.indices.contains(upstream) ? servers.upstreams[upstream].plan.cache : nil
    }

    // MARK: - Changes

    /// A piece of an event stream passes by, in which a server may say what has changed.
    mutating func watchChanges(_ exchange: Handle, _ range: ByteRange) {
        guard let cache = cache(of: exchange) else { return }
        let changes = exchanges.caching.scan(exchange, io.received, range)
        for change in changes { outdate(change, cache) }
    }
}
