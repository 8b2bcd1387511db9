import ASCII
import Configuration
import HTTP
import Kernel
import MCP
import Reactor
import Tokens

/// Who the caller is: a part of the phase `admit`, for routes that ask for it.
extension Worker where Outside: ~Copyable {
    /// What becomes of a request by its token; nil: it goes on.
    @inline(__always)
    mutating func authenticate(_ exchange: Handle) -> PhaseResult? {
        exchanges.extras.isEmpty ? nil : checkCaller(exchange)
    }

    @inline(never)
    private mutating func checkCaller(_ exchange: Handle) -> PhaseResult? {
        guard let auth = exchanges.extras[exchange.slot]?.auth, !clients.isInternal(exchanges[exchange].client) else {
            return nil
        }
        // Browsers send preflights without credentials (Fetch standard, "CORS-preflight fetch"), and never with a body.
        if case .preflight = exchanges[exchange].kind, !io.requestHead.hasBody,
            CrossOriginRules.isPreflight(io.requestHead, in: io.received)
        {
            return nil
        }
        if let outcome = exchanges.authentication.takeResult(exchange) {
            return apply(outcome, to: exchange, auth)
        }
        switch BearerCredentials.find(in: io.requestHead, io.received) {
        case .none:
            guard let caller = certificateCaller(exchange, auth) else { return refuse(exchange, auth, nil) }
            let isEnough = auth.configuration.requiredScopes.allSatisfy(caller.scopes.contains)
            return isEnough ? admit(caller, exchange, auth) : refuse(exchange, auth, .insufficientScope)
        case .malformed: return refuse(exchange, auth, .malformed)
        case .token(let range):
            guard range.count <= TokenRules.maximumTokenBytes else { return refuse(exchange, auth, .tooLong) }
            return look(exchange, auth, at: range)
        }
    }

    private mutating func look(_ exchange: Handle, _ auth: RouteAuth, at range: Range<Int>) -> PhaseResult? {
        let key = exchanges.authentication.key(of: io.received.span.extracting(range), route: auth.number)
        let known = exchanges.authentication.find(key, version: auth.version, at: clock.now)
        switch known {
        case .caller(let caller): return admit(caller, exchange, auth)
        case .refused(let refusal): return refuse(exchange, auth, refusal)
        case nil: break
        }
        guard let verifier = snapshot.verifier, let mailbox = inbox.mailbox else { return .respond(.tokenNotVerified) }
        if exchanges.authentication.wait(exchange, for: key) == .first {
            let job = TokenJob(
                token: io.received.bytes(range), auth: auth, key: key, now: Int64(io.world.wallSeconds()),
                worker: mailbox)
            guard verifier.submit(job) == .submitted else {
                exchanges.authentication.cancel(key)
                return .respond(.tokenNotVerified)
            }
        }
        act(on: exchange, .answerAwaited)
        exchanges.setDeadline(exchange, clock.now + Self.verificationTime, &clock)
        return .wait
    }

    /// How long a request waits for its token to be verified: until keys may be fetched for that, and for that.
    private static var verificationTime: Interval { .seconds(16) }

    private mutating func apply(
        _ outcome: TokenJudgement.Outcome, to exchange: Handle, _ auth: RouteAuth
    ) -> PhaseResult? {
        switch outcome {
        case .caller(let caller, _): admit(caller, exchange, auth)
        case .refused(let refusal): refuse(exchange, auth, refusal)
        case .unavailable: .respond(.tokenNotVerified)
        }
    }

    private mutating func admit(_ caller: CallerIdentity, _ exchange: Handle, _ auth: RouteAuth) -> PhaseResult? {
        exchanges.authentication.insert(caller, for: exchange.slot)
        return auth.tools.isOpen ? nil : checkTool(exchange, auth, caller)
    }

    /// Refuses a request; without a reason, because it has no token.
    private mutating func refuse(_ exchange: Handle, _ auth: RouteAuth, _ refusal: TokenRefusal?) -> PhaseResult {
        switch refusal {
        case nil:
            challenge(exchange, auth, error: nil, scopes: auth.configuration.requiredScopes)
            return .respond(.tokenMissing)
        case .insufficientScope:
            challenge(
                exchange, auth, error: ("insufficient_scope", TokenRefusal.insufficientScope.text),
                scopes: auth.configuration.requiredScopes)
            return .respond(.insufficientScope)
        case .some(let refusal):
            challenge(
                exchange, auth, error: ("invalid_token", refusal.text), scopes: auth.configuration.requiredScopes)
            return .respond(.tokenInvalid)
        }
    }

