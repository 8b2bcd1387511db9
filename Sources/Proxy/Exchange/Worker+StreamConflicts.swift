import Balancing
import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// A session whose client opens its GET stream again before the end of the old one was noticed: its network is gone, and
/// nobody said so. Most servers allow one stream a session and answer the second with 409, or 400; many clients give up then.
/// So the request is sent again for a second, in which the end of the old stream is noticed if there is one; and the old
/// stream's client is tried with a comment. If its machine does not acknowledge that, the stream is ended. If it does, and
/// the second is over, the client wants two streams, and is told what the server says.
///
/// It is the server who says that there is one too many: servers that allow several streams never do, and keep them.
extension Worker where Outside: ~Copyable {
    /// What becomes of a response that says that the session has a stream.
    enum StreamConflict { case passOn, postponed }

    /// A response head with 409 or 400 has come: whether an old stream is in its way.
    mutating func resolveStreamConflict(_ exchange: Handle, _ connection: Handle) -> StreamConflict {
        guard case .session = exchanges[exchange].kind, case .get = exchanges[exchange].method,
            exchanges[exchange].isPinned, exchanges[exchange].replayBytes > 0, let key = sessionKey(exchange)
        else { return .passOn }
        let since = exchanges.streams.conflicts[exchange.slot] ?? clock.now
        let elapsed = clock.now - since
        guard elapsed < Self.conflictTime, mayEnd(key, for: exchange) else { return .passOn }
        exchanges.streams.conflicts[exchange.slot] = since
        io.received.clear()
        io.composed.clear()
        detach(exchange)
        closeUpstream(connection)
        act(on: exchange, .streamConflict)
        // Each pause is as long as all before it.
        let pause = min(max(elapsed, .milliseconds(20)), .milliseconds(250))
        exchanges.setDeadline(exchange, clock.now + pause, &clock)
        return .postponed
    }

    /// How long a server may take to notice that a stream has ended, before its client is told that there is one.
    private static var conflictTime: Interval { .seconds(1) }

    /// How long the machine of an old stream's client may take to acknowledge a comment.
    private static var probeTime: Interval { .milliseconds(300) }

    /// Whether the stream that a request conflicts with has ended or may end soon.
    private mutating func mayEnd(_ key: UInt64, for exchange: Handle) -> Bool {
        if let old = exchanges.stream(key, except: exchange) {
            // On one connection nothing is noticed late.
            guard !sharesConnection(old, exchange) else { return false }
            probe(old)
            return true
        }
        // Without a stream that is known, 400 can mean anything.
        guard io.responseHead.status == 409 || exchanges.streams.conflicts[exchange.slot] != nil else { return false }
        for peer in inbox.peers { peer.post(.streamSuperseded(session: key)) }
        return true
    }

    /// Another worker has the request of a client that opens this session's stream again.
    mutating func probeSupersededStream(_ session: UInt64) {
        if let old = exchanges.stream(session, except: .none) { probe(old) }
    }

    /// Finds out whether the client of a stream is still there: the first time it sends a comment, and later it looks whether
    /// that was acknowledged. If not, it ends the stream.
    private mutating func probe(_ stream: Handle) {
        let client = exchanges[stream].client
        guard clients.contains(client) else { return }
        let socket = clients.socket(of: client)
        guard clients.contains(socket) else { return }
        let isUnanswered =
            !clients[socket].transport.output.isEmpty
            || io.world.hasUnacknowledged(clients[socket].transport.descriptor)
        guard let probedAt = exchanges.streams.probes[stream.slot] else {
            if isUnanswered || sendComment(stream) == .sent { exchanges.streams.probes[stream.slot] = clock.now }
            return
        }
        if !isUnanswered {
            exchanges.streams.probes[stream.slot] = nil
        } else if clock.now - probedAt >= Self.probeTime {
            io.composed.clear()
            act(on: stream, .streamStopped)
        }
    }

    private func sharesConnection(_ one: Handle, _ other: Handle) -> Bool {
        let (first, second) = (exchanges[one].client, exchanges[other].client)
        guard clients.contains(first), clients.contains(second), clients.isStream(first), clients.isStream(second),
            let connection = clients.http2Connection(of: first)
        else { return false }
        return clients.http2Connection(of: second) == connection
    }

    /// The GET stream of a session opens: it can be found until it ends. Its request must still be kept.
    mutating func noteSessionStream(_ exchange: Handle) {
        guard exchanges[exchange].isSessionStream, exchanges[exchange].isPinned, let key = sessionKey(exchange) else {
            return
        }
        exchanges.insertStream(exchange, key: key)
    }

    /// What names a session to all workers alike: its id is signed or known, so that nobody can choose what it hashes to.
    private func sessionKey(_ exchange: Handle) -> UInt64? {
        let client = exchanges[exchange].client
        let range = exchanges[exchange].sessionID.range
        guard !range.isEmpty, clients.contains(client), range.upperBound <= clients[client].transport.input.count else {
            return nil
        }
        return keyOfSentID(exchange)?.number
    }

    /// The session was forgotten: the streams that its client listens on end. What comes next is told that it is gone.
    mutating func endStreams(of session: SessionKey) {
        for _ in 0..<exchanges.streams.count {
            guard let stream = exchanges.stream(session.number, except: .none) else { return }
            io.composed.clear()
            act(on: stream, .streamStopped)
            if exchanges.contains(stream) { return }
        }
    }
}
