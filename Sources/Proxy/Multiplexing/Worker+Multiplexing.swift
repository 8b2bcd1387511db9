import HTTP
import Kernel
import Reactor
import TLS
import Telemetry

/// HTTP/2 (RFC 9113): one connection, many clients.
extension Worker where Outside: ~Copyable {
    /// Response bytes a stream may have waiting for its window before its server is not read any more.
    static var streamCredit: Int { 65_536 }
    /// Frames gathered for one write.
    private static var framesPerWrite: Int { 131_072 }

    /// The connection speaks HTTP/2, by ALPN or by prior knowledge.
    mutating func beginMultiplexing(_ c: Handle) {
        let plan = listeners[Int(clients[c].listener)].plan
        guard let session = HTTP2Session(limits: snapshot.listeners[plan].http2, now: now),
            let m = multiplexes.insert(Multiplex(connection: c, session: session))
        else {
            closeClient(c, reset: true)
            return
        }
        clients[c].phase = .multiplexing
        clients[c].multiplex = m.slot
        clients[c].needed = 0
        clients[c].isGathering = false
        setDeadline(client: c, now + snapshot.listeners[plan].idleTimeout)
        markDirty(m)
    }

    /// True if what the scratch holds is the beginning of HTTP/2 without TLS (RFC 9113 section 3.3).
    func startsMultiplexing(_ c: Handle) -> Bool {
        guard !clients[c].hasServed, clients[c].stream == 0, received.count >= 4 else { return false }
        let preface: StaticString = "PRI * HTTP/2.0"
        let view = received.span
        for index in 0..<min(view.count, preface.utf8CodeUnitCount)
        where view[index] != (preface.utf8Start + index).pointee {
            return false
        }
        return true
    }

    /// Hands what the connection has sent to its session and acts on what that says.
    mutating func feed(_ c: Handle) {
        guard let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else { return }
        events.removeAll()
        if !multiplexes[m].session.receive(received, now: now, events: &events) { multiplexes[m].isBroken = true }
        received.clear()
        var position = 0
        while position < events.count, multiplexes.contains(m) {
            heed(m, events[position])
            position += 1
        }
        if multiplexes.contains(m) { markDirty(m) }
    }

    private mutating func heed(_ m: Handle, _ event: HTTP2Event) {
        switch event {
        case .request(let stream, let head, _):
            openStream(m, stream, head)
        case .data(let stream, let bytes):
            takeData(m, stream, bytes)
        case .requestEnd(let stream, let trailers):
            endRequest(m, stream, trailers)
        case .reset(let stream, _):
            guard let c = multiplexes[m].streams.removeValue(forKey: stream) else { return }
            let e = clients[c].exchange
            if exchanges.contains(e) { abandon(e) }
            removeStream(c)
        case .roomAgain(let stream):
            if let c = multiplexes[m].streams[stream], clients.contains(c) { roomAgain(c) }
        case .closed, .goAway:
            break
        }
    }

    /// A request's head is there: a client is made that has sent just this.
    private mutating func openStream(_ m: Handle, _ stream: Int32, _ head: ByteRange) {
        let connection = multiplexes[m].connection
        var client = ClientConnection(
            descriptor: .none, address: clients[connection].address, listener: Int(clients[connection].listener),
            phase: .reading)
        client.multiplex = m.slot
        client.stream = stream
        client.isSecure = clients[connection].isSecure
        guard !clients.isFull, let c = clients.insert(client) else {
            multiplexes[m].session.reset(stream: stream, code: .refusedStream)
            return
        }
        multiplexes[m].streams[stream] = c
        let plan = listeners[Int(clients[c].listener)].plan
        setDeadline(client: c, now + snapshot.listeners[plan].bodyTimeout)
        received.clear()
        received.append(events.bytes, head)
        readRequests(c)
        received.clear()
        if clients.contains(c) { clients[c].framesChunks = requestHead.framing == .chunked }
    }

    /// A piece of a request's body. Its window opens again as it moves on, so that a slow server slows its client.
    private mutating func takeData(_ m: Handle, _ stream: Int32, _ bytes: ByteRange) {
        guard let c = multiplexes[m].streams[stream], clients.contains(c) else {
            multiplexes[m].session.consumed(stream: stream, Int(bytes.count))
            return
        }
        clients[c].owed += UInt32(bytes.count)
        spare.lend(to: &clients[c].input)
        if clients[c].framesChunks {
            clients[c].input.append(hexadecimal: UInt64(bytes.count))
            clients[c].input.append("\r\n")
        }
        clients[c].input.append(events.bytes, bytes)
        if clients[c].framesChunks { clients[c].input.append("\r\n") }
        moveOn(c)
    }

    private mutating func endRequest(_ m: Handle, _ stream: Int32, _ trailers: ByteRange) {
        guard let c = multiplexes[m].streams[stream], clients.contains(c), clients[c].framesChunks else { return }
        clients[c].input.append("0\r\n")
        clients[c].input.append(events.bytes, trailers)
        clients[c].input.append("\r\n")
        moveOn(c)
    }

    /// Lets a stream's client read what it has been given, if it can use it now.
    private mutating func moveOn(_ c: Handle) {
        clients[c].mayRead = true
        pumpClient(c)
        received.clear()
    }

