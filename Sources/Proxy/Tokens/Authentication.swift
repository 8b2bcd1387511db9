import Kernel
import RateLimiting
import Reactor
import Tokens

/// What one worker knows of callers: of tokens, and of the exchanges that wait for one to be verified.
struct Authentication {
    /// Tokens that were accepted, and those that were not: the latter are anybody's to make up, and must not drive the former out.
    private var accepted = TokenCache(limit: 4_096)
    private var refused = TokenCache(limit: 512)
    /// Exchanges that wait, by the token that they wait for.
    private var waiting: [TokenKey: [Handle]] = [:]
    /// What each waits for, by its slot.
    private var waitingSlots: [UInt32: (exchange: Handle, result: TokenJudgement.Outcome?)] = [:]
    /// Who has sent an exchange, by its slot.
    private var callers: [CallerIdentity?] = []
    /// Who has shown a certificate, by the slot of its connection: whose it is, and for which route.
    private var certificates: [UInt32: (socket: Handle, route: UInt64, caller: CallerIdentity)] = [:]
    /// The challenge of an exchange's answer, by its slot.
    private var challenges: [UInt32: [UInt8]] = [:]
    /// Exchanges whose tokens have been judged.
    var waking: [Handle] = []
    /// Of this worker alone: digests say nothing to anybody else.
    private let seed = KeyHasher.randomSeed()

    /// Names a token at a route.
    func key(of token: Span<UInt8>, route: UInt64) -> TokenKey {
        var hasher = KeyHasher.wide(seed: seed)
        hasher.combine(route)
        hasher.combine(token)
        let hash = hasher.finishWide()
        return TokenKey(high: hash.0, low: hash.1)
    }

    mutating func find(_ key: TokenKey, version: UInt64, at now: Instant) -> TokenCache.Known? {
        if let known = accepted.find(key, version: version, at: now) { return known }
        return refused.find(key, version: version, at: now)
    }

    // MARK: - Waiting

    func isWaiting(_ exchange: Handle) -> Bool {
        if waitingSlots.isEmpty { return false }
        return waitingSlots[exchange.slot]?.exchange == exchange
    }

    /// Whether somebody waits for the token already.
    enum Wait { case first, another }

    mutating func wait(_ exchange: Handle, for key: TokenKey) -> Wait {
        waitingSlots[exchange.slot] = (exchange, nil)
        waiting[key, default: []].append(exchange)
        return waiting[key]?.count == 1 ? .first : .another
    }

    /// Nobody verifies the token: who waits may try again.
    mutating func cancel(_ key: TokenKey) {
        for exchange in waiting.removeValue(forKey: key) ?? [] { waitingSlots[exchange.slot] = nil }
    }

    /// The result for an exchange, which waits no longer; nil: there is none.
    mutating func takeResult(_ exchange: Handle) -> TokenJudgement.Outcome? {
        guard isWaiting(exchange) else { return nil }
        return waitingSlots.removeValue(forKey: exchange.slot)?.result
    }

    func hasResult(_ exchange: Handle) -> Bool {
        isWaiting(exchange) && waitingSlots[exchange.slot]?.result != nil
    }

    /// A token was judged. `wall`: seconds since 1970 at `now`.
    mutating func note(_ judgement: TokenJudgement, at now: Instant, wall: Int64) {
        switch judgement.outcome {
        case .caller(let caller, let expiry):
            let left = max(0, min(expiry, wall + Self.longestTrust) - wall)
            accepted.insert(
                .caller(caller), for: judgement.key, version: judgement.version,
                until: now + .seconds(UInt64(left)), at: now)
        case .refused(let refusal):
            let pause: Interval = refusal.mayChangeWithKeys ? .seconds(2) : .seconds(10)
            refused.insert(
                .refused(refusal), for: judgement.key, version: judgement.version, until: now + pause, at: now)
        case .unavailable: break
        }
        for exchange in waiting.removeValue(forKey: judgement.key) ?? [] where isWaiting(exchange) {
            waitingSlots[exchange.slot]?.result = judgement.outcome
            waking.append(exchange)
        }
    }

    /// Seconds after which a token is verified again, however long it is good.
    private static var longestTrust: Int64 { 3_600 }

    // MARK: - Callers and challenges

    mutating func insert(_ caller: CallerIdentity, for slot: UInt32) {
        while callers.count <= Int(slot) { callers.append(nil) }
        callers[Int(slot)] = caller
    }

    func caller(of exchange: Handle) -> CallerIdentity? {
        Int(exchange.slot) < callers.count ? callers[Int(exchange.slot)] : nil
    }

    /// What sessions of an exchange's caller are tied to; nil: nothing.
    @inline(__always)
    func subject(of exchange: Handle) -> SubjectDigest? {
        callers.isEmpty ? nil : caller(of: exchange)?.subject
    }

    /// Who has shown a certificate on a connection, if that was looked at for the route.
    func certificate(of socket: Handle, route: UInt64) -> CallerIdentity? {
        guard let known = certificates[socket.slot], known.socket == socket, known.route == route else { return nil }
        return known.caller
    }

    /// The same for the next request of the connection.
    mutating func noteCertificate(_ caller: CallerIdentity, of socket: Handle, route: UInt64) {
        certificates[socket.slot] = (socket, route, caller)
    }

    mutating func setChallenge(_ line: [UInt8], for exchange: Handle) { challenges[exchange.slot] = line }
    mutating func takeChallenge(_ exchange: Handle) -> [UInt8]? {
        challenges.isEmpty ? nil : challenges.removeValue(forKey: exchange.slot)
    }

    /// The slot's exchange is over.
    mutating func discard(_ slot: UInt32) {
        if Int(slot) < callers.count { callers[Int(slot)] = nil }
        if !challenges.isEmpty { challenges[slot] = nil }
        if !waitingSlots.isEmpty { waitingSlots[slot] = nil }
    }
}
