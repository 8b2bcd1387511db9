import Balancing
import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// What becomes of exchanges whose connection failed. `RetryPolicy` decides; why a request was sent again, or not, is
/// answered there.
extension Worker where Outside: ~Copyable {
    /// A connection to `server` could not be opened: what the phase `connect` says then.
    mutating func decideConnectFailure(_ exchange: Handle, _ server: Int, code: CInt) -> PhaseResult {
        act(on: exchange, .connectFailed)
        if servers[server].upstream == Int(exchanges[exchange].upstream) {
            exchanges.noteTried(exchange, servers[server].position)
        }
        // What can be repeated plays no part where nothing was sent.
        let request = RetryableRequest(
            isRepeatable: false, isWhole: exchanges[exchange].isWhole, isPinned: exchanges[exchange].isPinned)
        switch decide(exchange, .connectFailed(connectFailure(server, code: code)), of: request, at: server) {
        case .retry(.sameServerLater):
            act(on: exchange, .redialPostponed)
            exchanges.setDeadline(exchange, clock.now + Interval(nanoseconds: RefusalStreak.pause), &clock)
            return .wait
        case .retry: return .reselect
        case .giveUp(.sessionNotFound): return sessionLost(exchange)
        case .giveUp(let reason): return .respond(fault(reason, exchange))
        }
    }

    /// What an error number says about a server that could not be connected to.
    private func connectFailure(_ server: Int, code: CInt) -> ConnectFailure {
        if ErrorNumber.isOwnFault(code) { return .ownFault }
        guard code == ErrorNumber.refused else { return .other }
        guard servers[server].refusals.verdict == .refusesAll else { return .refused }
        // It refuses newcomers, and somebody is connected: it lives.
        return metrics.load(.established, server: server) > 0 ? .other : .dead
    }

    /// The pause is over: dials the exchange's server again.
    mutating func dialAgain(_ exchange: Handle) {
        if exchanges[exchange].awaitsRecovery {
            resumeAfterRecovery(exchange)
            io.received.clear()
            return
        }
        if !sessions.shared.isEmpty, resumeAfterStore(exchange) == .resumed {
            io.received.clear()
            return
        }
        if exchanges.caching[exchange] == nil {
            advance(exchange, from: .select, reloading: true)
        } else {
            resumePostponed(exchange)
        }
        io.received.clear()
    }

    /// One that waited for another's answer looks for it, and else goes on as before.
    private mutating func resumePostponed(_ exchange: Handle) {
        switch exchanges.caching[exchange] {
        case .waiting, .woken, .searching: resumeAfterWait(exchange)
        case .fetching, .passing, nil: advance(exchange, from: .select, reloading: true)
        }
    }

    /// The same for a connection whose failure came as an event.
    mutating func retryConnect(_ exchange: Handle, _ server: Int, code: CInt, reloading: Bool) {
        switch decideConnectFailure(exchange, server, code: code) {
        case .respond(let fault): act(on: exchange, .rejected(fault))
        case .wait: break
        case .next, .reselect, .done: advance(exchange, from: .select, reloading: reloading)
        }
    }

    /// The exchange's connection ended before a response head came.
    mutating func retryLost(_ exchange: Handle, _ connection: Handle, hasReceived: Bool, code: CInt) {
        let request = retryable(exchange)
        let server = Int(upstreams[connection].server)
        let failure = RequestFailure.connectionLost(
            isReused: upstreams[connection].isReused, hasReceived: hasReceived,
            receipt(of: request, exchange, connection, hasReceived: hasReceived, code: code))
        detach(exchange)
        closeUpstream(connection)
        act(on: exchange, .closedBeforeResponse)
        switch decide(exchange, failure, of: request, at: server) {
        case .retry(let target):
            exchanges[exchange].connectionChoice = .new
            metrics.count(.replays, server: server)
            if target == .anotherServer, hasAnother(exchange, than: server) {
                exchanges.noteTried(exchange, servers[server].position)
            }
            advance(exchange, from: .select, reloading: true)
        case .giveUp(let reason):
            act(on: exchange, .rejected(fault(reason, exchange)))
        }
    }

