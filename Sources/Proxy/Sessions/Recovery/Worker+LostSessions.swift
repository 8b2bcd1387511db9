import Configuration
import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// Requests whose session's server is lost, from the moment at which that is seen to the one at which they go on.
extension Worker where Outside: ~Copyable {
    // MARK: - Where sessions are

    /// Sends the exchange to where its session was recovered, if it was. Nearly always it was not, and this worker knows.
    mutating func locate(_ exchange: Handle, _ key: SessionKey, epoch: UInt32) -> SessionPlace {
        if sessions.known.isInPlace(key, epoch: epoch) { return .original }
        if sessions.table?.isForgotten(key) == true { return .forgotten }
        guard let location = sessions.table?.location(of: key) else {
            sessions.known.noteInPlace(key, epoch: epoch)
            return .original
        }
        return follow(exchange, location)
    }

    enum SessionPlace {
        case original, recovered, lost
        /// An operator has ordered so: its client is to begin another one.
        case forgotten
    }

    /// Sends the exchange to where its session is now.
    private mutating func follow(_ exchange: Handle, _ location: SessionLocation) -> SessionPlace {
        exchanges[exchange].affinityKey = UInt64(location.generation)
        exchanges[exchange].isMapped = true
        exchanges[exchange].isPinned = true
        let server = Int(location.server.slot)
        guard servers.slots.contains(server), servers[server].id == location.server, !servers[server].isRetired,
            !servers[server].plan.isDisabled,
            servers[server].upstream == Int(exchanges[exchange].upstream)
        else {
            exchanges[exchange].server = -1
            return .lost
        }
        exchanges[exchange].server = Int32(truncatingIfNeeded: server)
        return .recovered
    }

    /// Whether a message of a recovered session is for a server that is gone: the answer to one of its requests.
    mutating func answersLostServer(_ exchange: Handle, _ key: SessionKey) -> Bool {
        guard exchanges[exchange].method == .post, exchanges[exchange].isWhole else { return false }
        let body = RequestID.body(of: io.received, io.requestHead)
        guard RequestSummary(of: body.span)?.method == .response, let id = JSONRPC.responseID(in: body.span) else {
            return false
        }
        return sessions.table?.takeServerRequest(key, Array(body[id])) == false
    }

    // MARK: - Loss

    /// The exchange's server is gone, and its session with it: what the phase that found out says.
    mutating func sessionLost(_ exchange: Handle) -> PhaseResult {
        switch considerRecovery(exchange, mayReturn: false) {
        case .start, .wait, .follow: return .wait
        case .swallow: return .respond(.messageForLostServer)
        case .giveUp(let reason): return .respond(fault(reason, exchange))
        }
    }

    private func fault(_ reason: RecoveryFailure, _ exchange: Handle) -> ExchangeFault {
        reason.isTemporary ? .sessionServerUnavailable : sessionNotFound(exchange)
    }

    /// Whether a response that says "not found" is about a session, and the session is recovered.
    enum NotFoundResult {
        /// Forward it.
        case forward
        /// More of its body is needed to tell.
        case needsMore
        /// The exchange has been dealt with.
        case taken
    }

    /// The server has answered 404 to a request of a session; the head is parsed and `length` bytes long.
    mutating func considerNotFound(_ exchange: Handle, _ length: Int) -> NotFoundResult {
        guard sessions.isRecording, case .session = exchanges[exchange].kind, exchanges[exchange].isWhole,
            exchanges[exchange].method != .delete, exchanges[exchange].replayBytes > 0,
            !clients.isInternal(exchanges[exchange].client),
            servers.upstreams[Int(exchanges[exchange].upstream)].plan.onLost != .never
        else { return .forward }
        if case .length(let count) = io.responseHead.framing, count <= UInt64(SessionNotFound.maximumBytes) {
            let end = length + Int(count)
            guard io.received.count >= end else { return .needsMore }
            if SessionNotFound.isAnotherError(io.received.span.extracting(length..<end)) { return .forward }
        }
        // Interim responses that came before.
        clients.write(exchanges[exchange].client, &io, &clock)
        switch considerRecovery(exchange, mayReturn: true) {
        case .start, .wait, .follow: break
        case .swallow: act(on: exchange, .rejected(.messageForLostServer))
        case .giveUp(let reason):
            guard reason.isTemporary else { return .forward }
            act(on: exchange, .rejected(.sessionServerUnavailable))
        }
        io.received.clear()
        return .taken
    }

    /// Decides what is done about a lost session, and does what needs no answer. An exchange that waits has been parted
    /// from its connection.
    private mutating func considerRecovery(_ exchange: Handle, mayReturn: Bool) -> RecoveryDecision {
        guard sessions.isRecording, case .session = exchanges[exchange].kind,
            !clients.isInternal(exchanges[exchange].client), let table = sessions.table,
            let (key, request, common) = lostRequest(exchange)
        else { return .giveUp(.off) }
        let upstream = Int(exchanges[exchange].upstream)
        let policy = servers.upstreams[upstream].plan.onLost
        let asked = UInt32(truncatingIfNeeded: exchanges[exchange].affinityKey)
        let mayBeShared = policy == .always && servers.upstreams[upstream].plan.records != nil
        if mayBeShared, request == .call || request == .message {
            let server = Int(exchanges[exchange].server)
            table.openIfUnknown(
                key, on: server < 0 ? ServerID.none : servers[server].id, isLearned: isLearned(exchange),
                now: clock.now, counter: sessions.affinity.countAnywhere)
        }
        let decision = table.decide(key, request, policy, asked: asked, mayBeShared: mayBeShared, now: clock.now)
        switch decision {
        case .start, .wait, .follow: awaitRecovery(exchange, key, decision, mayReturn: mayReturn)
        case .swallow: metrics.increment(.swallowed)
        case .giveUp(let reason):
            if request == .deletion {
                countEnd(table.end(key, now: clock.now, counter: sessions.affinity.countAnywhere))
                if common != .none { forgetRecord(common, in: upstream) }
            } else if !mayReturn {
                noteLoss(key, reason)
            }
            if request == .call || request == .message { noteFailure(key, upstream, reason) }
        }
        return decision
    }

