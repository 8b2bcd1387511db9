import ASCII
import HTTP
import Kernel
import Logging
import MCP
import RateLimiting
import Reactor

/// How many requests there may be: the last part of the phase `admit`, and, by session, of `resolve`.
extension Worker where Outside: ~Copyable {
    /// Refuses a request that exceeds a limit of its route; nil: it goes on. Its request is parsed and at the front of
    /// `io.received`. Rules that go by a session wait until its id is verified.
    @inline(__always)
    mutating func limitRate(_ exchange: Handle) -> PhaseResult? {
        if exchanges.limits.isEmpty { return nil }
        return applyLimits(exchange)
    }

    @inline(never)
    private mutating func applyLimits(_ exchange: Handle) -> PhaseResult? {
        guard let limits = exchanges.limits[exchange.slot]?.limits else { return nil }
        let match = limits.match(
            io.requestHead, in: io.received, exchanges[exchange].kind, isWhole: exchanges[exchange].isWhole,
            known: exchanges.calls.summary(exchanges[exchange].call))
        if match.rules == 0 { return nil }
        let pending = namesSession(exchange) ? match.rules & limits.bySession : 0
        exchanges.limits[exchange.slot]?.count = match.count
        exchanges.limits[exchange.slot]?.pending = pending
        return count(exchange, match.rules & ~pending, limits, session: nil)
    }

    /// Whether the request names a session whose id is going to be verified.
    private func namesSession(_ exchange: Handle) -> Bool {
        guard servers.upstreams[Int(exchanges[exchange].upstream)].plan.affinity != .off else { return false }
        switch exchanges[exchange].kind {
        case .session, .legacyMessage: return true
        case .modern, .streamOpening, .resumption, .sessionless, .preflight, .other: return false
        }
    }

    /// The exchange's session is verified: applies the rules that go by it, once.
    @inline(never)
    mutating func limitSession(_ exchange: Handle, _ key: SessionKey) -> PhaseResult? {
        guard let entry = exchanges.limits[exchange.slot], entry.pending != 0 else { return nil }
        exchanges.limits[exchange.slot]?.pending = 0
        return count(exchange, entry.pending, entry.limits, session: key)
    }

    // MARK: - Counting

    /// Counts an exchange by rules, or refuses it: then no rule has counted it.
    private mutating func count(
        _ exchange: Handle, _ rules: UInt32, _ limits: RouteLimits, session: SessionKey?
    ) -> PhaseResult? {
        var rest = rules
        while rest != 0 {
            let index = rest.trailingZeroBitCount
            rest &= rest - 1
            let rule = limits.rules[index]
            let key = limitKey(exchange, rule, session)
            if let refusal = count(exchange, rule, key, limits.shared) {
                refund(exchange, limits, session, told: ~rules)
                return refuse(exchange, refusal)
            }
            exchanges.limits[exchange.slot]?.counted |= 1 << UInt32(index)
        }
        if limits.inStores & rules != 0 { share(exchange, limits.inStores & rules, limits, session, .used) }
        return nil
    }

    private mutating func count(
        _ exchange: Handle, _ rule: RateLimitRule, _ key: UInt64, _ shared: RateLimits
    ) -> RateLimitRefusal? {
        let times = exchanges.limits[exchange.slot]?.count ?? 1
        if let rate = rule.rate,
            case .refused(let wait) = shared.rates.take(key, rate, now: clock.now.nanoseconds, count: times)
        {
            var refusal = RateLimitRefusal(rule, rule.rateReason, nanoseconds: wait)
            if rule.rateReason == .streamOpens {
                // Those whose streams have ended together have all come at once.
                let width = min(refusal.retryAfter, 60) / 2 + 1
                refusal.retryAfter = UInt32(
                    clamping: UInt64(refusal.retryAfter) + spread(UInt64(width), of: exchange))
            }
            return refusal
        }
        guard let limit = rule.concurrency else { return nil }
        switch shared.requests.claim(key, limit: limit) {
        case .held(let hold): exchanges.limits[exchange.slot]?.holds.append(hold)
        case .uncounted: break
        case .refused:
            if let rate = rule.rate { shared.rates.refund(key, rate, count: times) }
            return RateLimitRefusal(rule, .concurrency, nanoseconds: 0)
        }
        return nil
    }

    /// Gives back what rules have counted before another one refused the exchange. `told`: bits of those that stores may know of.
    private mutating func refund(
        _ exchange: Handle, _ limits: RouteLimits, _ session: SessionKey?, told: UInt32
    ) {
        guard let entry = exchanges.limits[exchange.slot] else { return }
        let shared = entry.counted & limits.inStores & told
        if shared != 0 { share(exchange, shared, limits, session, .returned) }
        var rest = entry.counted
        while rest != 0 {
            let rule = limits.rules[rest.trailingZeroBitCount]
            rest &= rest - 1
            guard let rate = rule.rate else { continue }
            limits.shared.rates.refund(limitKey(exchange, rule, session), rate, count: entry.count)
        }
        exchanges.limits[exchange.slot]?.counted = 0
    }

