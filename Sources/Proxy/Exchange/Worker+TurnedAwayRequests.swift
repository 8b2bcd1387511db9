import Balancing
import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// Whether a response that turns a request away goes to the client.
enum TurnedAway { case askedElsewhere, passedOn }

/// Requests that a server does not take, and that another one may: those that open a session, and those that ask a server
/// which revisions it speaks.
extension Worker where Outside: ~Copyable {
    /// Whether a response, whose head is parsed, says that its server does not take the exchange's request, and another may
    /// be asked. 503 to a request that opens a session: the server has as many as it wants. Any 5xx to
    /// `server/discover`: a client that gets one takes the server for one of an older revision.
    func turnsAway(_ exchange: Handle) -> Bool {
        guard exchanges[exchange].isWhole, !exchanges[exchange].isPinned, exchanges[exchange].replayBytes > 0,
            hasAnother(exchange, than: Int(exchanges[exchange].server))
        else { return false }
        return switch exchanges[exchange].kind {
        case .sessionless, .streamOpening: io.responseHead.status == 503
        case .modern: true
        case .legacyMessage, .session, .resumption, .preflight, .other: false
        }
    }

    /// Asks another server, or passes the response on if the request is none of those or the budget is used up.
    mutating func askAnother(_ exchange: Handle, _ connection: Handle, _ length: Int) -> TurnedAway {
        let server = Int(exchanges[exchange].server)
        let request = RetryableRequest(isRepeatable: true, isWhole: true, isPinned: false)
        guard mayAskAnother(exchange), case .retry = decide(exchange, .turnedAway, of: request, at: server) else {
            return .passedOn
        }
        if !io.composed.isEmpty { clients.write(exchanges[exchange].client, &io, &clock) }
        let isReusable = isWholeResponse(length) && io.responseHead.isKeepAlive
        io.received.clear()
        detach(exchange)
        if isReusable, !upstreams[connection].transport.mayRead, upstreams[connection].transport.output.isEmpty {
            releaseUpstream(connection)
        } else {
            closeUpstream(connection)
        }
        act(on: exchange, .closedBeforeResponse)
        exchanges.noteTried(exchange, servers[server].position)
        advance(exchange, from: .select, reloading: true)
        io.received.clear()
        return .askedElsewhere
    }

    private mutating func mayAskAnother(_ exchange: Handle) -> Bool {
        if case .streamOpening = exchanges[exchange].kind { return true }
        let call = keptCall(exchange)
        return call?.method == .initialize || (call?.method == .discover && exchanges[exchange].kind == .modern)
    }

    /// Whether all of the response is in `io.received`, and nothing else.
    private func isWholeResponse(_ length: Int) -> Bool {
        switch io.responseHead.framing {
        case .none: io.received.count == length
        case .length(let count): UInt64(io.received.count - length) == count
        case .chunked, .untilClose: false
        }
    }

    /// Whether a server other than `server` may get the exchange, as far as is known without looking for a connection.
    func hasAnother(_ exchange: Handle, than server: Int) -> Bool {
        let upstream = Int(exchanges[exchange].upstream)
        return servers.upstreams[upstream].members.indices.contains { position in
            let other = servers.upstreams[upstream].members[position]
            return other != server && !exchanges.wasTried(exchange, position)
                && servers.condition(of: other, metrics).isEligible
        }
    }
}
