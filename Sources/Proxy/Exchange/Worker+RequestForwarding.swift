import Balancing
import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// Requests on their way to servers: the phase `send`.
extension Worker where Outside: ~Copyable {
    /// Sends the request, which is at the front of `io.received` and parsed, on the exchange's connection.
    mutating func sendRequest(_ exchange: Handle) -> PhaseResult {
        let connection = exchanges[exchange].connection
        guard upstreams.contains(connection) else { return .respond(.serverReset) }
        upstreams[connection].phase = .serving
        upstreams[connection].uses += 1
        upstreams[connection].deadline = .never
        act(on: exchange, .requestSent)
        exchanges[exchange].times.noteConnected(at: clock.now)
        // The queue's timeout is over with the queue.
        exchanges[exchange].deadline = .never
        metrics.count(.requests, server: Int(upstreams[connection].server))
        if exchanges[exchange].attempts == 0 {
            servers.upstreams[Int(exchanges[exchange].upstream)].retryBudget.requestBegan(now: clock.now.nanoseconds)
        }
        if case .session = exchanges[exchange].kind { noteSessionUse(exchange) }
        io.composed.clear()
        composeHead(exchange)
        let isWhole = exchanges[exchange].isWhole
        if isWhole {
            exchanges[exchange].rewindRequest(io.requestHead.framing)
        } else {
            exchanges[exchange].uploadPace = clock.now
        }
        guard composeBody(exchange, from: io.requestHead.length) == .composed else { return .done }
        if !isWhole { releaseSentBody(exchange) }
        writeUpstream(connection)
        armRequestTimeout(exchange)
        let client = exchanges[exchange].client
        if !isWhole, clients.contains(client) { clients.resumeLater(client) }
        return .wait
    }

    /// The request streams: what was sent is not kept, but for the session's id, which the response repeats.
    private mutating func releaseSentBody(_ exchange: Handle) {
        if exchanges[exchange].kind == .session { keepSessionID(exchange) }
        let client = exchanges[exchange].client
        clients[client].transport.input.clear()
        exchanges[exchange].replayBytes = 0
        io.saveInput(&clients[client].transport)
    }

    private mutating func composeHead(_ exchange: Handle) {
        let client = exchanges[exchange].client
        let upstream = Int(exchanges[exchange].upstream)
        let server = Int(exchanges[exchange].server)
        let listener = clients.listener(of: client)
        let isTrusted = clients.trusts(clients[client].address, listener)
        let isSecure = clients[client].isSecure

        io.composed.append(io.received, io.requestHead.methodName.range)
        io.composed.append(0x20)
        let outer = exchanges.extras.isEmpty ? .empty : stripPrefix(exchange, isTrusted: isTrusted)
        let isLegacy = if case .legacyMessage = exchanges[exchange].kind { true } else { false }
        io.appendTarget(hidesSignature: isLegacy)
        io.composed.append(" HTTP/1.1\r\n")
        appendHost(upstream, server)
        if exchanges[exchange].mayOpenLegacySession { io.withholdAcceptEncoding() }
        composeTrace(exchange)
        let keepsSession =
            (servers.upstreams[upstream].plan.affinity != .signed && !exchanges[exchange].isMapped)
            || clients.isInternal(client)
        if exchanges[exchange].isMapped { composeRecoveredSession(exchange) }
        let source =
            clients.listeners[listener].plan.trustedHeader.isEmpty ? nil : namedSource(client, isTrusted: isTrusted)
        if !exchanges.extras.isEmpty { withholdCredentials(exchange) }
        io.appendKeptFields(isTrusted: isTrusted, keepsSession: keepsSession)
        if !keepsSession, !exchanges[exchange].isMapped { composeSession(exchange) }
        if case .chunked = io.requestHead.framing { io.composed.append("transfer-encoding: chunked\r\n") }
        io.appendForwarded(clients[client].address, namedAs: source, isSecure: isSecure, isTrusted: isTrusted)
        if !exchanges.extras.isEmpty {
            composePrefix(exchange, behind: outer)
            composeClaims(exchange)
        }
        if isSecure, clients.listeners[listener].plan.asksForCertificates {
            let socket = clients.socket(of: client)
            if clients.contains(socket) { io.appendClientCertificate(&clients[socket].transport) }
        }
        io.composed.append("\r\n")
    }

    /// The Host field. It is always written anew: an absolute-form target wins over the one received (RFC 9112 section
    /// 3.2.2).
    private mutating func appendHost(_ upstream: Int, _ server: Int) {
        io.composed.append("host: ")
        switch servers.upstreams[upstream].plan.host {
        case .keep: io.composed.append(io.received, io.requestHead.authority.range)
        case .upstream: io.composed.append(servers[server].plan.authority)
        case .fixed(let name): io.composed.append(name)
        }
        io.composed.append("\r\n")
    }

    /// The signed id is the client's; the server gets its own back. It was verified when the session was resolved.
    private mutating func composeSession(_ exchange: Handle) {
        guard exchanges[exchange].isPinned, case .session = exchanges[exchange].kind,
            let value = io.requestHead.sessionID,
            servers.upstreams[Int(exchanges[exchange].upstream)].plan.affinity == .signed
        else { return }
        io.composed.append("mcp-session-id: ")
        SessionAffinity.appendID(of: io.received, value.range, to: &io.composed)
        io.composed.append("\r\n")
    }

