import Caching
import HTTP
import Kernel
import MCP
import Reactor

/// Answers that are at hand: the phase `lookUp`.
extension Worker where Outside: ~Copyable {
    /// How long a request waits for the answer that another one fetches before it asks a server itself.
    private static var waitTime: Interval { .seconds(5) }

    /// Whether the request can be answered without a server.
    @inline(__always)
    mutating func lookUp(_ exchange: Handle) -> PhaseResult {
        guard let cache = servers.upstreams[Int(exchanges[exchange].upstream)].plan.cache else { return .next }
        return lookUpAnswer(exchange, cache)
    }

    @inline(never)
    private mutating func lookUpAnswer(_ exchange: Handle, _ cache: UpstreamCache) -> PhaseResult {
        guard let (request, id) = cachedRequest(exchange, cache) else { return .next }
        var event = CacheEvent.hit
        // Who has waited does not wait again: if the fetches fail, one after the other would have to.
        var mayWait = true
        switch exchanges.caching[exchange] {
        case .waiting: mayWait = false
        case .woken: (event, mayWait) = (.coalesced, false)
        case .searching(let search):
            if let fetch = endSearch(search, cache) { return begin(fetch, stale: search.stale, exchange, cache) }
            (event, mayWait) = (.shared, false)
        case .fetching, .passing, nil: break
        }
        if let answer = cache.answers.fresh(request.keys, at: clock.now, countingAs: event) {
            return end(exchange, with: answer, id: id)
        }
        return lookFurther(exchange, request, id, mayWait: mayWait, event, cache)
    }

    private mutating func end(_ exchange: Handle, with answer: CachedAnswer, id: [UInt8]) -> PhaseResult {
        exchanges.caching[exchange] = nil
        serve(answer, exchange, id: id)
        return .done
    }

    /// No answer is at hand. `id` is the raw id of the request; `event` is what it counts as if there is one after all.
    private mutating func lookFurther(
        _ exchange: Handle, _ request: CachedRequest, _ id: [UInt8], mayWait: Bool, _ event: CacheEvent,
        _ cache: UpstreamCache
    ) -> PhaseResult {
        let waiter = CacheWaiter(exchange: exchange, worker: metrics.worker, mailbox: inbox.mailbox)
        switch cache.answers.look(
            up: request.keys, request.question, at: clock.now, waiter: mayWait ? waiter : nil, countingAs: event)
        {
        case .fresh(let answer):
            return end(exchange, with: answer, id: id)
        case .fetch(let fetch, let stale):
            // What was found in the store may be outdated by now: it is not asked again.
            if let sharing = cache.sharing, event != .shared,
                searchStore(exchange, fetch, stale: stale, sharing) == .asking
            {
                return .wait
            }
            return begin(fetch, stale: stale, exchange, cache)
        case .wait:
            exchanges.caching[exchange] = .waiting
            act(on: exchange, .answerAwaited)
            exchanges.setDeadline(exchange, clock.now + Self.waitTime, &clock)
            return .wait
        case .pass(let stale):
            exchanges.caching[exchange] = .passing(stale: stale)
            return .next
        }
    }

    /// The exchange asks a server, for others as well.
    private mutating func begin(
        _ fetch: CacheFetch, stale: CachedAnswer?, _ exchange: Handle, _ cache: UpstreamCache
    ) -> PhaseResult {
        cache.answers.count(.miss, fetch.question)
        exchanges.caching[exchange] = .fetching(fetch, stale: stale)
        if fetch.question.authority == .server { considerListening(exchange, cache) }
        return .next
    }

    /// What an exchange's request asks for, the names of its answer, and its raw id; nil if the answer is not to be kept, or the
    /// id cannot be repeated. The request must be parsed and at the front of `io.received`.
    private mutating func cachedRequest(
        _ exchange: Handle, _ cache: UpstreamCache
    ) -> (request: CachedRequest, id: [UInt8])? {
        guard exchanges[exchange].isWhole, case .post = exchanges[exchange].method,
            !clients.isInternal(exchanges[exchange].client)
        else { return nil }
        let isModern: Bool
        switch exchanges[exchange].kind {
        case .modern: isModern = true
        case .session, .sessionless: isModern = false
        case .legacyMessage, .streamOpening, .resumption, .preflight, .other: return nil
        }
        let listener = clients.listener(of: exchanges[exchange].client)
        let hasOtherIdentity = clients.listeners[listener].plan.asksForCertificates
        guard !hasOtherIdentity, let body = RequestID.undividedBody(of: io.received, io.requestHead) else {
            let body = RequestID.body(of: io.received, io.requestHead)
            guard let summary = RequestSummary(of: body.span), let id = summary.id(in: body.span) else { return nil }
            let request = io.cachedRequest(
                summary, id, body.span, isModern: isModern, hasOtherIdentity: hasOtherIdentity, cache)
            return request.map { ($0, Array(body[id])) }
        }
        let summary = exchanges.calls.summary(exchanges[exchange].call)
        return io.cachedRequest(exchange, in: body, summary, isModern: isModern, cache, &exchanges.caching.known)
    }

    // MARK: - Waiting

    /// The exchange need not wait any more, or not any longer.
    mutating func resumeAfterWait(_ exchange: Handle) {
        exchanges[exchange].deadline = .never
        advance(exchange, from: .lookUp, reloading: true)
    }

    /// Other workers' fetches, or this one's, are over: who waits for them looks again.
    mutating func wakeCacheWaiters() {
        let waking = exchanges.caching.waking
        exchanges.caching.waking = []
        for exchange in waking where exchanges.contains(exchange) {
            switch exchanges.caching[exchange] {
            case .waiting: exchanges.caching[exchange] = .woken
            case .searching: break
            case .woken, .fetching, .passing, nil: continue
            }
            act(on: exchange, .timedOut)
            io.received.clear()
        }
    }

    /// Tells those who waited for a fetch, here and in other workers.
    mutating func wake(_ waiters: [CacheWaiter]) {
        guard !waiters.isEmpty else { return }
        var others: [Int: (mailbox: Mailbox<WorkerMessage>, exchanges: [Handle])] = [:]
        for waiter in waiters {
            if waiter.worker == metrics.worker {
                exchanges.caching.waking.append(waiter.exchange)
            } else if let mailbox = waiter.mailbox {
                others[waiter.worker, default: (mailbox, [])].exchanges.append(waiter.exchange)
            }
        }
        // If one is full, those that wait there go on when their time is over.
        for (mailbox, exchanges) in others.values { mailbox.post(.answersFetched(exchanges)) }
    }
}
