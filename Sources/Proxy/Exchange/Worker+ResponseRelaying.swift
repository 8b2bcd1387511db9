import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// From a server's bytes to the client's.
extension Worker where Outside: ~Copyable {
    /// Responses in front of the real one; more is a server that does not know when to stop.
    private static var informationalLimit: UInt8 { 16 }

    /// Takes up what the scratch holds of a server's answer.
    mutating func receiveResponse(_ u: Handle, _ e: Handle) {
        io.composed.clear()
        while exchanges[e].phase == .sent {
            switch io.responseParser.parse(io.received, answering: exchanges[e].method, into: &io.responseHead) {
            case .incomplete:
                saveInput(upstream: u)
                write(exchanges[e].client)
                return
            case .invalid:
                rejectResponse(u, e)
                return
            case .complete(let length):
                if io.responseHead.isInformational {
                    guard forwardInformational(e, length) else {
                        rejectResponse(u, e)
                        return
                    }
                } else {
                    guard beginResponse(u, e) else { return }
                    io.received.consume(length)
                }
            }
        }
        relay(u, e)
    }

    /// The server's answer makes no sense: the client gets 502, the connection goes.
    private mutating func rejectResponse(_ u: Handle, _ e: Handle) {
        io.received.clear()
        io.composed.clear()
        metrics.count(.badGateway, server: Int(exchanges[e].server))
        fail(e, .badServerResponse)
    }

    /// Forwards a 1xx response (RFC 9110 section 15.2), except to HTTP/1.0 clients, which know none. 101 cannot be: we
    /// never ask to switch protocols.
    private mutating func forwardInformational(_ e: Handle, _ length: Int) -> Bool {
        exchanges[e].informationalCount += 1
        guard io.responseHead.status != 101, exchanges[e].informationalCount <= Worker.informationalLimit else {
            return false
        }
        if !exchanges[e].clientIsHTTP10 {
            composeStatus()
            copyKeptResponseFields(.drop)
            io.composed.append("\r\n")
        }
        io.received.consume(length)
        return true
    }

    /// Decides all that a response's head decides and composes it. False if the exchange ended instead.
    private mutating func beginResponse(_ u: Handle, _ e: Handle) -> Bool {
        let c = exchanges[e].client
        let action = decideSessionHeader(e)
        exchanges[e].phase = .relaying
        exchanges[e].response = BodyReader(io.responseHead.framing)
        exchanges[e].isEventStream = io.responseHead.isEventStream && !exchanges[e].response.isComplete
        if exchanges[e].isEventStream, !beginStream(u, e) { return false }
        exchanges[e].clientFraming = clientFraming(e)
        if exchanges[e].clientFraming == .untilClose || lifecycle.isDraining { exchanges[e].keepsClient = false }
        // An answer that came before the whole request: the rest will not be asked for.
        if !exchanges[e].request.isComplete, !exchanges[e].isWhole { exchanges[e].keepsClient = false }
        upstreams[u].closesAfterResponse = !io.responseHead.isKeepAlive
        composeStatus()
        copyKeptResponseFields(action)
        composeSessionField(e, action)
        releaseRequest(e, c)
        if exchanges[e].clientFraming == .chunked { io.composed.append("transfer-encoding: chunked\r\n") }
        if !exchanges[e].keepsClient {
            io.composed.append("connection: close\r\n")
        } else if exchanges[e].clientIsHTTP10 {
            io.composed.append("connection: keep-alive\r\n")
        }
        io.composed.append("\r\n")
        if !exchanges[e].isEventStream { exchanges[e].deadline = .never }
        return true
    }

    /// The client's copy of the request has served its purpose.
    private mutating func releaseRequest(_ e: Handle, _ c: Handle) {
        let replayBytes = Int(exchanges[e].replayBytes)
        if replayBytes > 0 {
            clients[c].input.consume(replayBytes)
            exchanges[e].replayBytes = 0
        }
        io.bufferPool.release(&clients[c].input)
    }

    /// An event stream starts: no more deadline on the whole, keep-alives instead, and its own place in the pool.
    private mutating func beginStream(_ u: Handle, _ e: Handle) -> Bool {
        guard beginStreaming(u) else {
            metrics.count(.unavailable, server: Int(exchanges[e].server))
            io.received.clear()
            exchanges[e].phase = .sent
            fail(e, .tooManyStreams)
            return false
        }
        metrics.count(.active, server: Int(upstreams[u].server), -1)
        let upstream = Int(exchanges[e].upstreamIndex)
        exchanges[e].scansEndpoint =
            exchanges[e].kind == .streamOpening && sessions.affinity(upstream) != .off
            && io.responseHead.status == 200 && !hasCountedBody
        exchanges[e].lastUpstreamActivity = clock.now
        armHeartbeat(e)
        return true
    }

    /// The body's length was announced: no byte may be added to it.
    private var hasCountedBody: Bool {
        if case .length = io.responseHead.framing { true } else { false }
    }

    private func clientFraming(_ e: Handle) -> Exchange.ClientFraming {
        // An HTTP/2 stream has an end of its own.
        if clients[exchanges[e].client].stream != 0 { return .untilClose }
        return switch io.responseHead.framing {
        case .none, .length: .counted
        case .chunked, .untilClose: exchanges[e].clientIsHTTP10 ? .untilClose : .chunked
        }
    }