    /// What a stream's client "reads": the bytes it was given.
    mutating func fillFromStream(_ c: Handle) -> Transfer {
        received.clear()
        clients[c].mayRead = false
        guard !clients[c].input.isEmpty else { return .wouldBlock }
        unstash(c)
        keptCount = 0
        if clients[c].owed > 0, let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) {
            multiplexes[m].session.consumed(stream: clients[c].stream, Int(clients[c].owed))
            clients[c].owed = 0
            markDirty(m)
        }
        return .moved(received.count)
    }

    /// Translates what was composed for a stream's client: heads first, the rest is body.
    mutating func deliverToStream(_ c: Handle) {
        defer { composed.clear() }
        guard let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else { return }
        let stream = clients[c].stream
        while !clients[c].hasHead, !composed.isEmpty {
            guard case .complete(let length) = responseParser.parse(composed, answering: .head, into: &ownHead),
                multiplexes[m].session.respond(stream: stream, head: composed, 0..<length, endsStream: false)
            else {
                multiplexes[m].session.reset(stream: stream, code: .internalError)
                break
            }
            clients[c].hasHead = !ownHead.isInterim
            composed.consume(length)
        }
        if !composed.isEmpty {
            _ = multiplexes[m].session.write(stream: stream, composed, 0..<composed.count)
            let plan = listeners[Int(clients[c].listener)].plan
            setDeadline(client: c, now + snapshot.listeners[plan].idleTimeout)
        }
        markDirty(m)
    }

    /// The response is complete, or will not get any longer: ends the stream and forgets its client.
    mutating func finishStream(_ c: Handle, code: HTTP2ErrorCode?) {
        if let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) {
            let stream = clients[c].stream
            if let code {
                multiplexes[m].session.reset(stream: stream, code: code)
            } else {
                multiplexes[m].session.finish(stream: stream)
            }
            if clients[c].owed > 0 { multiplexes[m].session.consumed(stream: stream, Int(clients[c].owed)) }
            multiplexes[m].streams[stream] = nil
            markDirty(m)
        }
        removeStream(c)
    }

    private mutating func removeStream(_ c: Handle) {
        guard var client = clients.remove(c) else { return }
        client.input.clear()
        spare.collect(&client.input)
    }

    /// The connection is closing: every stream's exchange is called off.
    mutating func dissolve(_ c: Handle) {
        guard let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else { return }
        for (_, client) in multiplexes[m].streams where clients.contains(client) {
            let e = clients[client].exchange
            if exchanges.contains(e) { abandon(e) }
            removeStream(client)
        }
        _ = multiplexes.remove(m)
    }

    /// A client may be sent more: its socket, or its stream, has taken what there was.
    func takesMore(_ c: Handle) -> Bool {
        guard clients[c].stream != 0 else { return clients[c].output.isEmpty }
        guard let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else { return false }
        return multiplexes[m].session.pendingBytes(stream: clients[c].stream) < Worker.streamCredit
    }

    // MARK: - Frames

    mutating func markDirty(_ m: Handle) {
        guard !multiplexes[m].isDirty else { return }
        multiplexes[m].isDirty = true
        dirtyMultiplexes.append(m)
    }

    /// Sends the frames of this turn, one write a connection.
    mutating func sendFrames() {
        guard !dirtyMultiplexes.isEmpty else { return }
        swap(&dirtyMultiplexes, &sendingMultiplexes)
        for m in sendingMultiplexes where multiplexes.contains(m) {
            multiplexes[m].isDirty = false
            sendFrames(m)
        }
        sendingMultiplexes.removeAll(keepingCapacity: true)
    }

    private mutating func sendFrames(_ m: Handle) {
        let c = multiplexes[m].connection
        // The socket's next writable event marks it again.
        guard clients.contains(c), clients[c].output.isEmpty else { return }
        composed.clear()
        events.removeAll()
        multiplexes[m].session.send(into: &composed, limit: Worker.framesPerWrite, events: &events)
        let isLong = composed.count >= Worker.framesPerWrite
        deliver(c)
        var position = 0
        while position < events.count, multiplexes.contains(m) {
            heed(m, events[position])
            position += 1
        }
        guard multiplexes.contains(m), clients.contains(c) else { return }
        if multiplexes[m].isBroken || multiplexes[m].session.isFinished {
            if clients[c].output.isEmpty { closeClient(c, reset: false) } else { clients[c].closesAfterOutput = true }
        } else if isLong {
            markDirty(m)
        }
    }

    /// The connection's own deadline: a quiet one is told to go.
    mutating func multiplexDue(_ c: Handle) {
        guard let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else {
            closeClient(c, reset: false)
            return
        }
        let plan = listeners[Int(clients[c].listener)].plan
        if multiplexes[m].streams.isEmpty { sayGoAway(m) }
        setDeadline(client: c, now + snapshot.listeners[plan].idleTimeout)
    }

    /// No new streams; those there are go on.
    mutating func sayGoAway(_ m: Handle) {
        multiplexes[m].session.goAway(isFinal: true)
        markDirty(m)
    }
}
