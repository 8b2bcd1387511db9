import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// How exchanges end, well or badly. `complete` is the one end of them all.
extension Worker where Outside: ~Copyable {
    /// Does what the exchange's state says about an event.
    mutating func act(on exchange: Handle, _ event: ExchangeEvent) {
        switch exchanges[exchange].state.handle(event) {
        case .none, .considerRetry: break
        case .redial: dialAgain(exchange)
        case .respond(let fault): respond(exchange, fault)
        case .finishResponse: finishResponse(exchange)
        case .abortResponse: abortResponse(exchange)
        case .checkSilence: checkSilence(exchange)
        case .endStream: endStream(exchange)
        case .abandon: complete(exchange, .clientDisconnected)
        case .resetClient:
            let client = exchanges[exchange].client
            complete(exchange, .requestAborted)
            clients.close(client, reset: true, &io, metrics)
        }
    }

    /// Takes the exchange out of everything that knows it, and records how it ended. Its server connection, if it still
    /// has one, is closed: a half used one cannot carry another request. Every exchange that began passes here once.
    mutating func complete(_ exchange: Handle, _ outcome: ExchangeOutcome) {
        dequeue(exchange)
        let connection = exchanges[exchange].connection
        detach(exchange)
        closeUpstream(connection)
        let client = exchanges[exchange].client
        if clients.contains(client) { clients[client].exchange = .none }
        if exchanges[exchange].responseKind == .legacyStream {
            metrics.sessionEnded(server: Int(exchanges[exchange].server))
            countLegacyEnd(exchange, outcome)
        }
        if exchanges[exchange].isCaptured { endCapture(exchange) }
        if exchanges[exchange].isSessionStream { exchanges.removeStream(exchange) }
        let record = ExchangeRecord(exchanges[exchange], outcome, at: clock.now)
        metrics.exchangeEnded(record)
        if servers.detectsOutliers { observe(record) }
        endCall(exchange, record)
        if !exchanges.caching.isEmpty { abandonFetch(exchange) }
        exchanges[exchange].pending.clear()
        io.bufferPool.release(&exchanges[exchange].pending)
        exchanges.discard(exchange)
    }

    /// The client is gone: its exchange, if it has one, is aborted. The server learns of it by the end of its connection,
    /// at once.
    mutating func abortExchange(of client: Handle) {
        let exchange = clients[client].exchange
        if exchanges.contains(exchange) { act(on: exchange, .clientDisconnected) }
    }

    /// The kept request cannot be read again, which is a mistake of ours: the client is reset rather than left waiting.
    mutating func abandonInconsistent(_ exchange: Handle) {
        let client = exchanges[exchange].client
        complete(exchange, .inconsistent)
        io.received.clear()
        clients.close(client, reset: true, &io, metrics)
    }

    /// The exchange was answered: the client may ask again, or its connection closes.
    mutating func finish(_ exchange: Handle, _ outcome: ExchangeOutcome) {
        let client = exchanges[exchange].client
        let keepsClient = exchanges[exchange].keepsClient && !lifecycle.isDraining
        let isRead = !exchanges[exchange].awaitsRequestBody
        complete(exchange, outcome)
        guard clients.contains(client) else { return }
        if clients.isInternal(client) {
            clients.endInternal(client, .answered, &io)
        } else if clients.isStream(client) {
            clients.finishStream(client, &io, &clock)
        } else if keepsClient, !clients[client].isBroken {
            keepClient(client)
        } else if isRead, clients[client].transport.output.isEmpty, clients[client].transport.input.isEmpty,
            !clients[client].transport.mayRead
        {
            // Nothing is unread, so closing cannot reset what was sent.
            clients.close(client, reset: false, &io, metrics)
        } else {
            clients.linger(client, &io, &clock, metrics)
        }
    }