    /// A session that was recovered has another id at its server, and events of another server say nothing to it.
    private mutating func composeRecoveredSession(_ exchange: Handle) {
        let latest = sessions.latest
        guard let key = latest.exchange == exchange ? latest.key : keyOfRequest(exchange),
            let location = sessions.table?.location(of: key)
        else { return }
        if exchanges[exchange].method == .get {
            if location.hasForeignEvents { io.withholdLastEventID() }
            sessions.table?.noteStream(key)
        }
        io.composed.append("mcp-session-id: ")
        io.composed.append(location.id)
        io.composed.append("\r\n")
    }

    /// What came of reading a piece of a request's body.
    enum BodyResult {
        case composed
        /// The body is not acceptable; the exchange has been dealt with.
        case failed
    }

    /// Appends what `io.received` holds of the request's body from `start` on to `io.composed`, framed for the server, and
    /// drops it from `io.received`.
    private mutating func composeBody(_ exchange: Handle, from start: Int) -> BodyResult {
        var offset = start
        let chunked = exchanges[exchange].request.isChunked
        // A counted body was compared with the limit when it was admitted, and is done with it, whatever a reload has changed.
        let listener = clients.listener(of: exchanges[exchange].client)
        let limit = chunked ? clients.listeners[listener].plan.maximumRequestBody : .max
        // Asked in two steps, here and elsewhere: nearly all requests are whole, and the reader is not looked at for them.
        var isUpload = !exchanges[exchange].isWhole && exchanges[exchange].awaitsRequestBody
        while true {
            let step = exchanges[exchange].request.next(io.received, from: offset)
            if isUpload, !exchanges[exchange].awaitsRequestBody {
                isUpload = false
                uploadEnded(exchange)
            }
            switch step {
            case .data(let range):
                exchanges[exchange].requestBytes += UInt64(range.count)
                if exchanges[exchange].requestBytes > limit { return rejectBody(exchange, .requestTooLarge) }
                io.appendData(range, chunked: chunked)
                offset = range.upperBound
            case .trailer(let range):
                if exchanges[exchange].requestBody == .data {
                    exchanges[exchange].requestBody = .trailers
                    io.composed.append("0\r\n")
                }
                io.appendTrailer(range)
                offset = range.upperBound
            case .needsMore(let consumed):
                io.received.consume(consumed)
                return .composed
            case .end(let end):
                if chunked, exchanges[exchange].requestBody != .ended {
                    io.composed.append(exchanges[exchange].requestBody == .trailers ? "\r\n" : "0\r\n\r\n")
                    exchanges[exchange].requestBody = .ended
                }
                io.received.consume(end)
                return .composed
            case .invalid:
                return rejectBody(exchange, .malformed)
            }
        }
    }

    private mutating func rejectBody(_ exchange: Handle, _ fault: ExchangeFault) -> BodyResult {
        io.received.clear()
        io.composed.clear()
        act(on: exchange, .requestBodyFailed(fault))
        return .failed
    }

    /// Sends on what the client has sent of a body that was not complete when the request was dispatched.
    mutating func forwardBody(_ client: Handle) {
        let exchange = clients[client].exchange
        guard exchanges.contains(exchange), upstreams.contains(exchanges[exchange].connection) else {
            io.saveInput(&clients[client].transport)
            return
        }
        io.composed.clear()
        let before = exchanges[exchange].requestBytes
        guard composeBody(exchange, from: 0) == .composed else { return }
        io.saveInput(&clients[client].transport)
        let count = exchanges[exchange].requestBytes - before
        if exchanges[exchange].state.phase == .sent { exchanges[exchange].noteUpload(of: count, at: clock.now) }
        writeUpstream(exchanges[exchange].connection)
        armRequestTimeout(exchange)
    }

    /// Sets the deadline that goes with how much of the request has been sent: the response's, or the body's.
    mutating func armRequestTimeout(_ exchange: Handle) {
        guard exchanges.contains(exchange) else { return }
        let client = exchanges[exchange].client
        if exchanges[exchange].awaitsRequestBody {
            armUploadTimeout(exchange)
            return
        }
        clients[client].deadline = .never
        guard exchanges[exchange].state.phase == .sent else { return }
        let timeout = servers.upstreams[Int(exchanges[exchange].upstream)].plan.firstByteTimeout
        exchanges.setDeadline(exchange, clock.now + timeout, &clock)
    }

    /// More of a body is to come. Whoever is waited for has the time: the server, while it takes no more of it, and else the
    /// client, which must also keep to the least rate.
    private mutating func armUploadTimeout(_ exchange: Handle) {
        let client = exchanges[exchange].client
        let connection = exchanges[exchange].connection
        guard exchanges[exchange].state.phase == .sent else {
            clients.armBodyTimeout(client, &clock)
            return
        }
        if upstreams.contains(connection), !upstreams[connection].transport.output.isEmpty {
            clients[client].deadline = .never
            let timeout = servers.upstreams[Int(exchanges[exchange].upstream)].plan.readTimeout
            exchanges.setDeadline(exchange, clock.now + timeout, &clock)
        } else {
            exchanges[exchange].deadline = .never
            clients.armBodyTimeout(client, pacedFrom: exchanges[exchange].uploadPace, &clock)
        }
    }

    /// The server has taken some of what waited for it. The time until then was its own, not the client's.
    mutating func uploadAdvanced(_ exchange: Handle) {
        guard exchanges[exchange].state.phase == .sent, exchanges[exchange].awaitsRequestBody else { return }
        exchanges[exchange].uploadPace = clock.now
        armUploadTimeout(exchange)
    }
}
