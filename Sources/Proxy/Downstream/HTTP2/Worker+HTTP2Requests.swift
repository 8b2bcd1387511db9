import HTTP
import Kernel
import Reactor
import Telemetry

/// Requests of HTTP/2 streams. A stream's request reaches the worker as the HTTP/1.1 text that the session makes of it.
extension Worker where Outside: ~Copyable {
    /// A request's head is there: a client is made that has sent just this.
    mutating func openStream(_ connection: Handle, _ stream: Int32, _ head: HTTP2RequestHead, isWhole: Bool) {
        // It may be gone already: the client has cancelled it, or the session was lost, later in the same read.
        guard clients.http2Connections[connection].session.isOpen(stream: stream),
            !clients.http2Connections[connection].isBroken
        else { return }
        guard let client = clients.insertStream(connection, stream, &clock) else {
            metrics.increment(.refusedStreams)
            clients.http2Connections[connection].session.reset(stream: stream, code: .refusedStream)
            return
        }
        clients.notedHeads.append(head, of: client)
        if !isWhole, !isChunked(head.text) {
            // The body is likely to follow at once: read both together, at the end of this turn, and parse the head once.
            io.bufferPool.acquire(for: &clients[client].transport.input)
            clients[client].transport.input.append(io.events.bytes, head.text)
            if clients.isRunningDeferred { clients.deferLater(client) } else { clients.resumeLater(client) }
            return
        }
        io.received.clear()
        io.received.append(io.events.bytes, head.text)
        readRequests(client)
        io.received.clear()
        if clients.contains(client) { clients[client].kind.stream?.framesChunks = io.requestHead.framing == .chunked }
    }

    /// Forgets the lines that sessions have noted in this turn. Heads that were not read are parsed from their text.
    mutating func forgetHeads() {
        guard !io.events.lines.isEmpty else { return }
        clients.notedHeads.removeAll()
        io.events.removeLines()
    }

    /// Whether the session has announced a body of unknown length: it adds that line last, and never a client's own.
    private func isChunked(_ head: ByteRange) -> Bool {
        let line: StaticString = "\r\ntransfer-encoding: chunked\r\n\r\n"
        let count = line.utf8CodeUnitCount
        guard Int(head.count) >= count else { return false }
        let view = io.events.bytes.span
        for index in 0..<count where view[head.upperBound - count + index] != (line.utf8Start + index).pointee {
            return false
        }
        return true
    }

    /// A piece of a request's body. What comes after the response is complete is of no use, and counts as consumed.
    mutating func receiveBody(_ connection: Handle, _ stream: Int32, _ range: ByteRange) {
        guard let client = clients.http2Connections[connection].streams[stream], clients.contains(client),
            clients[client].phase != .lingering
        else {
            clients.http2Connections[connection].session.consumed(stream: stream, Int(range.count))
            return
        }
        clients.appendBody(client, range, &io)
        // Its head has not been read either.
        if clients[client].awaitsTurn, clients[client].phase == .reading { return }
        resumeStream(client)
    }

    /// The end of a request's body whose length was not announced, with its trailers.
    mutating func endRequest(_ connection: Handle, _ stream: Int32, _ trailers: ByteRange) {
        guard let client = clients.http2Connections[connection].streams[stream], clients.contains(client),
            clients.framesChunks(client), clients[client].phase != .lingering
        else { return }
        clients[client].transport.input.append("0\r\n")
        clients[client].transport.input.append(io.events.bytes, trailers)
        clients[client].transport.input.append("\r\n")
        if clients[client].phase == .reading { clients[client].needed = 0 }
        resumeStream(client)
    }

    /// Lets a stream's client read what it has been given, if it can use it now.
    private mutating func resumeStream(_ client: Handle) {
        clients[client].transport.mayRead = true
        readWhileAllowed(client)
        io.received.clear()
    }
}
