import ASCII
import HTTP
import Kernel
import Reactor

// Reading connections, and parsing HTTP/1.1 responses.
extension Engine {
    /// Reads until the socket is drained or `readsPerTurn` reads were made; the connection then joins `pendingReads`.
    mutating func read(_ c: Handle) {
        if connections[c].phase == .handshaking {
            readHandshake(c)
            guard connections[c].phase == .open else { return }
        }
        // A local buffer, so that views of it and changes of the engine are apart.
        var bytes = ByteBuffer()
        swap(&bytes, &received)
        defer {
            bytes.clear()
            swap(&bytes, &received)
        }
        let incarnation = connections[c].incarnation
        for _ in 0..<Engine.readsPerTurn {
            guard connections[c].mayRead, connections[c].phase == .open else { return }
            let (outcome, isShort) = receive(c, into: &bytes)
            switch outcome {
            case .moved: break
            case .wouldBlock:
                connections[c].mayRead = false
                return
            case .ended: return peerClosed(c)
            case .failed: return failConnection(c, .reset)
            }
            if isShort, !connections[c].hasEnded { connections[c].mayRead = false }
            parseReceived(c, &bytes)
            guard connections[c].incarnation == incarnation, connections[c].phase == .open else { return }
            if !bytes.isEmpty {
                connections[c].input.append(bytes)
                bytes.clear()
            }
        }
        guard !connections[c].isReadPending else { return }
        connections[c].isReadPending = true
        pendingReads.append(c)
    }

    /// Reads again from the connections that had more to read than one turn allows.
    mutating func continueReads() {
        let waiting = pendingReads
        pendingReads.removeAll(keepingCapacity: true)
        for c in waiting {
            connections[c].isReadPending = false
            read(c)
        }
    }

    /// Appends the unparsed input and one read of the socket to `bytes`, decrypted. `isShort`: the socket was drained.
    private mutating func receive(_ c: Handle, into bytes: inout ByteBuffer) -> (outcome: Transfer, isShort: Bool) {
        if !connections[c].input.isEmpty {
            bytes.append(connections[c].input)
            connections[c].input.clear()
        }
        if connections[c].tls != nil { return receiveTLS(c, into: &bytes) }
        let result = world.receive(connections[c].descriptor, into: &bytes, atLeast: Engine.readBytes)
        if case .moved(let count) = result.outcome { counters.bytesReceived &+= UInt64(count) }
        return result
    }

    /// The peer has closed its side.
    private mutating func peerClosed(_ c: Handle) {
        if connections[c].http2 != nil {
            return connections[c].load == 0 ? closeAndReconnect(c) : failConnection(c, .closed)
        }
        if case .untilClose = connections[c].response.phase {
            let empty = ByteBuffer()
            return responseCompleted(c, empty.span)
        }
        failConnection(c, .closed)
    }

    /// Parses and removes what is complete in `bytes`. The rest is parsed again together with the next bytes.
    private mutating func parseReceived(_ c: Handle, _ bytes: inout ByteBuffer) {
        if connections[c].http2 != nil { return receiveHTTP2(c, &bytes) }
        let incarnation = connections[c].incarnation
        while !bytes.isEmpty {
            let consumed = parseNext(c, bytes.span)
            guard consumed >= 0, connections[c].incarnation == incarnation, connections[c].phase == .open else {
                return bytes.clear()
            }
            if consumed == 0 { return }
            bytes.consume(consumed)
        }
    }

    /// Parses one head, chunk or piece of a body. Returns the bytes it took: 0 if more are needed, below 0 if the
    /// connection was closed.
    private mutating func parseNext(_ c: Handle, _ bytes: Span<UInt8>) -> Int {
        switch connections[c].response.phase {
        case .head: return readHead(c, bytes)
        case .length(let rest):
            let count = Int(min(rest, UInt64(bytes.count)))
            if UInt64(count) == rest {
                responseCompleted(c, bytes.extracting(0..<count))
            } else {
                connections[c].response.phase = .length(rest - UInt64(count))
                responseBodyReceived(connections[c].call, bytes.extracting(0..<count))
            }
            return count
        case .untilClose:
            responseBodyReceived(connections[c].call, bytes)
            return bytes.count
        case .chunked(let decoder): return readChunks(c, decoder, bytes)
        }
    }

