import HTTP
import Kernel
import MCP
import Reactor
import Redis

/// What a store has answered.
enum StoreAnswer: Equatable {
    case value([UInt8])
    case number(Int64)
    case missing
    case done
    case refused
    /// The connection was lost, or could not be made.
    case failed

    var result: StoreResult {
        switch self {
        case .value, .number, .done: .done
        case .missing: .missing
        case .refused: .refused
        case .failed: .failed
        }
    }
}

/// Learned sessions that several Berths share. Whatever the store does, no request waits for it longer than `store_wait`, and none
/// fails for it: without the store, a session is known where it began.
extension Worker where Outside: ~Copyable {
    // MARK: - Sessions of other Berths

    /// A request names a session that is not known here: asks the store. Nil if there is none, or if it was asked already.
    @inline(never)
    mutating func askStore(_ exchange: Handle) -> PhaseResult? {
        let upstream = Int(exchanges[exchange].upstream)
        guard let sharing = servers.upstreams[upstream].plan.sharing,
            !clients.isInternal(exchanges[exchange].client)
        else { return nil }
        if case .answered = sessions.shared.take(exchange) { return nil }
        guard let id = sharedID(exchange) else { return nil }
        let key = sharing.key(of: id.span)
        guard
            upstreams.stores.submit(.get(key: key), to: sharing.store, .lookUp, for: exchange, at: clock.now)
                == .submitted
        else { return nil }
        sessions.shared.begin(.waiting(id: id), exchange)
        act(on: exchange, .answerAwaited)
        exchanges.setDeadline(exchange, clock.now + sharing.wait, &clock)
        return .wait
    }

    /// The id in the request at the front of `io.received`.
    func sharedID(_ exchange: Handle) -> [UInt8]? {
        switch exchanges[exchange].kind {
        case .session:
            guard let value = io.requestHead.sessionID else { return nil }
            return qualified(io.received.bytes(value.range), exchange)
        case .legacyMessage:
            let target = io.requestHead.target.range
            guard let value = LegacyTarget.sessionParameter(in: io.received.span.extracting(target)) else { return nil }
            let id = target.lowerBound + value.lowerBound..<target.lowerBound + value.upperBound
            return qualified(io.received.bytes(id), exchange)
        case .modern, .streamOpening, .resumption, .sessionless, .preflight, .other: return nil
        }
    }

    /// What all Berths have for the exchange's session, which this one knows by `key`; nil if its id is none. The request is at the
    /// front of `io.received`.
    func commonKey(_ exchange: Handle, _ key: SessionKey) -> SessionKey? {
        let upstream = Int(exchanges[exchange].upstream)
        switch servers.upstreams[upstream].plan.affinity {
        case .signed: return SessionAffinity.commonKey(ofSigned: key, in: upstream)
        case .learned: return sharedID(exchange).map { SessionSharing.commonKey(ofLearned: $0.span) }
        case .off: return nil
        }
    }

    /// Whether an exchange goes on that had waited for a store.
    enum StoreResumption { case resumed, notWaiting }

    /// The store has answered, or its time is over: the session is looked for again.
    mutating func resumeAfterStore(_ exchange: Handle) -> StoreResumption {
        switch sessions.shared[exchange] {
        case .waiting:
            noteLate(exchange, .lookUp)
            sessions.shared.begin(.answered, exchange)
        case .answered: break
        case .holding, .released, nil: return .notWaiting
        }
        exchanges[exchange].deadline = .never
        advance(exchange, from: .resolve, reloading: true)
        if case .answered = sessions.shared[exchange] { _ = sessions.shared.take(exchange) }
        return .resumed
    }

    /// Exchanges whose stores have answered go on.
    mutating func wakeStoreWaiters() {
        let waking = sessions.shared.waking
        sessions.shared.waking = []
        for exchange in waking where exchanges.contains(exchange) {
            switch sessions.shared[exchange] {
            case .answered: act(on: exchange, .timedOut)
            case .released: releaseResponse(exchange)
            case .waiting, .holding, nil: break
            }
            io.received.clear()
        }
    }

    // MARK: - Sessions that begin here

    /// Whether a response is kept until its session is known elsewhere.
    enum ResponseHold { case held, notHeld }