    /// Asks the policy about a failure of `request` at `server`, and counts what it says.
    mutating func decide(
        _ exchange: Handle, _ failure: RequestFailure, of request: RetryableRequest, at server: Int
    ) -> RetryDecision {
        let upstream = Int(exchanges[exchange].upstream)
        let policy = servers.upstreams[upstream].plan.retry.policy
        let denied = servers.upstreams[upstream].retryBudget.deniedCount
        let decision = policy.decide(
            failure, attempts: &exchanges[exchange].attempts, of: request,
            budget: &servers.upstreams[upstream].retryBudget, now: clock.now.nanoseconds)
        if case .retry = decision { metrics.count(.retries, server: server) }
        if servers.upstreams[upstream].retryBudget.deniedCount != denied {
            metrics.count(.retriesRefused, server: server)
        }
        return decision
    }

    /// What is known of a request when it has failed. Only now is its body looked at.
    private mutating func retryable(_ exchange: Handle) -> RetryableRequest {
        RetryableRequest(
            isRepeatable: isRepeatable(exchange), isWhole: exchanges[exchange].isWhole,
            isPinned: exchanges[exchange].isPinned)
    }

    /// Whether doing the request twice is doing it once.
    private mutating func isRepeatable(_ exchange: Handle) -> Bool {
        switch exchanges[exchange].method {
        case .get, .head, .options: true
        case .post:
            if let call = keptCall(exchange), call.hasID {
                call.method.isRepeatable
                    || (call.method == .toolsCall
                        && isRepeatable(server: Int(exchanges[exchange].server), tool: call.tool.span))
            } else {
                false
            }
        default: false
        }
    }

    /// What the exchange's request asks for, as long as all of it is kept. It uses the scratch's request head, of which
    /// nothing may be needed any more.
    mutating func keptCall(_ exchange: Handle) -> KeptCall? {
        let client = exchanges[exchange].client
        guard exchanges[exchange].isWhole, case .post = exchanges[exchange].method, clients.contains(client) else {
            return nil
        }
        let count = min(Int(exchanges[exchange].replayBytes), clients[client].transport.input.count)
        guard count > 0 else { return nil }
        var request = ByteBuffer()
        request.append(clients[client].transport.input, 0..<count)
        let parser = clients.listeners[clients.listener(of: client)].parser
        guard case .complete = parser.parse(request, into: &io.requestHead) else { return nil }
        return KeptCall.find(in: request, io.requestHead)
    }

    /// Whether the server can have read the request. It cannot if its FIN came first, so that our bytes were answered
    /// with a reset (EPIPE) or never acknowledged.
    private mutating func receipt(
        of request: RetryableRequest, _ exchange: Handle, _ connection: Handle, hasReceived: Bool, code: CInt
    ) -> RequestReceipt {
        if upstreams[connection].hasRefusedBytes { return .cannotHaveBeenRead }
        guard
            servers.upstreams[Int(exchanges[exchange].upstream)].plan.retry.policy.needsReceipt(
                request, isReused: upstreams[connection].isReused, hasReceived: hasReceived,
                attempts: exchanges[exchange].attempts)
        else { return .mayHaveBeenRead }
        if code != 0 { return code == ErrorNumber.brokenPipe ? .cannotHaveBeenRead : .mayHaveBeenRead }
        let descriptor = upstreams[connection].transport.descriptor
        let isUnread =
            io.world.connectionError(descriptor) == ErrorNumber.brokenPipe || io.world.hasUnacknowledged(descriptor)
        return isUnread ? .cannotHaveBeenRead : .mayHaveBeenRead
    }

    private func fault(_ reason: GiveUpReason, _ exchange: Handle) -> ExchangeFault {
        switch reason {
        case .noServerAvailable: .noServerAvailable
        case .sessionServerUnavailable: .sessionServerUnavailable
        case .sessionNotFound: sessionNotFound(exchange)
        case .connectFailed: .connectFailed
        case .connectionLost, .turnedAway: .serverReset
        }
    }

    /// What a client is told whose session is gone, in the words of its transport.
    func sessionNotFound(_ exchange: Handle) -> ExchangeFault {
        exchanges[exchange].kind == .legacyMessage ? .legacySessionNotFound : .sessionNotFound
    }
}
