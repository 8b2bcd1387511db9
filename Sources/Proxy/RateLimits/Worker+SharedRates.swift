import Kernel
import RateLimiting
import Reactor
import Redis

/// Rates that several Berths share. Each decides by what it knows, at once; the store is told of what was let through, and answers
/// with what all of them have used: from then on this Berth knows that too. No request waits for it, and none fails for it.
extension Worker where Outside: ~Copyable {
    /// Whether a key has used some of its rate, or gets it back.
    enum SharedUse { case used, returned }

    /// Rules whose rates are shared have counted the exchange, or have not after all: the stores are told. Its request is parsed and
    /// at the front of `io.received`.
    @inline(never)
    mutating func share(
        _ exchange: Handle, _ rules: UInt32, _ limits: RouteLimits, _ session: SessionKey?, _ use: SharedUse
    ) {
        let count = exchanges.limits[exchange.slot]?.count ?? 1
        var rest = rules
        while rest != 0 {
            let rule = limits.rules[rest.trailingZeroBitCount]
            rest &= rest - 1
            guard let rate = rule.rate, let sharing = rule.sharing else { continue }
            var common: SessionKey?
            if let session, rule.key == .session {
                common = commonKey(exchange, session)
                // Other Berths could not find its name.
                if common == nil { continue }
            }
            var (one, other) = sharing.hashers
            combineKey(exchange, rule, common, &one)
            combineKey(exchange, rule, common, &other)
            let time = rate.time(of: count)
            upstreams.stores.noteRate(
                RateReports.Key(high: one.finish(), low: other.finish()), local: limitKey(exchange, rule, session),
                used: use == .used ? time : -time, most: rate.longestBacklog, in: sharing.store)
        }
    }

    /// A store has answered with what a key has used in all, or will not.
    mutating func takeRate(_ purpose: StorePurpose, _ answer: StoreAnswer, _ client: Int) {
        guard let call = purpose.rate else { return }
        let key = RateReports.Key(high: call.high, low: call.low)
        guard let ended = upstreams.stores.clients[client].rates.finish(key) else { return }
        if upstreams.stores.clients[client].rates.hasNext { upstreams.stores.hasWork = true }
        guard case .number(let microseconds) = answer, let limits = snapshot.rateLimits else { return }
        let used = min(RequestRate.ticks(ofMicroseconds: microseconds), ended.most)
        // What it has used since the store was told comes on top.
        limits.rates.raise(ended.local, to: used + UInt64(max(0, ended.untold)), now: clock.now.nanoseconds)
    }
}

extension StoreClients {
    /// A key has used some of its time, in ticks, or gets it back: the store is told before the worker sleeps, or when it has answered
    /// what it was told before.
    mutating func noteRate(
        _ key: RateReports.Key, local: UInt64, used: Int64, most: UInt64, in store: SharedStore
    ) {
        let client = index(of: store)
        let dropped = clients[client].rates.dropped
        clients[client].rates.note(key, local: local, used: used, most: most)
        store.counts.count(.countRate, .skipped, times: clients[client].rates.dropped - dropped)
        if clients[client].rates.hasNext { hasWork = true }
    }

    /// Tells a store what keys have used. If it is not to be had, that is forgotten: each Berth goes on by what it has counted itself.
    mutating func reportRates(_ client: Int, at now: Instant) {
        while let report = clients[client].rates.next() {
            var call = RateScript.Call(
                high: report.key.high, low: report.key.low, used: RequestRate.microseconds(ofTicks: report.used),
                most: RequestRate.microseconds(ofTicks: Int64(clamping: report.most)))
            call.isWhole = !clients[client].hasRateScript
            let purpose = StorePurpose(use: .countRate, rate: call, sentAt: now)
            guard submit(.advanceRate(call), purpose, client, at: now) == .submitted else {
                _ = clients[client].rates.finish(report.key)
                let count = clients[client].rates.dropWaiting()
                clients[client].store.counts.count(.countRate, .skipped, times: count)
                return
            }
            // Commands are done in their order: the next ones find it there.
            clients[client].hasRateScript = true
        }
    }

    /// The store does not know the script any longer: it gets it with the same call.
    mutating func repeatRate(_ purpose: StorePurpose, _ client: Int, at now: Instant) -> StoreSubmission {
        guard var call = purpose.rate, !call.isWhole else { return .declined }
        call.isWhole = true
        return enqueue(.advanceRate(call), StorePurpose(use: .countRate, rate: call, sentAt: now), client, at: now)
    }
}
