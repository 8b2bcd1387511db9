import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// How exchanges end, well or badly.
extension Worker where Outside: ~Copyable {
    /// The exchange is answered: the client may ask again, or the connection closes.
    mutating func endExchange(_ e: Handle) {
        let c = exchanges[e].client
        let keeps = exchanges[e].keepsClient && !lifecycle.isDraining
        let isWhole = exchanges[e].isWhole || exchanges[e].request.isComplete
        removeExchange(e)
        guard clients.contains(c) else { return }
        clients[c].exchange = .none
        if clients[c].stream != 0 {
            if clients[c].hasHead { endStreamResponse(c) } else { resetStream(c, code: .internalError) }
            return
        }
        guard keeps, !clients[c].isBroken else {
            if isWhole, clients[c].output.isEmpty, clients[c].input.isEmpty, !clients[c].mayRead {
                // Nothing is unread, so closing cannot reset what we sent.
                closeClient(c, reset: false)
            } else {
                linger(c)
            }
            return
        }
        let owesOutput = !clients[c].output.isEmpty
        let deadline = clients[c].deadline
        awaitRequest(c)
        if owesOutput { clients[c].deadline = deadline }
        if clients[c].mayRead || !clients[c].input.isEmpty { clients.resumeLater(c) }
    }

    /// Takes the exchange out of everything that knows it. Its server connection, if it still has one, is closed: a half
    /// used one cannot carry another request.
    mutating func removeExchange(_ e: Handle) {
        guard exchanges.contains(e) else { return }
        dequeue(e)
        let u = exchanges[e].upstream
        if upstreams.contains(u) {
            detach(u, e)
            dropUpstream(u)
        }
        guard var exchange = exchanges.remove(e) else { return }
        exchange.pending.clear()
        io.bufferPool.release(&exchange.pending)
    }

    /// The client is gone: its exchange, if it has one, is called off. The server learns of it by the end of its
    /// connection, at once.
    mutating func abortExchange(of c: Handle) {
        removeExchange(clients[c].exchange)
    }

    /// Something that cannot be went wrong with a held request; the client is cut off rather than left waiting.
    mutating func abortInconsistent(_ e: Handle) {
        let c = exchanges[e].client
        removeExchange(e)
        io.received.clear()
        closeClient(c, reset: true)
    }

    /// Answers in the server's place. Nothing of a response may have gone to the client yet.
    mutating func fail(_ e: Handle, _ errorResponse: ErrorResponse) {
        let c = exchanges[e].client
        guard clients.contains(c) else {
            removeExchange(e)
            return
        }
        let isHead = exchanges[e].method == .head
        var closes = errorResponse.closesConnection || !exchanges[e].keepsClient || lifecycle.isDraining
        // A body that is still coming would be taken for the next request.
        if !exchanges[e].isWhole, !exchanges[e].request.isComplete { closes = true }
        exchanges[e].keepsClient = !closes
        compose(errorResponse, id: requestID(e), isHead: isHead, closes: closes)
        let replayBytes = Int(exchanges[e].replayBytes)
        if replayBytes > 0 {
            clients[c].input.consume(min(replayBytes, clients[c].input.count))
            exchanges[e].replayBytes = 0
        }
        io.bufferPool.release(&clients[c].input)
        write(c)
        endExchange(e)
    }

    /// The raw JSON-RPC id of the request that the client's input holds, for the answer to echo; empty if there is none
    /// or it cannot be told.
    private func requestID(_ e: Handle) -> [UInt8] {
        let c = exchanges[e].client
        let replayBytes = min(Int(exchanges[e].replayBytes), clients[c].input.count)
        guard replayBytes > 0, exchanges[e].method == .post else { return [] }
        let request = clients[c].input.bytes(0..<replayBytes)
        guard let body = Self.bodyStart(request) else { return [] }
        let message = Array(request[body...])
        guard let id = JSONRPC.requestID(in: message.span) else { return [] }
        return Array(message[id])
    }

    private static func bodyStart(_ request: [UInt8]) -> Int? {
        var index = 0
        while index + 3 < request.count {
            if request[index] == 0x0d, request[index + 1] == 0x0a, request[index + 2] == 0x0d,
                request[index + 3] == 0x0a
            {
                return index + 4
            }
            index += 1
        }
        return nil
    }

    // MARK: - Before there is an exchange

    /// Refuses what could not be parsed.
    mutating func reject(_ c: Handle, _ fault: HTTPParseError) {
        switch fault {
        case .malformed: reject(c, ErrorResponse.malformed)
        case .targetTooLong: reject(c, ErrorResponse.targetTooLong)
        case .headTooLarge: reject(c, ErrorResponse.headTooLarge)
        case .bodyTooLarge: reject(c, ErrorResponse.requestTooLarge)
        case .codingUnsupported: reject(c, ErrorResponse.codingUnsupported)
        case .versionUnsupported: reject(c, ErrorResponse.versionUnsupported)
        case .expectationFailed: reject(c, ErrorResponse.expectationFailed)
        }
    }

    /// Answers and closes: what follows on this connection cannot be understood.
    mutating func reject(_ c: Handle, _ errorResponse: ErrorResponse) {
        io.received.clear()
        io.composed.clear()
        compose(errorResponse, id: [], isHead: false, closes: true)
        write(c)
        if clients.contains(c) { linger(c) }
    }

    /// Answers a request whose head was read and whose body, if any, was not; the connection closes unless there is none.
    /// Always true: the request is dealt with.
    mutating func rejectAndKeepAlive(_ c: Handle, _ errorResponse: ErrorResponse) -> Bool {
        guard io.requestHead.framing == .none, io.requestHead.isKeepAlive, !errorResponse.closesConnection,
            clients[c].stream == 0
        else {
            reject(c, errorResponse)
            return true
        }
        io.received.consume(io.requestHead.length)
        clients[c].hasServed = true
        io.composed.clear()
        compose(errorResponse, id: [], isHead: io.requestHead.method == .head, closes: false)
        write(c)
        if clients.contains(c) { awaitRequest(c) }
        return true
    }

    /// Puts a whole response of ours into `composed`.
    private mutating func compose(_ errorResponse: ErrorResponse, id: [UInt8], isHead: Bool, closes: Bool) {
        let echoed = errorResponse.status == 404 ? [] : id
        let body = errorResponse.body(id: echoed.span)
        io.composed.clear()
        io.composed.append("HTTP/1.1 ")
        io.composed.append(decimal: UInt64(errorResponse.status))
        io.composed.append(0x20)
        io.composed.append(errorResponse.phrase)
        io.composed.append("\r\ncontent-type: ")
        io.composed.append(errorResponse.contentType)
        io.composed.append("\r\ncontent-length: ")
        io.composed.append(decimal: UInt64(body.count))
        io.composed.append("\r\ncache-control: no-store\r\n")
        if let seconds = errorResponse.retryAfterSeconds {
            io.composed.append("retry-after: ")
            io.composed.append(decimal: UInt64(seconds))
            io.composed.append("\r\n")
        }
        if let allow = errorResponse.allow {
            io.composed.append("allow: ")
            io.composed.append(allow)
            io.composed.append("\r\n")
        }
        io.composed.append(closes ? "connection: close\r\n\r\n" : "\r\n")
        if !isHead { io.composed.append(body) }
    }
}
