import Balancing
import HTTP
import Kernel
import Logging
import MCP
import Reactor
import Telemetry

/// Sessions that are opened anew on another server: `initialize` is replayed there, its result compared, and the client's
/// id from then on stands for the new one.
extension Worker where Outside: ~Copyable {
    /// Does what of recoveries has become possible. Between events: it needs the scratch.
    mutating func continueRecoveries() {
        for (request, outcome) in clients.internalRequests.takeEnded() {
            switch request.purpose {
            case .recovery(let id): handleResponse(id, request, outcome)
            case .listening(let start): listeningEnded(request, since: start)
            case .deletion: break
            }
        }
        let found = sessions.recoveries.found
        sessions.recoveries.found = []
        for start in found { beginRecovery(start) }
        while let start = sessions.recoveries.takeStart() { beginRecovery(start) }
        let deletions = sessions.recoveries.deletions
        sessions.recoveries.deletions = []
        for deletion in deletions { send(deletion) }
        let waking = sessions.recoveries.waking
        sessions.recoveries.waking = []
        for exchange in waking where exchanges.contains(exchange) && exchanges[exchange].awaitsRecovery {
            exchanges[exchange].deadline = .never
            act(on: exchange, .timedOut)
            io.received.clear()
        }
    }

    // MARK: - Steps

    private mutating func beginRecovery(_ start: Recoveries.Start) {
        defer { io.received.clear() }
        guard exchanges.contains(start.exchange), case .ready = reloadRequest(start.exchange),
            let record = sessions.table?.record(of: start.key)
        else {
            sessions.recoveries.release(start.upstream, nil, at: clock.now)
            // Its client has gone. Whoever waits is told to come again; after this time that is another recovery's to say.
            if clock.now - start.queuedAt < RecoveryState.longest {
                sessions.table?.failRecovery(start.key, .timedOut)
            }
            return
        }
        if !record.isRecoverable {
            if searchRecord(start) == .notAsking { leaveUnknown(start) }
            return
        }
        let client = exchanges[start.exchange].client
        let upstream = Int(exchanges[start.exchange].upstream)
        let id = sessions.recoveries.nextID()
        var recovery = Recovery(
            id: id, key: start.key, upstream: servers.upstreams[upstream].plan.id, lost: start.lost,
            mayReturn: start.mayReturn, record: record,
            origin: ClientOrigin(
                address: clients[client].address, listener: clients.listener(of: client),
                isSecure: clients[client].isSecure, extras: exchanges.extras[start.exchange.slot],
                caller: exchanges.authentication.caller(of: start.exchange)),
            template: RequestTemplate(io.requestHead, in: io.received), startedAt: clock.now)
        recovery.waiting = [start.exchange]
        send(recovery)
    }

    /// Nobody knows how the session was opened.
    private mutating func leaveUnknown(_ start: Recoveries.Start) {
        sessions.recoveries.release(start.upstream, nil, at: clock.now)
        sessions.table?.failRecovery(start.key, .unknown)
        noteFailure(start.key, start.upstream, .unknown)
        sessions.recoveries.waking.append(start.exchange)
    }

    /// Sends the request of the recovery's present step.
    private mutating func send(_ recovery: Recovery) {
        sessions.recoveries[recovery.id] = recovery
        let upstream = Int(recovery.upstream.slot)
        let request = InternalRequest(.recovery(recovery.id), upstream: upstream, target: recovery.target)
        guard servers.upstreams.indices.contains(upstream), servers.upstreams[upstream].plan.id == recovery.upstream,
            start(request, recovery.request(), like: recovery.origin)
        else {
            fail(recovery, .noServer)
            return
        }
    }

    private mutating func handleResponse(_ id: UInt32, _ request: InternalRequest, _ outcome: InternalOutcome) {
        guard var recovery = sessions.recoveries[id] else { return }
        let response = InternalResponse(request.response, io.responseParser, into: &io.responseHead)
        let isSuccess = outcome == .answered && (response.map { $0.status >= 200 && $0.status < 300 } ?? false)
        switch recovery.step {
        case .initialize:
            openedSession(recovery, request, outcome == .answered ? response : nil)
            return
        case .initialized:
            guard isSuccess else {
                endNewSession(recovery)
                fail(recovery, response == nil ? .timedOut : .refused)
                return
            }
        case .logLevel, .subscription:
            if !isSuccess { recovery.isDegraded = true }
        }
        takeNextStep(recovery)
    }

    private mutating func takeNextStep(_ recovery: Recovery) {
        var recovery = recovery
        if recovery.advance() != nil { send(recovery) } else { commit(recovery) }
    }

    /// A server has answered `initialize`.
    private mutating func openedSession(_ recovery: Recovery, _ request: InternalRequest, _ response: InternalResponse?)
    {
        var recovery = recovery
        guard let response, response.status < 500 else {
            // Nobody else is there: the server that lost the session may have it again.
            if recovery.mayReturn, !recovery.hasAskedAll, response != nil {
                recovery.hasAskedAll = true
                send(recovery)
            } else {
                fail(recovery, response == nil ? .timedOut : .noServer)
            }
            return
        }
        guard response.status >= 200, response.status < 300 else {
            fail(recovery, .refused)
            return
        }
        recovery.server = request.answeredBy
        recovery.sessionID = response.sessionID ?? []
        guard let result = InitializeResult(of: response.body.span, isEventStream: response.isEventStream),
            let recorded = recovery.record.result
        else {
            endNewSession(recovery)
            fail(recovery, .refused)
            return
        }
        guard !recovery.sessionID.isEmpty, servers.slots.contains(recovery.server), result.canReplace(recorded),
            !ProtocolVersion.isModern(result.protocolVersion.span)
        else {
            endNewSession(recovery)
            fail(recovery, .differs)
            return
        }
        takeNextStep(recovery)
    }

