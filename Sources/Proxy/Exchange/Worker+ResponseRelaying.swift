import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// From a server's bytes to the client's: the phase `relay`.
extension Worker where Outside: ~Copyable {
    /// Takes up what `io.received` holds of a server's response.
    mutating func relay(_ exchange: Handle, from connection: Handle) {
        io.composed.clear()
        while exchanges[exchange].state.phase == .sent {
            switch io.responseParser.parse(io.received, answering: exchanges[exchange].method, into: &io.responseHead) {
            case .incomplete:
                io.saveInput(&upstreams[connection].transport)
                clients.write(exchanges[exchange].client, &io, &clock)
                return
            case .invalid:
                rejectResponse(exchange, io.responseHead.fault)
                return
            case .complete(let length):
                if io.responseHead.status == 404 {
                    switch considerNotFound(exchange, length) {
                    case .forward: break
                    case .needsMore:
                        io.saveInput(&upstreams[connection].transport)
                        clients.write(exchanges[exchange].client, &io, &clock)
                        return
                    case .taken: return
                    }
                }
                // Asked first, and in one step: nearly no response has such a status.
                if io.responseHead.status >= 500, turnsAway(exchange),
                    askAnother(exchange, connection, length) == .askedElsewhere
                {
                    return
                }
                if sessions.shared.isUsed, holdOpening(exchange, connection) == .held {
                    io.saveInput(&upstreams[connection].transport)
                    clients.write(exchanges[exchange].client, &io, &clock)
                    return
                }
                let result =
                    io.responseHead.isInformational
                    ? forwardInformational(exchange, length) : startResponse(exchange, connection, length)
                guard result == .forwarded else { return }
            }
        }
        relayBody(exchange, from: connection)
    }

    /// What came of a response head.
    private enum HeadResult {
        case forwarded
        /// The exchange has been dealt with.
        case failed
    }

    /// The server's response makes no sense.
    private mutating func rejectResponse(_ exchange: Handle, _ fault: ResponseFault) {
        io.received.clear()
        io.composed.clear()
        logBadResponse(exchange, fault)
        act(on: exchange, .responseMalformed)
    }

    /// Forwards a 1xx response (RFC 9110 section 15.2), except to HTTP/1.0 clients, which know none. 101 is
    /// never one of them: the parser refuses it.
    private mutating func forwardInformational(_ exchange: Handle, _ length: Int) -> HeadResult {
        let elapsed = clock.now - exchanges[exchange].times.startedAt
        guard exchanges[exchange].interim.spend(length, elapsed: elapsed) else {
            rejectResponse(exchange, .interimFlood)
            return .failed
        }
        if !exchanges[exchange].clientIsHTTP10 {
            io.appendStatus()
            io.appendKeptResponseFields(keepsSession: false)
            io.composed.append("\r\n")
        }
        io.received.consume(length)
        return .forwarded
    }