    /// A response head is parsed. If it opens a session, the store is told before the client is: its next request may come to another
    /// Berth at once.
    @inline(never)
    mutating func holdOpening(_ exchange: Handle, _ connection: Handle) -> ResponseHold {
        let upstream = Int(exchanges[exchange].upstream)
        guard let sharing = servers.upstreams[upstream].plan.sharing, let value = io.responseHead.sessionID,
            io.responseHead.status >= 200, io.responseHead.status < 300, exchanges[exchange].mayOpenSession,
            !clients.isInternal(exchanges[exchange].client)
        else { return .notHeld }
        if case .released = sessions.shared[exchange] { return .notHeld }
        let id = qualified(io.received.bytes(value.range), exchange)
        guard submit(owner: Int(exchanges[exchange].server), of: id, sharing, .share, exchange) == .submitted else {
            return .notHeld
        }
        sessions.shared.begin(.holding(connection), exchange)
        upstreams[connection].phase = .held
        exchanges.setDeadline(exchange, clock.now + sharing.wait, &clock)
        return .held
    }

    private mutating func submit(
        owner server: Int, of id: [UInt8], _ sharing: SessionSharing, _ use: StoreUse, _ exchange: Handle = .none,
        session: SessionKey = .none
    ) -> StoreSubmission {
        let idle = servers.upstreams[servers.upstream(of: server)].plan.sessionIdle
        let command = RedisCommand.set(
            key: sharing.key(of: id.span), value: SharedOwner.text(tag: servers[server].plan.tag),
            milliseconds: max(1_000, idle.nanoseconds / 1_000_000))
        return upstreams.stores.submit(command, to: sharing.store, use, for: exchange, session: session, at: clock.now)
    }

    /// The deadline of an exchange has come: if its response is being kept, it goes to the client now.
    mutating func releaseLate(_ exchange: Handle) -> StoreResumption {
        switch sessions.shared[exchange] {
        case .holding(let connection):
            noteLate(exchange, .share)
            sessions.shared.begin(.released(connection, isShared: false), exchange)
        // The store was given up in this very turn, for another that waited.
        case .released: break
        case .waiting, .answered, nil: return .notWaiting
        }
        releaseResponse(exchange)
        io.received.clear()
        return .resumed
    }

    /// The response that was kept goes on to the client.
    private mutating func releaseResponse(_ exchange: Handle) {
        guard case .released(let connection, _) = sessions.shared[exchange], upstreams.contains(connection),
            upstreams[connection].phase == .held, exchanges[exchange].connection == connection
        else {
            _ = sessions.shared.take(exchange)
            return
        }
        upstreams[connection].phase = .serving
        exchanges[exchange].deadline = .never
        io.received.clear()
        io.restoreInput(&upstreams[connection].transport)
        relay(exchange, from: connection)
        io.received.clear()
        _ = sessions.shared.take(exchange)
        guard upstreams.contains(connection), upstreams[connection].phase == .serving,
            upstreams[connection].transport.mayRead || upstreams[connection].transport.hasEnded
        else { return }
        upstreams[connection].transport.mayRead = true
        upstreams.resumeLater(connection)
    }

    /// A reply that somebody waits for has not come in time.
    private mutating func noteLate(_ exchange: Handle, _ use: StoreUse) {
        let upstream = Int(exchanges[exchange].upstream)
        guard let sharing = servers.upstreams[upstream].plan.sharing else { return }
        noteLate(sharing.store, use)
    }

    /// The session is learned. If the store knows of it already, it is not told again at once.
    mutating func noteOpening(_ exchange: Handle, _ key: SessionKey) {
        if case .released(_, isShared: true) = sessions.shared[exchange] { noteShared(key) }
    }

    private func noteShared(_ key: SessionKey) {
        _ = snapshot.learned?.claimSharing(key, at: clock.now, every: Interval(nanoseconds: 0))
    }

    /// The same for a session of HTTP+SSE, whose first event is not held back.
    mutating func shareLegacy(_ id: [UInt8], _ exchange: Handle) {
        let upstream = Int(exchanges[exchange].upstream)
        guard let sharing = servers.upstreams[upstream].plan.sharing else { return }
        _ = submit(owner: Int(exchanges[exchange].server), of: id, sharing, .share)
    }