    // MARK: - Keys

    /// Whose limit a rule's is for this exchange, as a hash.
    func limitKey(_ exchange: Handle, _ rule: RateLimitRule, _ session: SessionKey?) -> UInt64 {
        var hasher = rule.hasher
        combineKey(exchange, rule, session, &hasher)
        return hasher.finish()
    }

    /// Adds what tells those apart who have a limit each.
    func combineKey(_ exchange: Handle, _ rule: RateLimitRule, _ session: SessionKey?, _ hasher: inout KeyHasher) {
        switch rule.key {
        case .route: break
        case .address: combineAddress(exchange, &hasher)
        case .session:
            guard let session else {
                combineAddress(exchange, &hasher)
                break
            }
            hasher.combine(1)
            hasher.combine(session.high)
            hasher.combine(session.low)
        case .header(let name): combineField(exchange, name, &hasher)
        case .claim(let name): combineClaim(exchange, name, &hasher)
        }
    }

    /// All values of a field; the address where there is none, or nothing in it.
    private func combineField(_ exchange: Handle, _ name: [UInt8], _ hasher: inout KeyHasher) {
        var isThere = false
        for index in 0..<io.requestHead.fields.count where io.received.hasName(io.requestHead.fields[index], name) {
            let value = io.received.span.extracting(io.requestHead.fields[index].value.range)
            if value.isEmpty { continue }
            hasher.combine(2)
            hasher.combine(value)
            isThere = true
        }
        if !isThere { combineAddress(exchange, &hasher) }
    }

    /// A claim of the caller; the caller itself where it has no such claim, and the address where nobody is known.
    private func combineClaim(_ exchange: Handle, _ name: [UInt8], _ hasher: inout KeyHasher) {
        guard let caller = exchanges.authentication.caller(of: exchange) else {
            combineAddress(exchange, &hasher)
            return
        }
        if let value = caller.countedClaim(name) {
            hasher.combine(6)
            hasher.combine(value.span)
        } else {
            hasher.combine(7)
            hasher.combine(caller.subject.high)
            hasher.combine(caller.subject.low)
        }
    }

    /// The client's address: of IPv6 the network, for a host has as many addresses in it as it likes. Where the peer is a
    /// trusted proxy that names nobody, many clients may be behind it: then each of its connections is a client.
    private func combineAddress(_ exchange: Handle, _ hasher: inout KeyHasher) {
        let client = exchanges[exchange].client
        let address = clientAddress(client)
        let listener = clients.listener(of: client)
        let hasNone = clients.listeners[listener].plan.socketPath != nil
        if hasNone || clients.trusts(address, listener) {
            let socket = clients.socket(of: client)
            hasher.combine(3)
            hasher.combine(UInt64(socket.slot) << 32 | UInt64(socket.generation))
            hasher.combine(UInt64(metrics.worker))
            // No other Berth has this connection.
            hasher.combine(snapshot.rateLimits?.processNumber ?? 0)
        } else {
            hasher.combine(address.isIPv4 ? 4 : 5)
            hasher.combine(address.isIPv4 ? address.low & 0xffff_ffff : address.high)
        }
    }

    // MARK: - Refusing

    private mutating func refuse(_ exchange: Handle, _ refusal: RateLimitRefusal) -> PhaseResult {
        exchanges.limits[exchange.slot]?.refusal = refusal
        refusal.rule.counts.add(refusal.reason)
        logRefusal(exchange, refusal)
        return .respond(refusal.reason.fault)
    }

    /// Says which rule has refused a request of whose address: not its key, which may be a secret.
    private mutating func logRefusal(_ exchange: Handle, _ refusal: RateLimitRefusal) {
        guard let log = control.log, let omitted = control.refusals.admit(at: clock.now) else { return }
        let client = clientAddress(exchanges[exchange].client).host
        let more = omitted == 0 ? "" : " (\(omitted) more of these were not logged)"
        let what =
            switch refusal.reason {
            case .rate: "a request of \(client) is refused: it may come again in \(refusal.retryAfter) s"
            case .concurrency: "a request of \(client) is refused: as many as may be are in progress"
            case .streamOpens: "an event stream of \(client) is refused: it may come again in \(refusal.retryAfter) s"
            }
        log.notice("rate limit \"\(refusal.rule.name)\": \(what)\(more)")
    }

    /// Completes the answer to an exchange that was refused here: when it may come again. Returns the lines that say by which
    /// rule; none if it was refused otherwise.
    mutating func describeRefusal(_ exchange: Handle, _ response: inout ErrorResponse) -> [UInt8] {
        guard let refusal = exchanges.limits[exchange.slot]?.refusal else { return [] }
        response.retryAfterSeconds = refusal.retryAfter
        return refusal.lines
    }
}
