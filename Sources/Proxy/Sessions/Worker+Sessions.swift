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
        let owner: SessionOwner
        switch exchanges[exchange].kind {
        case .session:
            let id = (io.requestHead.sessionID ?? .empty).range
            owner = sessions.owner(ofSession: io.received, id, in: upstream, now: clock.now)
        case .legacyMessage:
            let target = io.requestHead.target.range
            owner = sessions.owner(ofLegacy: io.received, target, in: upstream, now: clock.now)
        case .modern, .streamOpening, .resumption, .sessionless, .preflight, .other:
            return .next
        }
        guard case .server(let server) = owner else { return .respond(sessionNotFound(exchange)) }
        exchanges[exchange].server = Int32(truncatingIfNeeded: server)
        exchanges[exchange].isPinned = true
        return .next
    }

    /// Decides what happens to the id in the response head that is parsed now, and takes note of sessions that begin or
    /// end. An id is believed only in a 2xx response to a request that had none: real servers put a fresh one into
    /// refusals as well, and discard it.
    mutating func decideSessionHeader(_ exchange: Handle) -> SessionHeaderAction {
        let upstream = Int(exchanges[exchange].upstream)
        let affinity = servers.upstreams[upstream].plan.affinity
        if affinity == .off { return .pass }
        let isSuccess = io.responseHead.status >= 200 && io.responseHead.status < 300
        if case .session = exchanges[exchange].kind {
            noteEnd(exchange, isSuccess: isSuccess)
            guard let value = io.responseHead.sessionID else { return .drop }
            return affinity == .learned ? .pass : signedHeaderAction(exchange, value)
        }
        guard let value = io.responseHead.sessionID, isSuccess, opensSessions(exchanges[exchange].kind) else {
            return .drop
        }
        let server = Int(exchanges[exchange].server)
        guard affinity == .learned else {
            metrics.count(.sessionsOpened, server: server)
            metrics.add(.sessions, server: server, 1)
            return .sign(value)
        }
        let result = sessions.learn(
            io.received.bytes(value.range), server: servers[server].id, at: clock.now, in: upstream)
        guard result == .learned else { return .refuse }
        metrics.count(.sessionsOpened, server: server)
        return .pass
    }

    private func opensSessions(_ kind: RequestKind) -> Bool {
        switch kind {
        case .sessionless, .streamOpening, .resumption, .other: true
        case .modern, .legacyMessage, .session, .preflight: false
        }
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
        guard servers.upstreams[Int(exchanges[exchange].upstream)].plan.affinity == .learned else {
            metrics.sessionEnded(server: Int(exchanges[exchange].server))
            return
        }
        guard hasSentID(exchange) else { return }
        let sent = exchanges[exchange].sessionID.range
        let id =
            exchanges[exchange].replayBytes > 0
            ? clients[exchanges[exchange].client].transport.input.bytes(sent)
            : exchanges[exchange].pending.bytes(sent)
        let upstream = Int(exchanges[exchange].upstream)
        if isSuccess { sessions.forget(id, in: upstream) } else { sessions.doubt(id, at: clock.now, in: upstream) }
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
            let result = sessions.sign(
                io.received, value.range, for: servers[Int(exchanges[exchange].server)].plan.tag,
                issuedAt: io.world.wallSeconds(), affinityKey: exchanges[exchange].affinityKey, to: &io.composed)
            if case .signed = result { io.composed.append("\r\n") } else { io.composed.truncate(to: start) }
        }
    }
}