    // MARK: - Sessions that go on, and end

    /// A request of a learned session goes to its server. Once in a while the store is told, so that the session does not expire
    /// there, and comes back if the store has lost it.
    @inline(never)
    mutating func refreshShared(_ exchange: Handle, _ key: SessionKey) {
        let upstream = Int(exchanges[exchange].upstream)
        guard let sharing = servers.upstreams[upstream].plan.sharing, let learned = snapshot.learned else { return }
        let idle = servers.upstreams[upstream].plan.sessionIdle
        let pause = Interval(nanoseconds: min(60_000_000_000, idle.nanoseconds / 4))
        guard learned.claimSharing(key, at: clock.now, every: pause) == .due, let id = sharedID(exchange) else {
            return
        }
        let server = Int(exchanges[exchange].server)
        if submit(owner: server, of: id, sharing, .refresh, session: key) == .declined { learned.forgetSharing(key) }
    }

    /// A client has ended its session.
    mutating func forgetShared(_ id: [UInt8], in upstream: Int) {
        guard let sharing = servers.upstreams[upstream].plan.sharing else { return }
        _ = upstreams.stores.submit(
            .delete(key: sharing.key(of: id.span)), to: sharing.store, .forget, at: clock.now)
    }

    // MARK: - Answers

    /// A store has answered, or will not.
    mutating func answer(_ purpose: StorePurpose, _ answer: StoreAnswer, _ client: Int) {
        upstreams.stores.clients[client].store.counts.count(purpose.use, answer.result)
        deliver(answer, for: purpose, client)
    }

    /// A reply that somebody waits for has not come in time. If the store has been silent for all that time, nobody else goes on
    /// waiting for it: one request in a worker waits as long as may be, not all that come meanwhile.
    mutating func noteLate(_ store: SharedStore, _ use: StoreUse) {
        let client = upstreams.stores.index(of: store)
        guard case .silent = upstreams.stores.clients[client].noteLate(use, at: clock.now) else { return }
        for purpose in upstreams.stores.clients[client].state.purposes where purpose.use.isAwaited {
            deliver(.failed, for: purpose, client)
        }
    }

    /// Whoever waits for this goes on with it. Of those that have gone on already nobody hears.
    private mutating func deliver(_ answer: StoreAnswer, for purpose: StorePurpose, _ client: Int) {
        let exchange = purpose.exchange
        switch purpose.use {
        case .findAnswer:
            takeStoredAnswer(exchange, answer)
            return
        case .outdateAnswers:
            if let outdated = purpose.outdating, answer.result == .done { outdated.sharing.confirm(outdated) }
            return
        case .keepAnswer: return
        case .findRecord:
            takeRecord(purpose.search, answer)
            return
        case .keepRecord:
            if answer.result != .done { sessions.table?.forgetSharing(purpose.session) }
            return
        case .countRate:
            takeRate(purpose, answer, client)
            return
        case .lookUp, .share, .refresh, .forget, .probe: break
        }
        if case .refresh = purpose.use, answer.result != .done { snapshot.learned?.forgetSharing(purpose.session) }
        guard exchanges.contains(exchange) else {
            if exchange != .none { _ = sessions.shared.take(exchange) }
            return
        }
        switch (purpose.use, sessions.shared[exchange]) {
        case (.lookUp, .waiting(let id)):
            if case .value(let value) = answer, let tag = SharedOwner.tag(in: value) {
                let upstream = Int(exchanges[exchange].upstream)
                let isCounted = if case .session = exchanges[exchange].kind { true } else { false }
                // A server that is not configured here any more has lost the session, which can be recovered perhaps.
                let keepsLost = servers.upstreams[upstream].plan.records != nil
                sessions.affinity.learn(
                    id, ownedBy: tag, at: clock.now, in: upstream, isCounted: isCounted, keepsLost: keepsLost)
                noteShared(sessions.affinity.key(ofLearned: id, in: upstream))
            }
            sessions.shared.begin(.answered, exchange)
            sessions.shared.waking.append(exchange)
        case (.share, .holding(let connection)):
            let isShared = if case .done = answer { true } else { false }
            sessions.shared.begin(.released(connection, isShared: isShared), exchange)
            sessions.shared.waking.append(exchange)
        default: break
        }
    }
}