    /// The client was answered and may ask again: what it has sent meanwhile is looked at.
    mutating func keepClient(_ client: Handle) {
        let deadline = clients[client].deadline
        clients.awaitRequest(client, &clock)
        if !clients[client].transport.output.isEmpty { clients[client].deadline = deadline }
        if clients[client].transport.mayRead || !clients[client].transport.input.isEmpty { clients.resumeLater(client) }
    }

    /// The response is complete: closes its framing, gives both connections back.
    private mutating func finishResponse(_ exchange: Handle) {
        let client = exchanges[exchange].client
        if exchanges[exchange].responseKind == .unseenEndpoint { releasePending(exchange) }
        if !exchanges.toolLists.isEmpty { learnTools(exchange) }
        if !exchanges.caching.readsNothing { keepFetchedAnswer(exchange) }
        if !exchanges.toolFilters.isEmpty, finishToolFilter(exchange) == .failed { return }
        let hasTrailers = exchanges[exchange].responseBody == .trailers
        if exchanges[exchange].clientFraming == .chunked { io.composed.append(hasTrailers ? "\r\n" : "0\r\n\r\n") }
        parkAfterResponse(exchange)
        clients.write(client, &io, &clock)
        if hasTrailers, clients.contains(client) { clients.sendTrailers(client, exchanges[exchange].pending) }
        finish(exchange, .responded)
    }

    /// Gives the connection of a response that is complete back to its pool, unless something is left on it.
    private mutating func parkAfterResponse(_ exchange: Handle) {
        let connection = exchanges[exchange].connection
        // A read that was not short may have left bytes behind the response: they would pass for the next one's.
        let isReusable =
            !upstreams[connection].closesAfterResponse && !upstreams[connection].transport.mayRead
            && !exchanges[exchange].response.isUntilClose && io.received.isEmpty
            && !exchanges[exchange].awaitsRequestBody && upstreams[connection].transport.output.isEmpty
        io.received.clear()
        detach(exchange)
        if isReusable { releaseUpstream(connection) } else { closeUpstream(connection) }
    }

    /// The response broke off after its head had gone: the client must not take what it has for the whole. A missing last
    /// chunk or missing bytes say so; where only the connection's end marks the body's, a reset must.
    private mutating func abortResponse(_ exchange: Handle) {
        if !exchanges.toolFilters.isEmpty, exchanges.toolFilters.holdsWhole(exchange.slot) {
            // Nothing of it has gone to the client.
            io.composed.clear()
            respond(exchange, hasGrownTooLarge(exchange) ? .responseTooLarge : .badServerResponse)
            return
        }
        let client = exchanges[exchange].client
        metrics.count(.badGateway, server: Int(exchanges[exchange].server))
        if composeStreamError(exchange) == .sent {
            clients.write(client, &io, &clock)
            finish(exchange, .streamFailed)
            return
        }
        let needsReset = exchanges[exchange].clientFraming == .untilClose
        clients.write(client, &io, &clock)
        complete(exchange, .responseAborted)
        guard clients.contains(client) else { return }
        clients.abortResponse(client, needsReset: needsReset, &io, &clock, metrics)
    }

    /// Ends an event stream from our side, properly: the client sees a complete body.
    private mutating func endStream(_ exchange: Handle) {
        guard exchanges[exchange].isEventStream else { return }
        let client = exchanges[exchange].client
        io.composed.clear()
        if lifecycle.isDraining { composeLastWords(exchange) }
        if exchanges[exchange].clientFraming == .chunked { io.composed.append("0\r\n\r\n") }
        // A body shorter than announced can only be followed by the connection's end.
        if exchanges[exchange].clientFraming == .counted { exchanges[exchange].keepsClient = false }
        clients.write(client, &io, &clock)
        finish(exchange, .streamEnded)
    }