    // MARK: - Ends

    private mutating func commit(_ recovery: Recovery) {
        sessions.recoveries[recovery.id] = nil
        sessions.recoveries.release(
            Int(recovery.upstream.slot), .done(from: recovery.startedAt.nanoseconds), at: clock.now)
        let server = servers[recovery.server].id
        sessions.affinity.move(recovery.key, to: server, at: clock.now, in: Int(recovery.upstream.slot))
        sessions.table?.finishRecovery(
            recovery.key, on: server, id: recovery.sessionID, now: clock.now, counter: sessions.affinity.countAnywhere)
        sessions.known.forget(recovery.key)
        metrics.writer.noteRecovery()
        metrics.increment(.recovered)
        if recovery.isDegraded { metrics.increment(.degraded) }
        sessions.recoveries.waking += recovery.waiting
        logRecovery(recovery)
    }

    private mutating func fail(_ recovery: Recovery, _ reason: RecoveryFailure) {
        sessions.recoveries[recovery.id] = nil
        sessions.recoveries.release(
            Int(recovery.upstream.slot), reason == .timedOut ? .timedOut(from: recovery.startedAt.nanoseconds) : nil,
            at: clock.now)
        sessions.table?.failRecovery(recovery.key, reason)
        noteFailure(recovery.key, Int(recovery.upstream.slot), reason)
        sessions.recoveries.waking += recovery.waiting
    }

    /// The server that was asked has opened a session that nobody will use.
    private mutating func endNewSession(_ recovery: Recovery) {
        guard !recovery.sessionID.isEmpty, recovery.server >= 0 else { return }
        sessions.recoveries.deletions.append(
            Recoveries.Deletion(
                upstream: Int(recovery.upstream.slot), server: recovery.server,
                text: recovery.template.deletion(
                    of: recovery.sessionID, version: recovery.record.result?.protocolVersion),
                origin: recovery.origin))
    }

    private mutating func send(_ deletion: Recoveries.Deletion) {
        let request = InternalRequest(.deletion, upstream: deletion.upstream, target: .server(deletion.server))
        if start(request, deletion.text, like: deletion.origin) { metrics.increment(.abandoned) }
    }

    /// A server has opened a session that cannot be kept here: it is ended. The client still has its request.
    mutating func endRefusedSession(_ exchange: Handle, _ id: [UInt8]) {
        guard let request = keptRequest(exchange) else { return }
        let client = exchanges[exchange].client
        sessions.recoveries.deletions.append(
            Recoveries.Deletion(
                upstream: Int(exchanges[exchange].upstream), server: Int(exchanges[exchange].server),
                text: RequestTemplate(io.requestHead, in: request).deletion(of: id, version: nil),
                origin: ClientOrigin(
                    address: clients[client].address, listener: clients.listener(of: client),
                    isSecure: clients[client].isSecure, extras: exchanges.extras[exchange.slot],
                    caller: exchanges.authentication.caller(of: exchange))))
    }

    // MARK: - What operators are told

    private func logRecovery(_ recovery: Recovery) {
        guard let log = control.log else { return }
        let upstream = servers.upstreams[Int(recovery.upstream.slot)].plan.name
        let from = recovery.lost.map { "server \(servers[$0].plan.name)" } ?? "a server that was removed"
        let took = (clock.now - recovery.startedAt).nanoseconds / 1_000_000
        let rest = recovery.isDegraded ? "; its log level or its subscriptions could not be set" : ""
        log.notice(
            "session \(recovery.key.digest) went on: opened anew on server \(servers[recovery.server].plan.name), lost by \(from), in \(took) ms\(rest)",
            metadata: ["upstream": "\(upstream)"])
    }

    /// A session stays lost.
    mutating func noteFailure(_ key: SessionKey, _ upstream: Int, _ reason: RecoveryFailure) {
        metrics.increment(reason.counter)
        guard let text = reason.text, let log = control.log,
            let omitted = control.lostSessions.admit(at: clock.now)
        else { return }
        let more = omitted == 0 ? "" : " (\(omitted) more of these were not logged)"
        log.warning(
            "session \(key.digest) is lost: \(text)\(more)",
            metadata: ["upstream": "\(servers.upstreams[upstream].plan.name)"])
    }
}

extension RecoveryFailure {
    /// What counts it.
    var counter: RecoveryCounter {
        switch self {
        case .off: .off
        case .unknown: .unknown
        case .dirty: .dirty
        case .budget: .budget
        case .crowded: .crowded
        case .noServer: .noServer
        case .refused: .refused
        case .differs: .differs
        case .timedOut: .timedOut
        }
    }

    /// What the log says; nil: nothing, for that is how it was configured.
    var text: String? {
        switch self {
        case .off: nil
        case .unknown: "it is not known how it was opened"
        case .dirty: "it may hold state, and session.on_lost is \"clean\""
        case .budget: "it loses its servers faster than every ten seconds"
        case .crowded: "too many of its requests wait for its recovery"
        case .noServer: "no other server could be asked"
        case .refused: "another server did not open a session"
        case .differs: "another server is not the same: its revision differs, or it lacks a capability"
        case .timedOut: "its recovery took too long"
        }
    }
}
