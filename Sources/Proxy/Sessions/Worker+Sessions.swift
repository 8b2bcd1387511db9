import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// What becomes of the server's Mcp-Session-Id.
enum SessionHeaderAction: Equatable {
    case pass, drop
    /// There is no space to remember the session: it must not begin.
    case refuse
    /// Signed anew, from this value.
    case sign(ByteRange)
    /// The signed id that the client sent is still right, and stands in its input.
    case echo
}

/// Whose a session is, and session ids on their way to the client: the phase `resolve`, and the session field of `relay`.
extension Worker where Outside: ~Copyable {
    /// Ties the exchange to its session's server, if it has a session. One that is tied already was sent there before.
    mutating func resolveSession(_ exchange: Handle) -> PhaseResult {
        let upstream = Int(exchanges[exchange].upstream)
        guard !exchanges[exchange].isPinned, servers.upstreams[upstream].plan.affinity != .off else { return .next }
        let isSession: Bool
        let owner: SessionOwner
        let subject = exchanges.authentication.subject(of: exchange)
        switch exchanges[exchange].kind {
        case .session:
            let id = (io.requestHead.sessionID ?? .empty).range
            owner = sessions.affinity.owner(
                ofSession: io.received, id, in: upstream, now: clock.now, of: subject)
            isSession = true
        case .legacyMessage:
            let target = io.requestHead.target.range
            owner = sessions.affinity.owner(
                ofLegacy: io.received, target, in: upstream, now: clock.now, of: subject)
            isSession = false
        case .modern, .streamOpening, .resumption, .sessionless, .preflight, .other:
            return .next
        }
        switch owner {
        case .server(let server, let key):
            exchanges[exchange].server = Int32(truncatingIfNeeded: server)
            exchanges[exchange].isPinned = true
            noteCallSession(exchange, key)
            if !exchanges.limits.isEmpty, let result = limitSession(exchange, key) { return result }
            if sessions.shared.isUsed { refreshShared(exchange, key) }
            return isSession && sessions.isRecording ? resumeSession(exchange, key) : .next
        case .removed(let key):
            if !exchanges.limits.isEmpty, let result = limitSession(exchange, key) { return result }
            guard isSession, sessions.isRecording else { return .respond(sessionNotFound(exchange)) }
            return resumeSession(exchange, key)
        case .unknown: return askStore(exchange) ?? .respond(sessionNotFound(exchange))
        }
    }

    /// Finds out whether the session is where its id says. An exchange without a server has one that was removed.
    private mutating func resumeSession(_ exchange: Handle, _ key: SessionKey) -> PhaseResult {
        sessions.latest = (exchange, key)
        let epoch = metrics.writer.recoveryEpoch
        if epoch != 0 {
            switch locate(exchange, key, epoch: epoch) {
            case .original: break
            case .recovered:
                return answersLostServer(exchange, key) ? .respond(.messageForLostServer) : .next
            case .lost: return sessionLost(exchange)
            case .forgotten: return .respond(sessionNotFound(exchange))
            }
        }
        return exchanges[exchange].server < 0 ? sessionLost(exchange) : .next
    }

    /// Decides what happens to the id in the response head that is parsed now, and takes note of sessions that begin or
    /// end. An id is believed only in a 2xx response to a request that had none: real servers put a fresh one into
    /// refusals as well, and discard it.
    mutating func decideSessionHeader(_ exchange: Handle) -> SessionHeaderAction {
        let upstream = Int(exchanges[exchange].upstream)
        let affinity = servers.upstreams[upstream].plan.affinity
        if affinity == .off { return .pass }
        if clients.isInternal(exchanges[exchange].client) {
            clients.internalRequests.noteServer(Int(exchanges[exchange].server), for: exchanges[exchange].client)
            return .pass
        }
        let isSuccess = io.responseHead.status >= 200 && io.responseHead.status < 300
        if case .session = exchanges[exchange].kind {
            noteEnd(exchange, isSuccess: isSuccess)
            guard let value = io.responseHead.sessionID else { return .drop }
            if exchanges[exchange].isMapped { return hasSentID(exchange) ? .echo : .drop }
            return affinity == .learned ? .pass : signedHeaderAction(exchange, value)
        }
        guard let value = io.responseHead.sessionID, isSuccess, exchanges[exchange].mayOpenSession else {
            return .drop
        }
        let server = Int(exchanges[exchange].server)
        guard affinity == .learned else {
            metrics.count(.sessionsOpened, server: server)
            return .sign(value)
        }
        let id = qualified(io.received.bytes(value.range), exchange)
        let result = sessions.affinity.learn(id, server: servers[server].id, at: clock.now, in: upstream)
        guard result == .learned else { return .refuse }
        metrics.count(.sessionsOpened, server: server)
        let key = sessions.affinity.key(ofLearned: id, in: upstream)
        if sessions.shared.isUsed { noteOpening(exchange, key) }
        noteCallSession(exchange, key)
        recordOpening(exchange, key)
        return .pass
    }

    private func signedHeaderAction(_ exchange: Handle, _ value: ByteRange) -> SessionHeaderAction {
        let client = exchanges[exchange].client
        let sent = exchanges[exchange].sessionID.range
        guard hasSentID(exchange) else { return .sign(value) }
        let isSame =
            exchanges[exchange].replayBytes > 0
            ? SessionAffinity.matches(clients[client].transport.input, sent, of: io.received, value.range)
            : SessionAffinity.matches(exchanges[exchange].pending, sent, of: io.received, value.range)
        return isSame ? .echo : .sign(value)
    }