    /// Parses a response's head. Returns as `parseNext`.
    private mutating func readHead(_ c: Handle, _ bytes: Span<UInt8>) -> Int {
        let call = connections[c].call
        guard calls.contains(call), connections[c].load > 0 else { return rejectUnsolicited(c, bytes) }
        switch parser.parse(bytes, answering: calls[call].kind.method, into: &head) {
        case .incomplete: return 0
        case .invalid:
            counters.addExample("not HTTP: \(bytes.excerpt())")
            failConnection(c, .unreadable)
            return -1
        case .complete(let length):
            if head.isInformational { return length }
            connections[c].response.isLast = !head.isKeepAlive
            let session = head.sessionID.map { $0.range } ?? 0..<0
            responseHeadReceived(
                call, status: head.status, content: contentKind(bytes), sessionID: bytes.extracting(session))
            switch head.framing {
            case .none:
                responseCompleted(c, bytes.extracting(0..<0))
            case .length(0):
                responseCompleted(c, bytes.extracting(0..<0))
            case .length(let count): connections[c].response.phase = .length(count)
            case .chunked: connections[c].response.phase = .chunked(ChunkDecoder())
            case .untilClose: connections[c].response.phase = .untilClose
            }
            return length
        }
    }

    /// The kind of body that the Content-Type of `head` names.
    private func contentKind(_ bytes: Span<UInt8>) -> ContentKind {
        if head.isEventStream { return .events }
        for index in 0..<head.fields.count where head.fields[index].kind == .contentType {
            return bytes.has("application/json", at: head.fields[index].value.lowerBound) ? .json : .other
        }
        return .none
    }

    /// Decodes one piece of a chunked body (RFC 9112 section 7.1). Returns as `parseNext`.
    private mutating func readChunks(_ c: Handle, _ current: ChunkDecoder, _ bytes: Span<UInt8>) -> Int {
        var decoder = current
        switch decoder.next(bytes, from: 0) {
        case .data(let range):
            connections[c].response.phase = .chunked(decoder)
            responseBodyReceived(connections[c].call, bytes.extracting(range.range))
            return range.upperBound
        case .trailer(let range):
            connections[c].response.phase = .chunked(decoder)
            return range.upperBound
        case .needsMore(let consumed):
            connections[c].response.phase = .chunked(decoder)
            return consumed
        case .end(let end):
            responseCompleted(c, bytes.extracting(0..<0))
            return end
        case .invalid:
            counters.addExample("not HTTP: bad chunks")
            failConnection(c, .unreadable)
            return -1
        }
    }

    /// `rest` completes the response. The connection is free for the next call, or is closed.
    private mutating func responseCompleted(_ c: Handle, _ rest: Span<UInt8>) {
        let call = connections[c].call
        connections[c].call = .none
        connections[c].load = 0
        connections[c].responses &+= 1
        connections[c].response.phase = .head
        let isLast = connections[c].response.isLast
        let isInOrder = responseEnded(call, rest)
        // A response with the id of another call: all later ones on this connection would be off by one as well.
        if isLast || !isInOrder || groups[connections[c].group].workload == .churn { return closeAndReconnect(c) }
        markFree(c)
    }

    /// Closes a connection after its last response, and reconnects.
    mutating func closeAndReconnect(_ c: Handle) {
        sendCloseNotify(c)
        closeSocket(c)
        reconnect(c, immediately: true)
    }

    /// Counts a response while no call is under way: a second response to a call, or one meant for another client.
    private mutating func rejectUnsolicited(_ c: Handle, _ bytes: Span<UInt8>) -> Int {
        // Some servers send 408 before they close an idle connection (RFC 9110 section 15.5.9).
        if bytes.has("HTTP/1.1 408", at: 0) || bytes.has("HTTP/1.0 408", at: 0) {
            closeAndReconnect(c)
            return -1
        }
        counters.count(.answeredTwice)
        counters.addExample("unsolicited response: \(bytes.excerpt())")
        closeAndReconnect(c)
        return -1
    }
}

/// The media type of a response, as far as the engine tells them apart.
enum ContentKind: Sendable {
    case none, json, events, other
}
