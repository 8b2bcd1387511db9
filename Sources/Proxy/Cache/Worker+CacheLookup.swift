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
        guard let (question, keys, id) = question(exchange, cache) else { return .next }
        var hasWaited = false
        var waiter: CacheWaiter? = CacheWaiter(exchange: exchange, worker: metrics.worker, mailbox: inbox.mailbox)
        // Who has waited does not wait again: if the fetches fail, one after the other would have to.
        switch exchanges.caching[exchange] {
        case .waiting: waiter = nil
        case .woken: (hasWaited, waiter) = (true, nil)
        case .fetching, .passing, nil: break
        }
        switch cache.answers.look(up: keys, question, at: clock.now, waiter: waiter, hasWaited: hasWaited) {
        case .fresh(let answer):
            exchanges.caching[exchange] = nil
            serve(answer, exchange, id: id)
            return .done
        case .fetch(let fetch, let stale):
            exchanges.caching[exchange] = .fetching(fetch, stale: stale)
            if question.authority == .server { considerListening(exchange, cache) }
            return .next
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

    /// What an exchange's request asks for, the names of its answer, and its raw id; nil if the answer is not to be kept, or the
    /// id cannot be repeated. The request must be parsed and at the front of `io.received`.
    private func question(_ exchange: Handle, _ cache: UpstreamCache) -> (CacheQuestion, CacheKeys, id: [UInt8])? {
        guard exchanges[exchange].isWhole, case .post = exchanges[exchange].method,
            !clients.isInternal(exchanges[exchange].client)
        else { return nil }
        let isModern: Bool
        switch exchanges[exchange].kind {
        case .modern: isModern = true
        case .session, .sessionless: isModern = false
        case .legacyMessage, .streamOpening, .resumption, .preflight, .other: return nil
        }
        let body = RequestID.body(of: io.received, io.requestHead)
        // What a server may read in another way must not be kept for those who ask for what was read here.
        guard case .message(let summary) = StrictReading(body.span),
            !isModern || !HeaderCheck.disagrees(io.requestHead, in: io.received, summary, body.span)
        else { return nil }
        var text: [UInt8] = []
        guard let id = JSONRPC.requestID(in: body.span).map({ Array(body[$0]) }),
            let question = CacheQuestion(
                summary, body.span, isModern: isModern, rules: cache.answers.rules, key: &text)
        else { return nil }
        let listener = clients.listener(of: exchanges[exchange].client)
        let keys = CacheNames.keys(
            of: io.requestHead, in: io.received, question: text,
            hasOtherIdentity: clients.listeners[listener].plan.asksForCertificates, cache)
        return (question, keys, id)
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
            guard case .waiting = exchanges.caching[exchange] else { continue }
            exchanges.caching[exchange] = .woken
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
