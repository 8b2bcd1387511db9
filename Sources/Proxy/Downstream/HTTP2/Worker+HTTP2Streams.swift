import HTTP
import Kernel
import Reactor
import Telemetry

/// The streams of HTTP/2 connections, each of which is a client without a socket.
extension Worker where Outside: ~Copyable {
    /// A request's head is there: a client is made that has sent just this.
    mutating func openStream(_ m: Handle, _ stream: Int32, _ head: ByteRange, isWhole: Bool) {
        // It may be gone already: the client has cancelled it, or the session was lost, further on in the same read.
        guard http2Connections[m].session.isOpen(stream: stream), !http2Connections[m].isBroken else { return }
        let connection = http2Connections[m].connection
        var client = ClientConnection(
            descriptor: .none, address: clients[connection].address, listener: Int(clients[connection].listener),
            phase: .reading)
        client.http2Connection = m.slot
        client.stream = stream
        client.isSecure = clients[connection].isSecure
        guard hasStreamCapacity(m), let c = clients.insert(client) else {
            metrics.increment(.refusedStreams)
            http2Connections[m].session.reset(stream: stream, code: .refusedStream)
            return
        }
        streamCount += 1
        http2Connections[m].streams[stream] = c
        let plan = listeners[Int(clients[c].listener)].plan
        setDeadline(client: c, now + snapshot.listeners[plan].bodyTimeout)
        if !isWhole, !isChunked(head) {
            // Its body is likely on its heels: read both together, at the end of this turn, and parse the head once.
            bufferPool.acquire(for: &clients[c].input)
            clients[c].input.append(events.bytes, head)
            if isRunningDeferred { deferLater(c) } else { resumeLater(client: c) }
            return
        }
        received.clear()
        received.append(events.bytes, head)
        readRequests(c)
        received.clear()
        if clients.contains(c) { clients[c].framesChunks = requestHead.framing == .chunked }
    }

