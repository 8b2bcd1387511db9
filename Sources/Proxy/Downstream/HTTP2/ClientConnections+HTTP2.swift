import HTTP
import Kernel
import Reactor
import Telemetry

/// HTTP/2 connections (RFC 9113): one socket, many clients.
extension ClientConnections {
    /// Whether `bytes`, the first of a connection in clear, begin HTTP/2 by prior knowledge (RFC 9113 section 3.3), and
    /// the listener takes it. Over TLS, ALPN alone decides (section 3.2).
    func hasHTTP2Preface(_ client: Handle, _ bytes: borrowing ByteBuffer) -> Bool {
        guard !slab[client].hasServed, !isStream(client), bytes.count >= 4, !usesTLS(client),
            listeners[listener(of: client)].plan.acceptsH2C, listeners[listener(of: client)].plan.role == .traffic
        else { return false }
        let preface: StaticString = "PRI * HTTP/2.0"
        let view = bytes.span
        for index in 0..<min(view.count, preface.utf8CodeUnitCount)
        where view[index] != (preface.utf8Start + index).pointee {
            return false
        }
        return true
    }

    /// The connection speaks HTTP/2, by ALPN or by prior knowledge.
    mutating func startHTTP2<Outside: World & ~Copyable>(
        _ client: Handle, _ io: inout ConnectionIO<Outside>, _ clock: inout Clock, _ metrics: WorkerMetrics
    ) {
        let listener = listener(of: client)
        guard let session = HTTP2Session(limits: listeners[listener].plan.http2, now: clock.now),
            let connection = http2Connections.insert(HTTP2Connection(client: client, session: session))
        else {
            close(client, reset: true, &io, metrics)
            return
        }
        slab[client].phase = .http2
        slab[client].http2Connection = connection.slot
        slab[client].needed = 0
        slab[client].gathering = .nothing
        setDeadline(client, clock.now + listeners[listener].plan.idleTimeout, &clock)
        markDirty(connection)
    }

    /// The connection was heard, or looked at: sets when it is looked at next.
    mutating func armIdleTimeout(_ connection: Handle, _ clock: inout Clock) {
        let client = http2Connections[connection].client
        let timeout = listeners[listener(of: client)].plan.idleTimeout
        let isLeaving = http2Connections[connection].goAwayState != .none
        let idleDeadline = clock.now + (isLeaving ? min(timeout, .seconds(1)) : timeout)
        setDeadline(client, min(idleDeadline, http2Connections[connection].headDeadline), &clock)
    }

    /// The connection was heard. A head or a frame that drips must be whole in time: no byte of it prolongs that.
    mutating func armHeadTimeout(_ connection: Handle, _ clock: inout Clock) {
        let client = http2Connections[connection].client
        let timeout = listeners[listener(of: client)].plan.headTimeout
        http2Connections[connection].noteUnfinished(at: clock.now, within: timeout)
        let deadline = http2Connections[connection].headDeadline
        if slab[client].transport.output.isEmpty {
            armIdleTimeout(connection, &clock)
        } else if deadline < slab[client].deadline {
            setDeadline(client, deadline, &clock)
        }
    }

    /// Sends the next GOAWAY of an HTTP/2 connection, if there is one to send.
    mutating func sendGoAway(_ connection: Handle, _ clock: inout Clock) {
        guard http2Connections[connection].goAwayState != .final else { return }
        http2Connections[connection].sendGoAway(at: clock.now)
        markDirty(connection)
    }

    /// Whether, in a drain, a client's HTTP/2 connection has had its final GOAWAY. Sends what is due: the final one
    /// follows the notice by more than a round trip (RFC 9113 section 6.8).
    mutating func hasSentFinalGoAway(_ client: Handle, _ clock: inout Clock) -> Bool {
        guard let connection = http2Connection(of: client) else { return true }
        let sentAt = http2Connections[connection].goAwaySentAt
        switch http2Connections[connection].goAwayState {
        case .none:
            sendGoAway(connection, &clock)
        case .notice:
            if clock.now - sentAt >= .milliseconds(200) { sendGoAway(connection, &clock) }
        case .final:
            // It was queued in an earlier turn, so it was sent; or the client does not read.
            return clock.now > sentAt
        }
        return false
    }