    /// Answers in the server's place. Nothing of a response has gone to the client.
    mutating func respond(_ exchange: Handle, _ fault: ExchangeFault) {
        if !exchanges.caching.isEmpty, serveStale(exchange, status: fault.response.status) == .served { return }
        let client = exchanges[exchange].client
        let id = requestID(exchange)
        var response = isToldInBand(exchange, fault, id: id) ? fault.response.inBand() : fault.response
        switch fault {
        case .queueFull, .queueTimeout:
            response.retryAfterSeconds = retryAfterSeconds(Int(exchanges[exchange].upstream))
        case .responseTooLarge: response.limit = responseLimit(exchange)
        case .toolListUnreadable: response.limit = exchanges.toolFilters.passedLimit(exchange.slot)
        default: break
        }
        let lines = exchanges.limits.isEmpty ? [] : describeRefusal(exchange, &response)
        if let metric = fault.metric { metrics.count(metric, server: Int(exchanges[exchange].server)) }
        guard clients.contains(client) else {
            complete(exchange, .clientDisconnected)
            return
        }
        metrics.countRejection(fault)
        if response.isInBand { metrics.count(.inBandErrors, server: Int(exchanges[exchange].server)) }
        exchanges[exchange].status = response.status
        // A body that is still coming would be taken for the next request.
        if response.closesConnection || lifecycle.isDraining || exchanges[exchange].awaitsRequestBody {
            exchanges[exchange].keepsClient = false
        }
        io.composed.clear()
        io.append(
            response, id: id, isHead: exchanges[exchange].method == .head,
            closes: !exchanges[exchange].keepsClient, at: clock.now, lines: lines)
        sendOwnResponse(exchange, .rejected(fault))
    }

    /// Sends a response that is no server's: it is whole, and all there is in `io.composed`.
    mutating func sendOwnResponse(_ exchange: Handle, _ outcome: ExchangeOutcome) {
        if !exchanges.extras.isEmpty { editOwnResponse(exchange) }
        releaseKept(exchange)
        clients.write(exchanges[exchange].client, &io, &clock)
        finish(exchange, outcome)
    }

    /// The client's copy of the request, which is answered without a server's response, has served its purpose.
    private mutating func releaseKept(_ exchange: Handle) {
        let client = exchanges[exchange].client
        let kept = min(Int(exchanges[exchange].replayBytes), clients[client].transport.input.count)
        if kept > 0 { clients[client].transport.input.consume(kept) }
        exchanges[exchange].replayBytes = 0
        io.bufferPool.release(&clients[client].transport.input)
    }

    /// Whether a fault is told by status 200, as the operator wants for clients that take a 5xx for the end of their
    /// connection: temporary faults only, in answer to requests of the revisions before 2026-07-28, which have an id.
    private func isToldInBand(_ exchange: Handle, _ fault: ExchangeFault, id: [UInt8]) -> Bool {
        let upstream = Int(exchanges[exchange].upstream)
        guard fault.response.status >= 500 || fault == .rateLimited, !id.isEmpty,
            servers.upstreams.indices.contains(upstream),
            servers.upstreams[upstream].plan.legacyErrors == .rpc200
        else { return false }
        switch exchanges[exchange].kind {
        case .session, .sessionless: return true
        case .modern, .legacyMessage, .streamOpening, .resumption, .preflight, .other: return false
        }
    }

    /// The raw JSON-RPC id of the exchange's request, for the response to echo.
    mutating func requestID(_ exchange: Handle) -> [UInt8] {
        guard exchanges[exchange].method == .post else { return [] }
        return requestID(of: exchanges[exchange].client, kept: Int(exchanges[exchange].replayBytes))
    }

    /// The raw JSON-RPC id of the request in the first `kept` bytes of the client's input, all of it or its beginning;
    /// empty if there is none or it cannot be told. It uses the scratch's head, of which nothing is needed any more.
    mutating func requestID(of client: Handle, kept: Int) -> [UInt8] {
        let count = min(kept, clients[client].transport.input.count)
        guard count > 0 else { return [] }
        var request = ByteBuffer()
        request.append(clients[client].transport.input, 0..<count)
        let parser = clients.listeners[clients.listener(of: client)].parser
        guard case .complete = parser.parse(request, into: &io.requestHead) else { return [] }
        return RequestID.find(in: request, io.requestHead)
    }
}