    /// Whether one more stream of this connection leaves room for those of others: it may have an eighth of what is left.
    /// So a few greedy connections cannot take it all, and one alone is not bounded by this at all.
    private func hasStreamCapacity(_ m: Handle) -> Bool {
        let left = streamLimit - streamCount
        return left > 0 && http2Connections[m].streams.count < max(1, left / 8)
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
    mutating func takeData(_ m: Handle, _ stream: Int32, _ bytes: ByteRange) {
        guard let c = http2Connections[m].streams[stream], clients.contains(c) else {
            http2Connections[m].session.consumed(stream: stream, Int(bytes.count))
            return
        }
        clients[c].unreturnedWindow += UInt32(bytes.count)
        bufferPool.acquire(for: &clients[c].input)
        if clients[c].framesChunks {
            clients[c].input.append(hexadecimal: UInt64(bytes.count))
            clients[c].input.append("\r\n")
        }
        clients[c].input.append(events.bytes, bytes)
        if clients[c].framesChunks { clients[c].input.append("\r\n") }
        // Its head has not been read either.
        if clients[c].isResuming, clients[c].phase == .reading { return }
        resumeStream(c)
    }

    mutating func endRequest(_ m: Handle, _ stream: Int32, _ trailers: ByteRange) {
        guard let c = http2Connections[m].streams[stream], clients.contains(c), clients[c].framesChunks else { return }
        clients[c].input.append("0\r\n")
        clients[c].input.append(events.bytes, trailers)
        clients[c].input.append("\r\n")
        clients[c].needed = 0
        resumeStream(c)
    }

    /// Lets a stream's client read what it has been given, if it can use it now.
    private mutating func resumeStream(_ c: Handle) {
        clients[c].mayRead = true
        readWhileAllowed(c)
        received.clear()
    }

    /// What a stream's client "reads": the bytes it was given.
    mutating func takeStreamInput(_ c: Handle) -> Transfer {
        received.clear()
        clients[c].mayRead = false
        // What came while a connection was being opened has gone out with the head, and is not in the input any more.
        returnWindow(c)
        guard !clients[c].input.isEmpty else { return .wouldBlock }
        restoreInput(c)
        keptCount = 0
        return .moved(received.count)
    }

    /// What a stream's client has sent moves on: it may send as much again.
    mutating func returnWindow(_ c: Handle) {
        guard clients[c].unreturnedWindow > 0, let m = http2Connections.handle(inSlot: Int(clients[c].http2Connection))
        else { return }
        http2Connections[m].session.consumed(stream: clients[c].stream, Int(clients[c].unreturnedWindow))
        clients[c].unreturnedWindow = 0
        markDirty(m)
    }

    /// Translates what was composed for a stream's client: heads first, the rest is body.
    mutating func writeToStream(_ c: Handle) {
        defer { composed.clear() }
        guard let m = http2Connections.handle(inSlot: Int(clients[c].http2Connection)) else { return }
        let stream = clients[c].stream
        while !clients[c].hasHead, !composed.isEmpty {
            guard let head = http2Connections[m].session.respond(stream: stream, front: composed) else {
                http2Connections[m].session.reset(stream: stream, code: .internalError)
                break
            }
            clients[c].hasHead = !head.isInformational
            composed.consume(head.length)
        }
        if !composed.isEmpty {
            let isFirst = http2Connections[m].session.pendingBytes(stream: stream) == 0
            _ = http2Connections[m].session.write(stream: stream, composed, 0..<composed.count)
            // More of it is no sign of life: the patience runs from when the first of it began to wait.
            if isFirst || clients[c].deadline == .never { armStreamWriteTimeout(c) }
        }
        markDirty(m)
    }

    /// The response is complete: the stream ends when the client has taken it, and its client goes then.
    mutating func endStreamResponse(_ c: Handle) {
        guard let m = openConnection(c) else {
            resetStream(c, code: .internalError)
            return
        }
        http2Connections[m].session.endResponse(stream: clients[c].stream)
        lingerStream(c, m)
    }

    /// The response broke off: what there is of it goes out, then the stream is reset.
    mutating func abortStreamResponse(_ c: Handle) {
        guard clients[c].hasHead, let m = openConnection(c) else {
            resetStream(c, code: .internalError)
            return
        }
        http2Connections[m].session.abort(stream: clients[c].stream)
        lingerStream(c, m)
    }

    /// The stream's connection, if the stream is still there.
    private func openConnection(_ c: Handle) -> Handle? {
        guard let m = http2Connections.handle(inSlot: Int(clients[c].http2Connection)),
            http2Connections[m].session.isOpen(stream: clients[c].stream)
        else { return nil }
        return m
    }

    /// Ends the response with the trailer lines that were kept of it.
    mutating func sendTrailers(_ c: Handle, _ e: Handle) {
        guard let m = http2Connections.handle(inSlot: Int(clients[c].http2Connection)) else { return }
        let stream = clients[c].stream
        http2Connections[m].session.endResponse(
            stream: stream, trailers: exchanges[e].pending, 0..<exchanges[e].pending.count)
    }

    private mutating func lingerStream(_ c: Handle, _ m: Handle) {
        // From here on the client's bytes are of no use to anybody, and count as consumed.
        clients[c].phase = .lingering
        clients[c].exchange = .none
        clients[c].input.clear()
        bufferPool.release(&clients[c].input)
        returnWindow(c)
        if clients[c].deadline == .never || hasEmptied(c) { armStreamWriteTimeout(c) }
        markDirty(m)
    }

    /// Ends the stream at once and forgets its client.
    mutating func resetStream(_ c: Handle, code: HTTP2ErrorCode) {
        if let m = http2Connections.handle(inSlot: Int(clients[c].http2Connection)) {
            http2Connections[m].session.reset(stream: clients[c].stream, code: code)
            http2Connections[m].streams[clients[c].stream] = nil
            markDirty(m)
        }
        removeStream(c)
    }

    /// Response bytes wait for the client's window: a client that opens it not at all is given up.
    private mutating func armStreamWriteTimeout(_ c: Handle) {
        let plan = listeners[Int(clients[c].listener)].plan
        clients[c].needed = UInt32(clamping: pendingBytes(c))
        setDeadline(client: c, now + snapshot.listeners[plan].idleTimeout)
    }

    /// True, and the patience begins anew, if fewer bytes wait than when it last began.
    mutating func madeProgress(_ c: Handle) -> Bool {
        guard pendingBytes(c) < Int(clients[c].needed) else { return false }
        armStreamWriteTimeout(c)
        return true
    }

    /// Response bytes that wait for a stream's window.
    private func pendingBytes(_ c: Handle) -> Int {
        guard let m = http2Connections.handle(inSlot: Int(clients[c].http2Connection)) else { return 0 }
        return http2Connections[m].session.pendingBytes(stream: clients[c].stream)
    }

    /// A stream's client has taken all of the response that there is so far.
    func hasEmptied(_ c: Handle) -> Bool { clients[c].stream == 0 || pendingBytes(c) == 0 }

    /// The stream's connection is gone.
    func isOrphan(_ c: Handle) -> Bool { clients[c].stream != 0 && clients[c].http2Connection == .max }

    mutating func removeStream(_ c: Handle) {
        guard var client = clients.remove(c) else { return }
        streamCount -= 1
        client.input.clear()
        bufferPool.release(&client.input)
    }

    /// Bytes that a server may be read for a client now: none while its socket has not taken what there was; a stream
    /// has its share of what its connection may buffer.
    func credit(for c: Handle) -> Int {
        guard clients[c].stream != 0 else { return clients[c].output.isEmpty ? Worker.readBytes : 0 }
        guard let m = http2Connections.handle(inSlot: Int(clients[c].http2Connection)) else { return 0 }
        return http2Connections[m].session.credit(stream: clients[c].stream)
    }
}