    // MARK: - Going on

    /// Another thread has judged a token.
    mutating func noteJudgement(_ judgement: TokenJudgement) {
        exchanges.authentication.note(judgement, at: clock.now, wall: Int64(io.world.wallSeconds()))
    }

    /// Exchanges whose tokens were judged go on.
    mutating func wakeAuthenticated() {
        let waking = exchanges.authentication.waking
        exchanges.authentication.waking = []
        for exchange in waking where exchanges.contains(exchange) && exchanges.authentication.isWaiting(exchange) {
            act(on: exchange, .timedOut)
            io.received.clear()
        }
    }

    /// The token of an exchange has been judged, or has not in its time.
    mutating func resumeAuthentication(_ exchange: Handle) {
        exchanges[exchange].deadline = .never
        guard exchanges.authentication.hasResult(exchange) else {
            _ = exchanges.authentication.takeResult(exchange)
            act(on: exchange, .rejected(.tokenNotVerified))
            return
        }
        advance(exchange, from: .admit, reloading: true)
    }

    // MARK: - What servers get

    /// Has the client's token left out, unless servers are to get it, and whatever it says under the names of claims.
    mutating func withholdCredentials(_ exchange: Handle) {
        guard let auth = exchanges.extras[exchange.slot]?.auth else { return }
        for index in 0..<io.requestHead.fields.count where isWithheld(index, auth) {
            io.requestHead.fields[index].isHopByHop = true
        }
        // What is to be filtered must be read.
        if !exchanges.toolFilters.isEmpty, exchanges.toolFilters.contains(exchange.slot) { io.withholdAcceptEncoding() }
    }

    private func isWithheld(_ index: Int, _ auth: RouteAuth) -> Bool {
        let name = io.received.span.extracting(io.requestHead.fields[index].name.range)
        if !auth.configuration.forwardsToken, BearerCredentials.isName(name) { return true }
        return auth.fields.contains { $0.isSpelled(name) }
    }

    /// Tells the server who the caller is.
    mutating func composeClaims(_ exchange: Handle) {
        if let caller = exchanges.authentication.caller(of: exchange) { io.composed.append(caller.lines) }
    }
}

/// The credentials of a request (RFC 6750 section 2.1).
enum BearerCredentials {
    /// There is no such field, or it is of another scheme.
    case none
    /// There are two, or what follows the scheme is no token.
    case malformed
    /// Where the token stands.
    case token(Range<Int>)

    static func find(in head: borrowing RequestHead, _ buffer: borrowing ByteBuffer) -> BearerCredentials {
        var found = BearerCredentials.none
        var hasField = false
        for index in 0..<head.fields.count where isName(buffer.span.extracting(head.fields[index].name.range)) {
            if hasField { return .malformed }
            hasField = true
            found = read(head.fields[index].value.range, buffer)
        }
        return found
    }

    private static func read(_ value: Range<Int>, _ buffer: borrowing ByteBuffer) -> BearerCredentials {
        let bytes = buffer.span
        guard value.count > 6, bytes.extracting(value).hasIgnoringCase("bearer", at: 0),
            bytes[value.lowerBound + 6] == 0x20
        else { return .none }
        var start = value.lowerBound + 7
        while start < value.upperBound, bytes[start] == 0x20 { start += 1 }
        guard start < value.upperBound, bytes.extracting(start..<value.upperBound).isVisible else { return .malformed }
        return .token(start..<value.upperBound)
    }

    static func isName(_ name: Span<UInt8>) -> Bool {
        name.count == 13 && name.hasIgnoringCase("authorization", at: 0)
    }
}

extension ClaimField {
    /// Whether a name is this one for some server: case does not count, and some read an underscore as a hyphen.
    func isSpelled(_ other: Span<UInt8>) -> Bool {
        guard other.count == name.count else { return false }
        for index in name.indices {
            let byte = other[index] == UInt8(ascii: "_") ? UInt8(ascii: "-") : other[index].lowercased
            if byte != name[index] { return false }
        }
        return true
    }
}