    private mutating func composeStatus() {
        io.composed.append("HTTP/1.1 ")
        io.composed.append(decimal: UInt64(io.responseHead.status))
        io.composed.append(0x20)
        io.composed.append(io.received, io.responseHead.reason.range)
        io.composed.append("\r\n")
    }

    private mutating func copyKeptResponseFields(_ action: SessionHeaderAction) {
        var run = 0..<0
        for index in 0..<io.responseHead.fields.count {
            let field = io.responseHead.fields[index]
            if isKept(field, action) {
                run = run.isEmpty ? field.line.range : run.lowerBound..<field.line.upperBound
            } else if !run.isEmpty {
                io.composed.append(io.received, run)
                run = 0..<0
            }
        }
        if !run.isEmpty { io.composed.append(io.received, run) }
    }

    private func isKept(_ field: Field, _ action: SessionHeaderAction) -> Bool {
        switch field.kind {
        case .transferEncoding: return false
        case .mcpSessionID: if case .pass = action { return !field.isHopByHop } else { return false }
        default: return !field.isHopByHop
        }
    }

    /// Passes on what the scratch holds of the body, and ends the exchange with it.
    private mutating func relay(_ u: Handle, _ e: Handle) {
        let c = exchanges[e].client
        let chunked = exchanges[e].clientFraming == .chunked
        var offset = 0
        while true {
            switch exchanges[e].response.next(io.received, from: offset) {
            case .data(let range):
                offset = range.upperBound
                if exchanges[e].isEventStream {
                    relayEvents(e, range, chunked: chunked)
                } else if range.count >= 16_384, !chunked, io.composed.isEmpty {
                    writeReceived(c, range)
                    guard clients.contains(c) else { return }
                } else {
                    appendData(range, chunked: chunked)
                }
            case .trailer(let range):
                offset = range.upperBound
                if chunked {
                    if !exchanges[e].hasBegunResponseTrailers {
                        exchanges[e].hasBegunResponseTrailers = true
                        io.composed.append("0\r\n")
                    }
                    appendTrailer(range)
                } else if clients[c].stream != 0 {
                    keepTrailer(e, range)
                }
            case .needsMore(let consumed):
                io.received.consume(consumed)
                saveInput(upstream: u)
                write(c)
                return
            case .end(let end):
                io.received.consume(end)
                finish(u, e)
                return
            case .invalid:
                io.received.clear()
                write(c)
                abortResponse(u, e)
                return
            }
        }
    }

    /// The server's connection ended while the body was being relayed: the body's proper end, or a loss, as a reset
    /// (`code` is not 0) always is.
    mutating func relayEnded(_ u: Handle, _ e: Handle, code: CInt) {
        io.composed.clear()
        if code == 0, exchanges[e].response.endsWithConnection() {
            finish(u, e)
        } else {
            abortResponse(u, e)
        }
    }

    /// The response is complete: closes its framing, gives both connections back.
    private mutating func finish(_ u: Handle, _ e: Handle) {
        let c = exchanges[e].client
        if exchanges[e].scansEndpoint { releasePending(e) }
        if exchanges[e].clientFraming == .chunked {
            io.composed.append(exchanges[e].hasBegunResponseTrailers ? "\r\n" : "0\r\n\r\n")
        }
        // A read that was not short may have left bytes behind the response: they would pass for the next one's.
        let isReusable =
            !upstreams[u].closesAfterResponse && !upstreams[u].mayRead && !exchanges[e].response.isUntilClose
            && io.received.isEmpty && (exchanges[e].isWhole || exchanges[e].request.isComplete)
            && upstreams[u].output.isEmpty
        io.received.clear()
        detach(u, e)
        if isReusable { releaseUpstream(u) } else { dropUpstream(u) }
        write(c)
        if exchanges[e].hasBegunResponseTrailers, clients.contains(c), clients[c].stream != 0 { sendTrailers(c, e) }
        endExchange(e)
    }

    /// Trailers of a response to HTTP/2 are a frame of their own, behind all of the body.
    private mutating func keepTrailer(_ e: Handle, _ line: ByteRange) {
        if !exchanges[e].hasBegunResponseTrailers {
            exchanges[e].hasBegunResponseTrailers = true
            if exchanges[e].scansEndpoint { releasePending(e) }
            exchanges[e].pending.clear()
            exchanges[e].targetCount = 0
        }
        let bodyCount = io.composed.count
        appendTrailer(line)
        exchanges[e].pending.append(io.composed, bodyCount..<io.composed.count)
        io.composed.truncate(to: bodyCount)
    }

    /// The response broke off after its head had gone: the client must not take what it has for the whole. A missing
    /// last chunk or missing bytes say so; where only the connection's end marks the body's, a reset must.
    private mutating func abortResponse(_ u: Handle, _ e: Handle) {
        let c = exchanges[e].client
        metrics.count(.badGateway, server: Int(exchanges[e].server))
        let needsReset = exchanges[e].clientFraming == .untilClose
        detach(u, e)
        dropUpstream(u)
        write(c)
        removeExchange(e)
        guard clients.contains(c) else { return }
        clients[c].exchange = .none
        if clients[c].stream != 0 {
            abortStreamResponse(c)
            return
        }
        if !needsReset, !clients[c].output.isEmpty {
            clients[c].phase = .lingering
            clients[c].closesAfterOutput = true
        } else {
            closeClient(c, reset: needsReset)
        }
    }
}
