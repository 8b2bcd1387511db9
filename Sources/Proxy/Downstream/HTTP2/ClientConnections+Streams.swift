import HTTP
import Kernel
import Reactor

/// Responses of HTTP/2 streams (RFC 9113 section 8.1), whose bytes the rest of the worker writes as HTTP/1.1.
extension ClientConnections {
    /// The HTTP/2 connection of a client that is one or a stream of one, as long as it is there.
    func http2Connection(of client: Handle) -> Handle? {
        http2Connections.handle(inSlot: Int(slab[client].http2Connection))
    }

    /// The client with the socket: itself, or the connection that a stream belongs to.
    func socket(of client: Handle) -> Handle {
        guard isStream(client), let connection = http2Connection(of: client) else { return client }
        return http2Connections[connection].client
    }

    /// Whether the client is a stream whose connection is gone.
    func isOrphan(_ client: Handle) -> Bool { isStream(client) && slab[client].http2Connection == .max }

    /// Has the connection's frames sent at the end of this turn.
    mutating func markDirty(_ connection: Handle) { unsentHTTP2Connections.append(connection, in: &http2Connections) }

    /// Begins a stream's response: with the head in `io.composed`, and in it at `gap` the fields that go on of the server's.
    mutating func respond<Outside: World & ~Copyable>(
        _ client: Handle, forwardingAt gap: Int, keepsSession: Bool, _ io: inout ConnectionIO<Outside>
    ) {
        defer { io.composed.clear() }
        guard contains(client), let stream = slab[client].kind.stream, !stream.hasHead,
            let connection = http2Connection(of: client)
        else { return }
        let isTaken = http2Connections[connection].session.respond(
            stream: stream.id, head: io.composed, forwarding: io.responseHead.fields, of: io.received, at: gap,
            keepsSession: keepsSession)
        slab[client].kind.stream?.hasHead = isTaken
        if !isTaken { http2Connections[connection].session.reset(stream: stream.id, code: .internalError) }
        markDirty(connection)
    }

    /// Translates `io.composed` for a stream: heads first, the rest is body.
    mutating func writeToStream<Outside: World & ~Copyable>(
        _ client: Handle, _ state: HTTP2StreamState, _ io: inout ConnectionIO<Outside>, _ clock: inout Clock
    ) {
        defer { io.composed.clear() }
        guard let connection = http2Connection(of: client) else { return }
        var hasHead = state.hasHead
        while !hasHead, !io.composed.isEmpty {
            guard let head = http2Connections[connection].session.respond(stream: state.id, front: io.composed) else {
                http2Connections[connection].session.reset(stream: state.id, code: .internalError)
                break
            }
            hasHead = !head.isInformational
            io.composed.consume(head.length)
        }
        if hasHead != state.hasHead { slab[client].kind.stream?.hasHead = hasHead }
        if !io.composed.isEmpty {
            let isFirst = http2Connections[connection].session.pendingBytes(stream: state.id) == 0
            _ = http2Connections[connection].session.write(stream: state.id, io.composed, 0..<io.composed.count)
            // More to send is no progress of the client's: the timeout runs from when the first of it began to wait.
            if isFirst || slab[client].deadline == .never {
                armStreamWriteTimeout(client, &clock)
            } else {
                slab[client].needed = UInt32(clamping: UInt64(slab[client].needed) + UInt64(io.composed.count))
            }
        }
        markDirty(connection)
    }

    /// The response is complete: the stream ends when the client has taken it, and is forgotten then.
    mutating func endStreamResponse<Outside: World & ~Copyable>(
        _ client: Handle, _ io: inout ConnectionIO<Outside>, _ clock: inout Clock
    ) {
        guard let (connection, stream) = openStream(client) else {
            resetStream(client, code: .internalError, &io)
            return
        }
        http2Connections[connection].session.endResponse(stream: stream)
        lingerStream(client, connection, &io, &clock)
    }

    /// The exchange of a stream is over: its response ends, or the stream is reset if there was none.
    mutating func finishStream<Outside: World & ~Copyable>(
        _ client: Handle, _ io: inout ConnectionIO<Outside>, _ clock: inout Clock
    ) {
        if slab[client].kind.stream?.hasHead == true {
            endStreamResponse(client, &io, &clock)
        } else {
            resetStream(client, code: .internalError, &io)
        }
    }

    /// The response broke off: what there is of it is sent, then the stream is reset.
    mutating func abortStreamResponse<Outside: World & ~Copyable>(
        _ client: Handle, _ io: inout ConnectionIO<Outside>, _ clock: inout Clock
    ) {
        guard slab[client].kind.stream?.hasHead == true, let (connection, stream) = openStream(client) else {
            resetStream(client, code: .internalError, &io)
            return
        }
        http2Connections[connection].session.abort(stream: stream)
        lingerStream(client, connection, &io, &clock)
    }