    /// Decides all that a response's head decides, and composes it.
    private mutating func startResponse(_ exchange: Handle, _ connection: Handle, _ length: Int) -> HeadResult {
        if io.responseHead.status == 409 || io.responseHead.status == 400,
            resolveStreamConflict(exchange, connection) == .postponed
        {
            return .failed
        }
        if !exchanges.caching.isEmpty, serveStale(exchange, status: io.responseHead.status) == .served {
            io.received.clear()
            return .failed
        }
        let body = BodyReader(io.responseHead.framing, fromServer: true)
        let isEventStream = io.responseHead.isEventStream && !body.isComplete
        if !exchanges.extras.isEmpty, !isEventStream, isTooLarge(exchange, body) {
            io.received.clear()
            act(on: exchange, .rejected(.responseTooLarge))
            return .failed
        }
        if !exchanges.toolFilters.isEmpty, beginToolFilter(exchange, body, isEventStream: isEventStream) == .impossible
        {
            io.received.clear()
            act(on: exchange, .rejected(.toolListUnreadable))
            return .failed
        }
        if isEventStream, claimStream(connection) == .denied {
            io.received.clear()
            act(on: exchange, .rejected(.tooManyStreams))
            return .failed
        }
        let session = decideSessionHeader(exchange)
        if session == .refuse {
            refuseSession(exchange)
            return .failed
        }
        exchanges[exchange].status = io.responseHead.status
        exchanges[exchange].times.noteFirstByte(at: clock.now)
        exchanges[exchange].response = body
        upstreams[connection].closesAfterResponse = !io.responseHead.isKeepAlive
        let isHeld = !exchanges.toolFilters.isEmpty && exchanges.toolFilters.holdsWhole(exchange.slot)
        // Behind an interim head, or held back, all of a head is text.
        let isDirect = clients.takesFields(exchanges[exchange].client) && !isHeld && io.composed.isEmpty
        io.appendStatus()
        if !exchanges.extras.isEmpty { editResponseFields(exchange) }
        if io.responseHead.mayPointElsewhere { publishReferences(exchange) }
        let gap = io.composed.count
        if !isDirect { io.appendKeptResponseFields(keepsSession: session == .pass) }
        appendSessionField(exchange, session)
        if !io.responseHead.hasDate { io.appendDate(at: clock.now) }
        beginAnswer(exchange, isEventStream: isEventStream)
        if !exchanges.caching.isEmpty {
            appendCacheStatus(exchange)
            beginFetchedAnswer(exchange, isEventStream: isEventStream)
        }
        act(on: exchange, .responseStarted)
        exchanges[exchange].responseBytes = 0
        if servers.upstreams[Int(exchanges[exchange].upstream)].plan.retry.trustsAnnotations { noteToolList(exchange) }
        if isEventStream { startEventStream(exchange) } else { exchanges[exchange].deadline = .never }
        if !isHeld { releaseRequest(exchange) }
        decideFraming(exchange)
        if isHeld { holdHead(exchange) }
        if isDirect {
            clients.respond(exchanges[exchange].client, forwardingAt: gap, keepsSession: session == .pass, &io)
        }
        io.received.consume(length)
        return .forwarded
    }

    /// The server has opened a session that no table can hold: it is ended there, and the client gets an error.
    private mutating func refuseSession(_ exchange: Handle) {
        if let id = io.responseHead.sessionID {
            let id = io.received.bytes(id.range)
            endRefusedSession(exchange, id)
            if sessions.shared.isUsed { forgetShared(id, in: Int(exchanges[exchange].upstream)) }
        }
        io.received.clear()
        act(on: exchange, .rejected(.sessionTableFull))
    }

    /// Decides how the client is told where the body ends, and whether its connection goes on (RFC 9112 section 9.3).
    private mutating func decideFraming(_ exchange: Handle) {
        exchanges[exchange].clientFraming = clientFraming(exchange)
        if exchanges[exchange].clientFraming == .untilClose || lifecycle.isDraining {
            exchanges[exchange].keepsClient = false
        }
        // A response that came before the whole request: the rest is not asked for.
        if exchanges[exchange].awaitsRequestBody { exchanges[exchange].keepsClient = false }
        if exchanges[exchange].clientFraming == .chunked { io.composed.append("transfer-encoding: chunked\r\n") }
        if !exchanges[exchange].keepsClient {
            io.composed.append("connection: close\r\n")
        } else if exchanges[exchange].clientIsHTTP10 {
            io.composed.append("connection: keep-alive\r\n")
        }
        io.composed.append("\r\n")
    }

    private func clientFraming(_ exchange: Handle) -> Exchange.ClientFraming {
        // An HTTP/2 stream has an end of its own, and what the proxy asks itself is not framed at all.
        if !clients.hasSocket(exchanges[exchange].client) { return .untilClose }
        return switch io.responseHead.framing {
        case .none, .length: .counted
        case .chunked, .untilClose: exchanges[exchange].clientIsHTTP10 ? .untilClose : .chunked
        }
    }