    /// The connection is closing: every stream's exchange is aborted in the queue for expensive work, because each may
    /// have a connection to a server to close.
    mutating func tearDownStreams(_ client: Handle, _ metrics: WorkerMetrics) {
        guard let connection = http2Connection(of: client) else { return }
        slab[client].http2Connection = .max
        if let counter = http2Connections[connection].session.abuse.exceededLimit.counter { metrics.increment(counter) }
        guard let removed = http2Connections.remove(connection) else { return }
        // In the order of their identifiers: a dictionary's own order differs from run to run.
        for id in removed.streams.keys.sorted() {
            guard let stream = removed.streams[id], contains(stream) else { continue }
            slab[stream].http2Connection = .max
            deferLater(stream)
        }
    }

    /// Whether one more stream of the connection leaves capacity for those of others: it may have an eighth of what is
    /// left. So a few greedy connections cannot take it all, and one alone is not bounded by this at all.
    func hasStreamCapacity(_ connection: Handle) -> Bool {
        let left = streamLimit - streamCount
        return left > 0 && http2Connections[connection].streams.count < max(1, left / 8)
    }

    /// Makes a client of a stream that has just opened; nil if there are too many.
    mutating func insertStream(_ connection: Handle, _ stream: Int32, _ clock: inout Clock) -> Handle? {
        let socket = http2Connections[connection].client
        var client = ClientConnection(
            Transport(.none, mayWrite: true), address: slab[socket].address, listener: listener(of: socket),
            phase: .reading, isSecure: slab[socket].isSecure)
        client.http2Connection = connection.slot
        client.kind = .http2Stream(HTTP2StreamState(id: stream))
        guard hasStreamCapacity(connection), let handle = slab.insert(client) else { return nil }
        streamCount += 1
        http2Connections[connection].streams[stream] = handle
        armBodyTimeout(handle, &clock)
        return handle
    }

    /// Whether the body of a stream's request has no announced length, so that its pieces are framed as chunks.
    func framesChunks(_ client: Handle) -> Bool { slab[client].kind.stream?.framesChunks == true }

    /// Puts a piece of a request body behind what the stream's client has been given. Its window is returned as the
    /// piece is forwarded, so that a slow server slows its client.
    mutating func appendBody<Outside: World & ~Copyable>(
        _ client: Handle, _ range: ByteRange, _ io: inout ConnectionIO<Outside>
    ) {
        guard var stream = slab[client].kind.stream else { return }
        stream.unreturnedWindow += UInt32(range.count)
        slab[client].kind = .http2Stream(stream)
        io.bufferPool.acquire(for: &slab[client].transport.input)
        if stream.framesChunks {
            slab[client].transport.input.append(hexadecimal: UInt64(range.count))
            slab[client].transport.input.append("\r\n")
        }
        slab[client].transport.input.append(io.events.bytes, range)
        if stream.framesChunks { slab[client].transport.input.append("\r\n") }
    }

    /// What a stream's client "reads": the bytes that it was given.
    mutating func takeStreamInput<Outside: World & ~Copyable>(
        _ client: Handle, _ io: inout ConnectionIO<Outside>
    ) -> Transfer {
        io.received.clear()
        slab[client].transport.mayRead = false
        // What came while a connection was being opened was sent with the head, and is not in the input any more.
        returnWindow(client)
        guard !slab[client].transport.input.isEmpty else { return .wouldBlock }
        io.restoreInput(&slab[client].transport)
        io.savedCount = 0
        return .moved(io.received.count)
    }
}

extension HTTP2Abuse.Limit {
    /// What counts connections that ended for this; nil for `none`.
    var counter: AbuseCounter? {
        switch self {
        case .none: nil
        case .resets: .resets
        case .refusals: .refusals
        case .pings: .pings
        case .settings: .settings
        case .emptyData: .emptyData
        case .priorities: .priorities
        case .windowUpdates: .windowUpdates
        case .continuations: .continuations
        case .ignoredFrames: .ignoredFrames
        case .headerList: .headerLists
        case .headText: .headText
        case .queuedFrames: .queuedFrames
        case .slowHead: .slowHeads
        }
    }
}
