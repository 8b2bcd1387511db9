import ASCII
import HTTP
import Kernel
import Reactor

// What connections hear, up to whole answers (HTTP/1.1).
extension Engine {
    /// Reads until there is nothing left or the connection's share of the turn is used up.
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
            case .ended: return ended(c)
            case .failed: return lose(c, .reset)
            }
            if isShort, !connections[c].hasEnded { connections[c].mayRead = false }
            understand(c, &bytes)
            guard connections[c].incarnation == incarnation, connections[c].phase == .open else { return }
            if !bytes.isEmpty {
                connections[c].input.append(bytes)
                bytes.clear()
            }
        }
        guard !connections[c].isListed else { return }
        connections[c].isListed = true
        listed.append(c)
    }

    /// Goes on with those that had more to read than a turn allows.
    mutating func readOn() {
        let waiting = listed
        listed.removeAll(keepingCapacity: true)
        for c in waiting {
            connections[c].isListed = false
            read(c)
        }
    }

    private mutating func receive(_ c: Handle, into bytes: inout ByteBuffer) -> (outcome: Transfer, isShort: Bool) {
        if !connections[c].input.isEmpty {
            bytes.append(connections[c].input)
            connections[c].input.clear()
        }
        if connections[c].tls != nil { return receiveSecure(c, into: &bytes) }
        let result = world.receive(connections[c].descriptor, into: &bytes, room: Engine.readBytes)
        if case .moved(let count) = result.outcome { counters.bytesReceived &+= UInt64(count) }
        return result
    }

    /// The peer has finished.
    private mutating func ended(_ c: Handle) {
        if connections[c].http2 != nil { return connections[c].load == 0 ? closeConnections(c) : lose(c, .closed) }
        if case .untilClose = connections[c].response.phase {
            let empty = ByteBuffer()
            return endAnswer(c, empty.span)
        }
        lose(c, .closed)
    }

    /// Takes off `bytes` what can be understood; the rest is shown again together with what follows.
    private mutating func understand(_ c: Handle, _ bytes: inout ByteBuffer) {
        if connections[c].http2 != nil { return understandHTTP2(c, &bytes) }
        let incarnation = connections[c].incarnation
        while !bytes.isEmpty {
            let consumed = step(c, bytes.span)
            guard consumed >= 0, connections[c].incarnation == incarnation, connections[c].phase == .open else {
                return bytes.clear()
            }
            if consumed == 0 { return }
            bytes.consume(consumed)
        }
    }

    /// Understands one piece. How many bytes that took: 0 if more are needed, below 0 if the connection is gone.
    private mutating func step(_ c: Handle, _ bytes: Span<UInt8>) -> Int {
        switch connections[c].response.phase {
        case .head: return readHead(c, bytes)
        case .length(let rest):
            let count = Int(min(rest, UInt64(bytes.count)))
            if UInt64(count) == rest {
                endAnswer(c, bytes.extracting(0..<count))
            } else {
                connections[c].response.phase = .length(rest - UInt64(count))
                answerGave(connections[c].call, bytes.extracting(0..<count))
            }
            return count
        case .untilClose:
            answerGave(connections[c].call, bytes)
            return bytes.count
        case .chunked(let decoder): return readChunks(c, decoder, bytes)
        }
    }

    private mutating func readHead(_ c: Handle, _ bytes: Span<UInt8>) -> Int {
        let call = connections[c].call
        guard calls.contains(call), connections[c].load > 0 else { return hearUnasked(c, bytes) }
        switch parser.parse(bytes, answering: calls[call].kind.method, into: &head) {
        case .incomplete: return 0
        case .invalid:
            counters.note("not HTTP: \(bytes.excerpt())")
            lose(c, .unreadable)
            return -1
        case .complete(let length):
            if head.isInformational { return length }
            connections[c].response.isLast = !head.isKeepAlive
            let session = head.sessionID.map { $0.range } ?? 0..<0
            answerBegan(
                call, status: head.status, content: contentKind(bytes), sessionID: bytes.extracting(session))
            switch head.framing {
            case .none:
                endAnswer(c, bytes.extracting(0..<0))
            case .length(0):
                endAnswer(c, bytes.extracting(0..<0))
            case .length(let count): connections[c].response.phase = .length(count)
            case .chunked: connections[c].response.phase = .chunked(ChunkDecoder())
            case .untilClose: connections[c].response.phase = .untilClose
            }
            return length
        }
    }

    private func contentKind(_ bytes: Span<UInt8>) -> ContentKind {
        if head.isEventStream { return .events }
        for index in 0..<head.fields.count where head.fields[index].kind == .contentType {
            return bytes.has("application/json", at: head.fields[index].value.lowerBound) ? .json : .other
        }
        return .none
    }

    private mutating func readChunks(_ c: Handle, _ current: ChunkDecoder, _ bytes: Span<UInt8>) -> Int {
        var decoder = current
        switch decoder.next(bytes, from: 0) {
        case .data(let range):
            connections[c].response.phase = .chunked(decoder)
            answerGave(connections[c].call, bytes.extracting(range.range))
            return range.upperBound
        case .trailer(let range):
            connections[c].response.phase = .chunked(decoder)
            return range.upperBound
        case .needsMore(let consumed):
            connections[c].response.phase = .chunked(decoder)
            return consumed
        case .end(let end):
            endAnswer(c, bytes.extracting(0..<0))
            return end
        case .invalid:
            counters.note("not HTTP: bad chunks")
            lose(c, .unreadable)
            return -1
        }
    }

    /// The answer is complete with these bytes: the connection is free for another, or at its end.
    private mutating func endAnswer(_ c: Handle, _ rest: Span<UInt8>) {
        let call = connections[c].call
        connections[c].call = .none
        connections[c].load = 0
        connections[c].answers &+= 1
        connections[c].response.phase = .head
        let isLast = connections[c].response.isLast
        let isInStep = answerEnded(call, rest)
        // Whoever gave an answer to another question will be one behind for ever.
        if isLast || !isInStep || groups[connections[c].group].workload == .churn { return closeConnections(c) }
        makeFree(c)
    }

    /// Closes a connection that has done what it was for.
    mutating func closeConnections(_ c: Handle) {
        sendClose(c)
        drop(c)
        renew(c, atOnce: true)
    }

    /// Bytes that nobody asked for: a second answer to a call, or one to a call of somebody else.
    private mutating func hearUnasked(_ c: Handle, _ bytes: Span<UInt8>) -> Int {
        // How some servers say goodbye to an idle connection (RFC 9110 section 15.5.9).
        if bytes.has("HTTP/1.1 408", at: 0) || bytes.has("HTTP/1.0 408", at: 0) {
            closeConnections(c)
            return -1
        }
        counters.count(.answeredTwice)
        counters.note("answered twice or unasked: \(bytes.excerpt())")
        closeConnections(c)
        return -1
    }
}

/// What an answer says its body is.
enum ContentKind: Sendable {
    case none, json, events, other
}