    /// Ends the response with trailer lines (RFC 9113 section 8.1), if the client is a stream.
    mutating func sendTrailers(_ client: Handle, _ lines: borrowing ByteBuffer) {
        guard let stream = slab[client].kind.stream, let connection = http2Connection(of: client) else { return }
        http2Connections[connection].session.endResponse(stream: stream.id, trailers: lines, 0..<lines.count)
    }

    /// Resets the stream at once and forgets its client.
    mutating func resetStream<Outside: World & ~Copyable>(
        _ client: Handle, code: HTTP2ErrorCode, _ io: inout ConnectionIO<Outside>
    ) {
        if let stream = slab[client].kind.stream, let connection = http2Connection(of: client) {
            http2Connections[connection].session.reset(stream: stream.id, code: code)
            http2Connections[connection].streams[stream.id] = nil
            markDirty(connection)
        }
        removeStream(client, &io)
    }

    /// Forgets a stream's client.
    mutating func removeStream<Outside: World & ~Copyable>(_ client: Handle, _ io: inout ConnectionIO<Outside>) {
        guard var stream = slab.remove(client) else { return }
        streamCount -= 1
        io.releaseBuffers(&stream.transport)
    }

    /// The stream and its connection, if both are still open.
    private func openStream(_ client: Handle) -> (connection: Handle, stream: Int32)? {
        guard let stream = slab[client].kind.stream, let connection = http2Connection(of: client),
            http2Connections[connection].session.isOpen(stream: stream.id)
        else { return nil }
        return (connection, stream.id)
    }

    private mutating func lingerStream<Outside: World & ~Copyable>(
        _ client: Handle, _ connection: Handle, _ io: inout ConnectionIO<Outside>, _ clock: inout Clock
    ) {
        // What the client still sends is of no use, and counts as consumed: there is nothing to read any more.
        slab[client].phase = .lingering
        slab[client].exchange = .none
        slab[client].transport.mayRead = false
        slab[client].transport.input.clear()
        io.bufferPool.release(&slab[client].transport.input)
        returnWindow(client)
        if slab[client].deadline == .never || hasDrained(client) {
            slab[client].pace = 0
            armStreamWriteTimeout(client, &clock)
        }
        markDirty(connection)
    }

    // MARK: - Flow control

    /// What the stream's client has sent was forwarded: it may send as much again (RFC 9113 section 5.2).
    mutating func returnWindow(_ client: Handle) {
        guard let stream = slab[client].kind.stream, stream.unreturnedWindow > 0,
            let connection = http2Connection(of: client)
        else { return }
        http2Connections[connection].session.consumed(stream: stream.id, Int(stream.unreturnedWindow))
        slab[client].kind.stream?.unreturnedWindow = 0
        markDirty(connection)
    }

    /// Whether the client is a stream whose response has been sent to its end.
    func hasSentResponse(_ client: Handle) -> Bool {
        guard let stream = slab[client].kind.stream, let connection = http2Connection(of: client) else { return false }
        return http2Connections[connection].session.hasSentResponse(stream: stream.id)
    }

    /// Response bytes that wait for the stream's window; 0 for a socket.
    func pendingBytes(_ client: Handle) -> Int {
        guard let stream = slab[client].kind.stream, let connection = http2Connection(of: client) else { return 0 }
        return http2Connections[connection].session.pendingBytes(stream: stream.id)
    }

    /// Bytes that a server may be read for a stream now.
    func streamCredit(_ client: Handle, _ stream: HTTP2StreamState) -> Int {
        guard let connection = http2Connection(of: client) else { return 0 }
        return http2Connections[connection].session.credit(stream: stream.id)
    }

    /// Response bytes wait for the stream's window: a client that does not open it at all is given up.
    mutating func armStreamWriteTimeout(_ client: Handle, _ clock: inout Clock) {
        slab[client].needed = UInt32(clamping: pendingBytes(client))
        armWriteTimeout(client, &clock)
    }

    /// What a stream's client has done since its write timeout was armed.
    enum StreamProgress {
        /// It took some of what waited.
        case progressed
        /// It took nothing, or too little for too long.
        case stalled
    }

    /// Compares the bytes that wait now with those that were to be sent, and prolongs the write timeout if there are fewer.
    @discardableResult
    mutating func noteProgress(_ client: Handle, isPaced: Bool, _ clock: inout Clock) -> StreamProgress {
        let pending = pendingBytes(client)
        let taken = Int(slab[client].needed) - pending
        guard taken > 0 else { return .stalled }
        slab[client].needed = UInt32(clamping: pending)
        noteTaken(client, taken, isPaced: isPaced, &clock)
        return slab[client].deadline > clock.now ? .progressed : .stalled
    }
}
