import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// Session ids on their way to the client.
extension Worker where Outside: ~Copyable {
    /// What becomes of the server's Mcp-Session-Id.
    enum SessionHeaderAction {
        case pass, drop
        /// Sealed anew, from this value.
        case sign(ByteRange)
        /// The sealed id that the client sent is still right, and stands in its input.
        case echo
    }

    /// Decides what happens to the id in the response head that is parsed now, and takes note of sessions that begin or
    /// end. An id is believed only in a 2xx answer to a request that had none: real servers put a fresh one into
    /// refusals as well, and discard it.
    mutating func decideSessionHeader(_ e: Handle) -> SessionHeaderAction {
        let upstream = Int(exchanges[e].upstreamIndex)
        let affinity = sessions.affinity(upstream)
        if affinity == .off { return .pass }
        let isSuccess = io.responseHead.status >= 200 && io.responseHead.status < 300
        if exchanges[e].kind == .session {
            noteEnd(e, isSuccess: isSuccess)
            guard let value = io.responseHead.sessionID else { return .drop }
            return affinity == .learned ? .pass : signedHeaderAction(e, value)
        }
        guard let value = io.responseHead.sessionID, isSuccess, opensSessions(exchanges[e].kind) else { return .drop }
        metrics.count(.sessionsOpened, server: Int(exchanges[e].server))
        guard affinity == .learned else { return .sign(value) }
        let isLearned = sessions.learn(
            io.received.bytes(value.range), server: Int(exchanges[e].server), issuedAt: io.world.wallSeconds(),
            in: upstream, now: clock.now)
        return isLearned ? .pass : .drop
    }

    private func opensSessions(_ kind: RequestKind) -> Bool {
        switch kind {
        case .sessionless, .streamOpening, .resumption, .other: true
        case .modern, .legacyMessage, .session, .preflight: false
        }
    }

    private func signedHeaderAction(_ e: Handle, _ value: ByteRange) -> SessionHeaderAction {
        let c = exchanges[e].client
        let sent = exchanges[e].sessionID.range
        guard hasSentID(e) else { return .sign(value) }
        let isSame =
            exchanges[e].replayBytes > 0
            ? SessionAffinity.matches(clients[c].input, sent, of: io.received, value.range)
            : SessionAffinity.matches(exchanges[e].pending, sent, of: io.received, value.range)
        return isSame ? .echo : .sign(value)
    }

    /// Whether the id that the client sent is still here: in its input, or, of a request that streams, in `pending`.
    private func hasSentID(_ e: Handle) -> Bool {
        let end = exchanges[e].sessionID.upperBound
        guard end > 0 else { return false }
        return end
            <= (exchanges[e].replayBytes > 0 ? clients[exchanges[e].client].input.count : exchanges[e].pending.count)
    }

    /// The request's head is about to go: keeps the id that stands in it.
    mutating func keepSessionID(_ e: Handle) {
        let c = exchanges[e].client
        let sent = exchanges[e].sessionID
        guard exchanges[e].replayBytes > 0, sent.upperBound <= clients[c].input.count else { return }
        exchanges[e].pending.reserve(exactly: Int(sent.count))
        exchanges[e].pending.append(clients[c].input, sent.range)
        exchanges[e].sessionID = ByteRange(start: 0, count: Int(sent.count))
    }

    /// A DELETE that worked, or an answer that says "no such session", ends one.
    private mutating func noteEnd(_ e: Handle, isSuccess: Bool) {
        guard io.responseHead.status == 404 || (exchanges[e].method == .delete && isSuccess) else { return }
        metrics.count(.sessionsEnded, server: Int(exchanges[e].server))
        guard sessions.affinity(Int(exchanges[e].upstreamIndex)) == .learned, hasSentID(e) else { return }
        let sent = exchanges[e].sessionID.range
        sessions.forget(
            exchanges[e].replayBytes > 0
                ? clients[exchanges[e].client].input.bytes(sent) : exchanges[e].pending.bytes(sent))
    }

    /// Appends the session field that the treatment asks for. The client's request must still be held.
    mutating func composeSessionField(_ e: Handle, _ action: SessionHeaderAction) {
        switch action {
        case .pass, .drop:
            return
        case .echo:
            io.composed.append("mcp-session-id: ")
            if exchanges[e].replayBytes > 0 {
                io.composed.append(clients[exchanges[e].client].input, exchanges[e].sessionID)
            } else {
                io.composed.append(exchanges[e].pending, exchanges[e].sessionID)
            }
            io.composed.append("\r\n")
        case .sign(let value):
            let start = io.composed.count
            io.composed.append("mcp-session-id: ")
            let isSigned = sessions.sign(
                io.received, value.range, for: Int(exchanges[e].server), issuedAt: io.world.wallSeconds(),
                affinityKey: exchanges[e].affinityKey, to: &io.composed)
            if isSigned { io.composed.append("\r\n") } else { io.composed.truncate(to: start) }
        }
    }
}