    /// Whether the id that the client sent is still here: in its input, or, of a request that streams, in `pending`.
    private func hasSentID(_ exchange: Handle) -> Bool {
        let end = exchanges[exchange].sessionID.upperBound
        guard end > 0 else { return false }
        guard exchanges[exchange].replayBytes > 0 else { return end <= exchanges[exchange].pending.count }
        return end <= clients[exchanges[exchange].client].transport.input.count
    }

    /// The request's head is about to go: keeps the id that stands in it.
    mutating func keepSessionID(_ exchange: Handle) {
        let client = exchanges[exchange].client
        let sent = exchanges[exchange].sessionID
        guard exchanges[exchange].replayBytes > 0, sent.upperBound <= clients[client].transport.input.count else {
            return
        }
        exchanges[exchange].pending.reserve(exactly: Int(sent.count))
        exchanges[exchange].pending.append(clients[client].transport.input, sent.range)
        exchanges[exchange].sessionID = ByteRange(start: 0, count: Int(sent.count))
    }

    /// A DELETE that worked ends a session, and so may a response that says "not found".
    private mutating func noteEnd(_ exchange: Handle, isSuccess: Bool) {
        guard io.responseHead.status == 404 || (exchanges[exchange].method == .delete && isSuccess) else { return }
        metrics.count(.sessionsEnded, server: Int(exchanges[exchange].server))
        endRecord(exchange, isSuccess: isSuccess)
        guard servers.upstreams[Int(exchanges[exchange].upstream)].plan.affinity == .learned, hasSentID(exchange) else {
            return
        }
        let id = qualified(sentID(exchange), exchange)
        let upstream = Int(exchanges[exchange].upstream)
        if isSuccess {
            sessions.affinity.forget(id, in: upstream)
            if sessions.shared.isUsed { forgetShared(id, in: upstream) }
        } else {
            sessions.affinity.doubt(id, at: clock.now, in: upstream)
        }
    }

    /// The id that the client has sent, if `hasSentID`.
    private func sentID(_ exchange: Handle) -> [UInt8] {
        let sent = exchanges[exchange].sessionID.range
        return exchanges[exchange].replayBytes > 0
            ? clients[exchanges[exchange].client].transport.input.bytes(sent)
            : exchanges[exchange].pending.bytes(sent)
    }

    /// The same for what is known of the session beside its server.
    private mutating func endRecord(_ exchange: Handle, isSuccess: Bool) {
        guard let table = sessions.table else {
            if servers.upstreams[Int(exchanges[exchange].upstream)].plan.affinity == .signed {
                metrics.sessionEnded(server: Int(exchanges[exchange].server))
            }
            return
        }
        guard let key = keyOfSentID(exchange) else { return }
        sessions.known.forget(key)
        let counter = sessions.affinity.countAnywhere
        guard !isSuccess else {
            countEnd(table.end(key, now: clock.now, counter: counter))
            let common = commonKey(key, sent: sentID(exchange), exchange)
            if common != .none { forgetRecord(common, in: Int(exchanges[exchange].upstream)) }
            return
        }
        let idle = servers.upstreams[Int(exchanges[exchange].upstream)].plan.sessionIdle
        table.doubt(key, now: clock.now, idle: idle, forgetAfter: .seconds(300), counter: counter)
    }

    /// The key of the session that the client's request names, as long as its id is still here.
    func keyOfSentID(_ exchange: Handle) -> SessionKey? {
        guard hasSentID(exchange) else { return nil }
        let sent = exchanges[exchange].sessionID.range
        let upstream = Int(exchanges[exchange].upstream)
        let subject = exchanges.authentication.subject(of: exchange)
        let owner =
            exchanges[exchange].replayBytes > 0
            ? sessions.affinity.owner(
                ofSession: clients[exchanges[exchange].client].transport.input, sent, in: upstream, now: clock.now,
                of: subject)
            : sessions.affinity.owner(
                ofSession: exchanges[exchange].pending, sent, in: upstream, now: clock.now, of: subject)
        return switch owner {
        case .server(_, let key), .removed(let key): key
        case .unknown: nil
        }
    }

    /// A learned id as it is remembered: with its caller, if that is known, so that nobody else finds it.
    func qualified(_ id: [UInt8], _ exchange: Handle) -> [UInt8] {
        exchanges.authentication.subject(of: exchange)?.qualified(id.span) ?? id
    }

    /// Appends the session field that `action` asks for. The client's request must still be kept.
    mutating func appendSessionField(_ exchange: Handle, _ action: SessionHeaderAction) {
        switch action {
        case .pass, .drop, .refuse:
            return
        case .echo:
            io.composed.append("mcp-session-id: ")
            if exchanges[exchange].replayBytes > 0 {
                io.composed.append(
                    clients[exchanges[exchange].client].transport.input, exchanges[exchange].sessionID)
            } else {
                io.composed.append(exchanges[exchange].pending, exchanges[exchange].sessionID)
            }
            io.composed.append("\r\n")
        case .sign(let value):
            let start = io.composed.count
            io.composed.append("mcp-session-id: ")
            let result = sessions.affinity.sign(
                io.received, value.range, for: servers[Int(exchanges[exchange].server)].plan.tag,
                issuedAt: io.world.wallSeconds(), affinityKey: exchanges[exchange].affinityKey,
                in: Int(exchanges[exchange].upstream), of: exchanges.authentication.subject(of: exchange),
                to: &io.composed)
            guard case .signed(let key) = result else {
                io.composed.truncate(to: start)
                return
            }
            io.composed.append("\r\n")
            if case .session = exchanges[exchange].kind { return }
            noteCallSession(exchange, key)
            recordOpening(exchange, key)
        }
    }
}
