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
        if clients[c].output.isEmpty { expectQuiet(m) }
        var position = 0
        while position < events.count, multiplexes.contains(m) {
            heed(m, events[position])
            position += 1
        }
        if multiplexes.contains(m) { markDirty(m) }
    }

    private mutating func heed(_ m: Handle, _ event: HTTP2Event) {
        switch event {
        case .request(let stream, let head, let endsStream):
            openStream(m, stream, head, isWhole: endsStream)
        case .data(let stream, let bytes):
            takeData(m, stream, bytes)
        case .requestEnd(let stream, let trailers):
            endRequest(m, stream, trailers)
        case .reset(let stream, _), .closed(let stream):
            guard let c = multiplexes[m].streams.removeValue(forKey: stream), clients.contains(c) else { return }
            let e = clients[c].exchange
            if exchanges.contains(e) { abandon(e) }
            removeStream(c)
        case .roomAgain(let stream):
            if let c = multiplexes[m].streams[stream], clients.contains(c) { roomAgain(c) }
        case .goAway:
            break
        }
    }

    /// A request's head is there: a client is made that has sent just this.
    private mutating func openStream(_ m: Handle, _ stream: Int32, _ head: ByteRange, isWhole: Bool) {
        // It may be gone already: the client has cancelled it, or the session was lost, further on in the same read.
        guard multiplexes[m].session.isOpen(stream: stream), !multiplexes[m].isBroken else { return }
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
        if !isWhole, !isChunked(head) {
            // Its body is likely on its heels: read both together, at the end of this turn, and parse the head once.
            spare.lend(to: &clients[c].input)
            clients[c].input.append(events.bytes, head)
            resumeLater(client: c)
            return
        }
        received.clear()
        received.append(events.bytes, head)
        readRequests(c)
        received.clear()
        if clients.contains(c) { clients[c].framesChunks = requestHead.framing == .chunked }
    }

    /// Whether the session has announced a body of unknown length: that is its last line, and never a client's own.
    private func isChunked(_ head: ByteRange) -> Bool {
        let line: StaticString = "\r\ntransfer-encoding: chunked\r\n\r\n"
        let count = line.utf8CodeUnitCount
        guard Int(head.count) >= count else { return false }
        let view = events.bytes.span
        for index in 0..<count where view[head.upperBound - count + index] != (line.utf8Start + index).pointee {
            return false
        }
        return true
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
        // Its head has not been read either.
        if clients[c].isResuming, clients[c].phase == .reading { return }
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
        // What came while a connection was being opened has gone out with the head, and is not in the input any more.
        openWindow(c)
        guard !clients[c].input.isEmpty else { return .wouldBlock }
        unstash(c)
        keptCount = 0
        return .moved(received.count)
    }

    /// What a stream's client has sent moves on: it may send as much again.
    mutating func openWindow(_ c: Handle) {
        guard clients[c].owed > 0, let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else { return }
        multiplexes[m].session.consumed(stream: clients[c].stream, Int(clients[c].owed))
        clients[c].owed = 0
        markDirty(m)
    }

    /// Translates what was composed for a stream's client: heads first, the rest is body.
    mutating func deliverToStream(_ c: Handle) {
        defer { composed.clear() }
        guard let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else { return }
        let stream = clients[c].stream
        while !clients[c].hasHead, !composed.isEmpty {
            guard let head = multiplexes[m].session.respond(stream: stream, front: composed) else {
                multiplexes[m].session.reset(stream: stream, code: .internalError)
                break
            }
            clients[c].hasHead = !head.isInterim
            composed.consume(head.length)
        }
        if !composed.isEmpty {
            let isFirst = multiplexes[m].session.pendingBytes(stream: stream) == 0
            _ = multiplexes[m].session.write(stream: stream, composed, 0..<composed.count)
            // More of it is no sign of life: the patience runs from when the first of it began to wait.
            if isFirst || clients[c].deadline == .never { expectWindow(c) }
        }
        markDirty(m)
    }

    /// The response is complete: the stream ends when the client has taken it, and its client goes then.
    mutating func finishStream(_ c: Handle) {
        guard let m = openMultiplex(c) else {
            resetStream(c, code: .internalError)
            return
        }
        multiplexes[m].session.finish(stream: clients[c].stream)
        lingerStream(c, m)
    }

    /// The response broke off: what there is of it goes out, then the stream is reset.
    mutating func breakOffStream(_ c: Handle) {
        guard clients[c].hasHead, let m = openMultiplex(c) else {
            resetStream(c, code: .internalError)
            return
        }
        multiplexes[m].session.breakOff(stream: clients[c].stream)
        lingerStream(c, m)
    }

    /// The stream's connection, if the stream is still there.
    private func openMultiplex(_ c: Handle) -> Handle? {
        guard let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)),
            multiplexes[m].session.isOpen(stream: clients[c].stream)
        else { return nil }
        return m
    }

    /// Ends the response with the trailer lines that were kept of it.
    mutating func sendTrailers(_ c: Handle, _ e: Handle) {
        guard let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else { return }
        let stream = clients[c].stream
        multiplexes[m].session.finish(stream: stream, trailers: exchanges[e].pending, 0..<exchanges[e].pending.count)
    }

    private mutating func lingerStream(_ c: Handle, _ m: Handle) {
        // From here on the client's bytes are of no use to anybody, and count as consumed.
        clients[c].phase = .lingering
        clients[c].exchange = .none
        clients[c].input.clear()
        spare.collect(&clients[c].input)
        if clients[c].owed > 0 {
            multiplexes[m].session.consumed(stream: clients[c].stream, Int(clients[c].owed))
            clients[c].owed = 0
        }
        if clients[c].deadline == .never || hasEmptied(c) { expectWindow(c) }
        markDirty(m)
    }

    /// Ends the stream at once and forgets its client.
    mutating func resetStream(_ c: Handle, code: HTTP2ErrorCode) {
        if let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) {
            multiplexes[m].session.reset(stream: clients[c].stream, code: code)
            multiplexes[m].streams[clients[c].stream] = nil
            markDirty(m)
        }
        removeStream(c)
    }

    /// Response bytes wait for the client's window: a client that opens it not at all is given up.
    private mutating func expectWindow(_ c: Handle) {
        let plan = listeners[Int(clients[c].listener)].plan
        clients[c].needed = UInt32(clamping: pendingBytes(c))
        setDeadline(client: c, now + snapshot.listeners[plan].idleTimeout)
    }

    /// True, and the patience begins anew, if fewer bytes wait than when it last began.
    mutating func hasTakenSome(_ c: Handle) -> Bool {
        guard pendingBytes(c) < Int(clients[c].needed) else { return false }
        expectWindow(c)
        return true
    }

    /// Response bytes that wait for a stream's window.
    private func pendingBytes(_ c: Handle) -> Int {
        guard let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else { return 0 }
        return multiplexes[m].session.pendingBytes(stream: clients[c].stream)
    }

    /// A stream's client has taken all of the response that there is so far.
    func hasEmptied(_ c: Handle) -> Bool { clients[c].stream == 0 || pendingBytes(c) == 0 }

    private mutating func removeStream(_ c: Handle) {
        guard var client = clients.remove(c) else { return }
        client.input.clear()
        spare.collect(&client.input)
    }

    /// The connection is closing: every stream's exchange is called off.
    mutating func dissolve(_ c: Handle) {
        guard let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else { return }
        clients[c].multiplex = .max
        noteAbuse(m)
        for (_, client) in multiplexes[m].streams where clients.contains(client) {
            let e = clients[client].exchange
            if exchanges.contains(e) { abandon(e) }
            removeStream(client)
        }
        _ = multiplexes.remove(m)
    }

    /// Counts what ended the connection, if it was more than a client may do.
    private func noteAbuse(_ m: Handle) {
        let abuse = multiplexes[m].session.abuse
        let incident: Incident? =
            switch abuse.verdict {
            case .none: nil
            case .resets: .resets
            case .pings: .pings
            case .settings: .settings
            case .emptyData: .emptyData
            case .priorities: .priorities
            case .windowUpdates: .windowUpdates
            case .continuations: .continuations
            case .headerList: .headerLists
            case .events: .events
            case .queuedFrames: .queuedFrames
            }
        if let incident { board.note(incident) }
        board.note(.largeHeads, Int64(abuse.largeHeads))
        board.note(.malformedRequests, Int64(abuse.malformed))
    }

    /// The client with the socket: itself, or the connection that a stream belongs to.
    func connection(of c: Handle) -> Handle {
        guard clients[c].stream != 0, let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else { return c }
        return multiplexes[m].connection
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
        guard clients.contains(c) else { return }
        guard clients[c].output.isEmpty else {
            // It does not read: what there is to say about that would not be heard.
            if multiplexes[m].isBroken { linger(c) }
            return
        }
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
            linger(c)
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
        if multiplexes[m].streams.isEmpty {
            switch multiplexes[m].farewell {
            case .none, .notice: sayGoAway(m)
            case .final:
                linger(c)
                return
            }
        }
        expectQuiet(m)
    }

    /// The connection was heard, or looked at: sets when it is looked at next.
    private mutating func expectQuiet(_ m: Handle) {
        let c = multiplexes[m].connection
        let plan = listeners[Int(clients[c].listener)].plan
        let patience = snapshot.listeners[plan].idleTimeout
        let isLeaving = multiplexes[m].farewell != .none
        setDeadline(client: c, now + (isLeaving ? min(patience, .seconds(1)) : patience))
    }

    /// First a notice, next time the end: no new streams; those there are go on.
    mutating func sayGoAway(_ m: Handle) {
        switch multiplexes[m].farewell {
        case .none:
            multiplexes[m].farewell = .notice
            multiplexes[m].session.goAway(isFinal: false)
        case .notice:
            multiplexes[m].farewell = .final
            multiplexes[m].session.goAway(isFinal: true)
        case .final:
            return
        }
        multiplexes[m].farewellAt = now
        markDirty(m)
    }

    /// During a drain: the final word follows the notice by more than a round trip. True if it has been said.
    mutating func hasLeft(_ c: Handle) -> Bool {
        guard let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else { return true }
        switch multiplexes[m].farewell {
        case .none:
            sayGoAway(m)
        case .notice:
            if now - multiplexes[m].farewellAt >= .milliseconds(200) { sayGoAway(m) }
        case .final:
            // Said in an earlier turn, it is sent; or the client does not read.
            return now > multiplexes[m].farewellAt
        }
        return false
    }
}