    /// A session whose server is gone does not go on: its client is told so, unless it may try again.
    private func noteLoss(_ key: SessionKey, _ reason: RecoveryFailure) {
        guard !reason.isTemporary, let table = sessions.table else { return }
        countEnd(table.lose(key, now: clock.now))
    }

    /// The session of an exchange, what its request is to a session that is lost, and what all Berths have for it if its record is
    /// shared. Puts the request's head into the scratch.
    private mutating func lostRequest(_ exchange: Handle) -> (SessionKey, LostRequest, common: SessionKey)? {
        guard let request = keptRequest(exchange) else { return nil }
        let id = (io.requestHead.sessionID ?? .empty).range
        let upstream = Int(exchanges[exchange].upstream)
        let key: SessionKey
        let subject = exchanges.authentication.subject(of: exchange)
        switch sessions.affinity.owner(ofSession: request, id, in: upstream, now: clock.now, of: subject) {
        case .server(_, let found), .removed(let found): key = found
        case .unknown: return nil
        }
        if exchanges[exchange].method == .delete {
            return (key, .deletion, commonKey(key, sent: request.bytes(id), exchange))
        }
        if exchanges[exchange].wasRecovered { return (key, .recovered, .none) }
        guard exchanges[exchange].method == .post, exchanges[exchange].isWhole else { return (key, .call, .none) }
        let summary = RequestSummary(of: RequestID.body(of: request, io.requestHead).span)
        let isMessage = summary.map { !$0.hasID && $0.method != .batch } ?? false
        return (key, isMessage ? .message : .call, .none)
    }

    /// The exchange waits until its session has another server.
    private mutating func awaitRecovery(
        _ exchange: Handle, _ key: SessionKey, _ decision: RecoveryDecision, mayReturn: Bool
    ) {
        let server = Int(exchanges[exchange].server)
        let connection = exchanges[exchange].connection
        detach(exchange)
        closeUpstream(connection)
        act(on: exchange, .recoveryBegan)
        exchanges[exchange].awaitsRecovery = true
        exchanges[exchange].waitsUntil = clock.now + RecoveryState.longest
        exchanges.setDeadline(exchange, clock.now + Self.recoveryPoll, &clock)
        sessions.known.forget(key)
        switch decision {
        case .start:
            let upstream = Int(exchanges[exchange].upstream)
            sessions.recoveries.enqueue(
                Recoveries.Start(
                    key: key, exchange: exchange, upstream: upstream, lost: server < 0 ? nil : server,
                    mayReturn: mayReturn, queuedAt: clock.now),
                servers: servers.upstreams[upstream].members.count)
        case .wait: sessions.recoveries.join(exchange, key)
        case .follow: sessions.recoveries.waking.append(exchange)
        case .swallow, .giveUp: break
        }
    }

    /// How often an exchange looks whether another worker has recovered its session.
    private static var recoveryPoll: Interval { .milliseconds(20) }

    // MARK: - Going on

    /// The recovery that an exchange waits for may be over.
    mutating func resumeAfterRecovery(_ exchange: Handle) {
        guard restoreRequest(exchange) == .ready else { return }
        guard let key = keyOfRequest(exchange), let table = sessions.table else {
            leaveRecovery(exchange, .unknown)
            return
        }
        switch table.outcome(of: key) {
        case .underWay:
            guard clock.now < exchanges[exchange].waitsUntil else {
                leaveRecovery(exchange, .timedOut)
                return
            }
            act(on: exchange, .recoveryBegan)
            endLateSearches(key)
            let next = min(clock.now + Self.recoveryPoll, sessions.recoveries.searches.end(for: key))
            exchanges.setDeadline(exchange, next, &clock)
        case .failed(let reason):
            noteLoss(key, reason)
            leaveRecovery(exchange, reason)
        case .recovered(let location):
            exchanges[exchange].awaitsRecovery = false
            exchanges[exchange].waitsUntil = .never
            exchanges[exchange].deadline = .never
            exchanges[exchange].wasRecovered = true
            exchanges[exchange].connectionChoice = .any
            sessions.latest = (exchange, key)
            guard follow(exchange, location) == .recovered else {
                leaveRecovery(exchange, .noServer)
                return
            }
            advance(exchange, from: .select)
        }
    }

    private mutating func leaveRecovery(_ exchange: Handle, _ reason: RecoveryFailure) {
        exchanges[exchange].awaitsRecovery = false
        act(on: exchange, .rejected(fault(reason, exchange)))
    }
}
