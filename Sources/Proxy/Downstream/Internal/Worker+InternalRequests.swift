import HTTP
import Kernel
import MCP
import Reactor

/// Requests of the proxy's own, from their text to an exchange.
extension Worker where Outside: ~Copyable {
    /// Makes a request of the proxy's own, for the sake of a client like `origin`. Only between events: it needs the
    /// scratch. False if it cannot even begin.
    mutating func start(_ request: InternalRequest, _ text: [UInt8], like origin: ClientOrigin) -> Bool {
        guard clients.listeners.indices.contains(origin.listener), servers.upstreams.indices.contains(request.upstream),
            let client = clients.insertInternal(
                request, address: origin.address, listener: origin.listener, isSecure: origin.isSecure)
        else { return false }
        if let extras = origin.extras { clients.internalRequests.note(extras, origin.caller, for: client) }
        if !request.isListening {
            clock.timers.schedule(Token(.internalDeadline, client).raw, at: clock.now + InternalRequest.timeout)
        }
        io.received.clear()
        io.received.append(text)
        readRequests(client)
        io.received.clear()
        return true
    }

    /// An internal request has had its time.
    mutating func internalTimedOut(_ client: Handle) {
        guard clients.contains(client), clients.isInternal(client) else { return }
        abortExchange(of: client)
        clients.close(client, reset: true, &io, metrics)
    }

    /// Where an internal request goes: its upstream and its servers are known.
    mutating func routeInternal(_ exchange: Handle) -> PhaseResult {
        guard let request = clients.internalRequests[exchanges[exchange].client] else { return .respond(.noRoute) }
        exchanges[exchange].upstream = UInt16(truncatingIfNeeded: request.upstream)
        if let extras = request.extras { exchanges.extras.insert(extras, for: exchange.slot) }
        if let caller = request.caller { exchanges.authentication.insert(caller, for: exchange.slot) }
        switch request.target {
        case .server(let server):
            exchanges[exchange].server = Int32(truncatingIfNeeded: server)
            exchanges[exchange].isPinned = true
        case .anyBut(let avoided):
            for server in avoided where servers.slots.contains(server) && servers[server].upstream == request.upstream {
                exchanges.noteTried(exchange, servers[server].position)
            }
        }
        return .next
    }
}

/// What an internal request takes over from the client for whose sake it is made.
struct ClientOrigin {
    var address: SocketAddress
    var listener: Int
    var isSecure: Bool
    /// What the route of its request says beside the upstream.
    var extras: RouteExtras?
    /// Who has sent it, if the route asks for that.
    var caller: CallerIdentity?
}

/// A response that was collected, taken apart.
struct InternalResponse {
    let status: UInt16
    let sessionID: [UInt8]?
    let isEventStream: Bool
    let body: [UInt8]

    /// Nil if the bytes are no whole head with a body behind it.
    init?(_ bytes: [UInt8], _ parser: ResponseParser, into head: inout ResponseHead) {
        var rest = bytes.span
        while true {
            guard case .complete(let length) = parser.parse(rest, answering: .post, into: &head) else { return nil }
            let body = rest.extracting(length..<rest.count)
            guard !head.isInformational else {
                rest = body
                continue
            }
            status = head.status
            let view = rest
            sessionID = head.sessionID.map { value in value.range.map { view[$0] } }
            isEventStream = head.isEventStream
            self.body = body.indices.map { body[$0] }
            return
        }
    }
}