    /// The client's copy of the request has served its purpose.
    mutating func releaseRequest(_ exchange: Handle) {
        let client = exchanges[exchange].client
        let kept = Int(exchanges[exchange].replayBytes)
        if kept > 0 {
            clients[client].transport.input.consume(kept)
            exchanges[exchange].replayBytes = 0
        }
        io.bufferPool.release(&clients[client].transport.input)
    }

    /// Forwards what `io.received` holds of the body, and completes the exchange with its end.
    private mutating func relayBody(_ exchange: Handle, from connection: Handle) {
        let client = exchanges[exchange].client
        let chunked = exchanges[exchange].clientFraming == .chunked
        var offset = 0
        while true {
            switch exchanges[exchange].response.next(io.received, from: offset) {
            case .data(let range):
                offset = range.upperBound
                exchanges[exchange].responseBytes &+= UInt64(range.count)
                if !exchanges.extras.isEmpty, hasGrownTooLarge(exchange) {
                    io.received.clear()
                    logBadResponse(exchange, .overLimit)
                    clients.write(client, &io, &clock)
                    act(on: exchange, .responseMalformed)
                    return
                }
                readAnswer(exchange, range)
                if exchanges[exchange].isCaptured { capture(exchange, range) }
                if !exchanges.caching.readsNothing { readFetchedAnswer(exchange, range) }
                if !exchanges.toolLists.isEmpty { exchanges.toolLists.append(exchange.slot, io.received, range) }
                if !exchanges.toolFilters.isEmpty, exchanges.toolFilters.holdsWhole(exchange.slot) {
                    exchanges.toolFilters.hold(exchange.slot, io.received, range)
                } else if exchanges[exchange].isEventStream {
                    relayEvents(exchange, range, chunked: chunked)
                } else if range.count >= 16_384, !chunked, io.composed.isEmpty {
                    clients.writeReceived(client, range, &io, &clock)
                    guard clients.contains(client) else { return }
                } else {
                    io.appendData(range, chunked: chunked)
                }
                if !exchanges.toolFilters.isEmpty, exchanges.toolFilters.hasFailed(exchange.slot) {
                    failToolFilter(exchange)
                    return
                }
            case .trailer(let range):
                offset = range.upperBound
                relayTrailer(exchange, range, chunked: chunked)
            case .needsMore(let consumed):
                io.received.consume(consumed)
                io.saveInput(&upstreams[connection].transport)
                if !exchanges[exchange].isEventStream { armBodySilence(exchange) }
                clients.write(client, &io, &clock)
                return
            case .end(let end):
                io.received.consume(end)
                act(on: exchange, .responseEnded)
                return
            case .invalid:
                io.received.clear()
                logBadResponse(exchange, .chunk)
                clients.write(client, &io, &clock)
                act(on: exchange, .responseMalformed)
                return
            }
        }
    }

    private mutating func relayTrailer(_ exchange: Handle, _ line: ByteRange, chunked: Bool) {
        // What is filtered comes later than trailers, and is not what they were made for.
        if !exchanges.toolFilters.isEmpty, exchanges.toolFilters.contains(exchange.slot) { return }
        if chunked {
            if exchanges[exchange].responseBody == .data {
                exchanges[exchange].responseBody = .trailers
                io.composed.append("0\r\n")
            }
            io.appendTrailer(line)
        } else if clients.isStream(exchanges[exchange].client) {
            keepTrailer(exchange, line)
        }
    }

    /// Trailers of a response to HTTP/2 are a frame of their own, behind all of the body (RFC 9113 section 8.1).
    private mutating func keepTrailer(_ exchange: Handle, _ line: ByteRange) {
        if exchanges[exchange].responseBody == .data {
            exchanges[exchange].responseBody = .trailers
            if exchanges[exchange].responseKind == .unseenEndpoint { releasePending(exchange) }
            exchanges[exchange].pending.clear()
            exchanges[exchange].targetCount = 0
        }
        let bodyCount = io.composed.count
        io.appendTrailer(line)
        exchanges[exchange].pending.append(io.composed, bodyCount..<io.composed.count)
        io.composed.truncate(to: bodyCount)
    }
}
