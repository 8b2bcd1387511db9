import HTTP
import Kernel
import Reactor
import Telemetry

/// Bytes on their way to a client, and how its response and its connection end. These are the verbs of a client: they
/// mean the same for a socket and for an HTTP/2 stream, and only they ask which it is.
extension ClientConnections {
    /// Whether the client is a stream of an HTTP/2 connection.
    func isStream(_ client: Handle) -> Bool { if case .http2Stream = slab[client].kind { true } else { false } }

    /// Whether `respond` begins the client's response, with a server's fields as they were parsed.
    func takesFields(_ client: Handle) -> Bool { isStream(client) }

    /// Whether the client has a socket of its own.
    func hasSocket(_ client: Handle) -> Bool { if case .socket = slab[client].kind { true } else { false } }

    /// Sends `io.composed`. As long as the client does not take it, nothing more is read from the server: that is the
    /// credit.
    mutating func write<Outside: World & ~Copyable>(
        _ client: Handle, _ io: inout ConnectionIO<Outside>, _ clock: inout Clock
    ) {
        guard !io.composed.isEmpty else { return }
        guard contains(client) else {
            io.composed.clear()
            return
        }
        switch slab[client].kind {
        case .http2Stream(let stream): writeToStream(client, stream, &io, &clock)
        case .socket:
            let waits = !slab[client].transport.output.isEmpty
            wrote(client, io.write(&slab[client].transport), waits: waits, &clock)
        case .internalRequest: collect(client, &io)
        }
    }

    /// Sends a piece of `io.received`, without copying it where the client is a socket in clear that takes bytes.
    mutating func writeReceived<Outside: World & ~Copyable>(
        _ client: Handle, _ range: ByteRange, _ io: inout ConnectionIO<Outside>, _ clock: inout Clock
    ) {
        guard contains(client) else { return }
        guard canWriteUncopied(client) else {
            io.composed.append(io.received, range.range)
            write(client, &io, &clock)
            return
        }
        wrote(client, io.writeReceived(&slab[client].transport, range), waits: false, &clock)
    }

    /// Whether bytes may go to the client as they are, past `io.composed`.
    func canWriteUncopied(_ client: Handle) -> Bool {
        slab[client].transport.tls == nil && hasSocket(client) && slab[client].transport.output.isEmpty
            && slab[client].transport.mayWrite
    }

    /// Sends TLS records of the connection's own.
    mutating func writeOutgoing<Outside: World & ~Copyable>(
        _ client: Handle, _ io: inout ConnectionIO<Outside>, _ clock: inout Clock
    ) {
        guard !io.outgoing.isEmpty else { return }
        let waits = !slab[client].transport.output.isEmpty
        wrote(client, io.writeOutgoing(&slab[client].transport), waits: waits, &clock)
    }

    /// `waits`: there was output before. More of it is no progress of the client's: its time runs on.
    private mutating func wrote(_ client: Handle, _ result: WriteResult, waits: Bool, _ clock: inout Clock) {
        switch result {
        case .written: break
        case .blocked: if !waits || slab[client].deadline == .never { armWriteTimeout(client, &clock) }
        case .refused, .failed: markBroken(client)
        }
    }

    /// Bytes that a server may be read for the client now: none while its socket has not taken what there was; a stream
    /// has its share of what its connection may buffer.
    func credit(for client: Handle) -> Int {
        switch slab[client].kind {
        case .socket: slab[client].transport.output.isEmpty ? Scratch.readBytes : 0
        case .http2Stream(let stream): streamCredit(client, stream)
        case .internalRequest: Scratch.readBytes
        }
    }

    /// Whether the client has taken all of the response that there is so far. A socket's output is asked for apart.
    func hasDrained(_ client: Handle) -> Bool { !isStream(client) || pendingBytes(client) == 0 }

    /// The response is complete and the connection is not to be used again: sends the rest, then FIN, and reads on for a
    /// while, because closing with unread bytes would reset the connection, and the reset could overtake the response
    /// (RFC 9112 section 9.6). A stream ends when its client has taken all.
    mutating func linger<Outside: World & ~Copyable>(
        _ client: Handle, _ io: inout ConnectionIO<Outside>, _ clock: inout Clock, _ metrics: WorkerMetrics
    ) {
        guard hasSocket(client) else {
            if isStream(client) { endStreamResponse(client, &io, &clock) } else { endInternal(client, .answered, &io) }
            return
        }
        if slab[client].phase == .http2 { tearDownStreams(client, metrics) }
        slab[client].phase = .lingering
        slab[client].lingerBudget = .full
        slab[client].exchange = .none
        slab[client].transport.input.clear()
        io.bufferPool.release(&slab[client].transport.input)
        guard slab[client].transport.output.isEmpty else {
            slab[client].closesAfterOutput = true
            return
        }
        io.sendCloseNotify(&slab[client].transport)
        io.world.finish(slab[client].transport.descriptor)
        slab[client].closesAfterOutput = false
        setDeadline(client, clock.now + ClientConnections.lingerTime, &clock)
        if slab[client].transport.hasEnded { close(client, reset: false, &io, metrics) } else { resumeLater(client) }
    }

    /// How long a lingering close waits for more.
    static var lingerTime: Interval { .seconds(2) }

    /// A client that was answered still sends so many bytes. The close waits for it, within bounds.
    mutating func renewLinger(_ client: Handle, bytes: Int, _ clock: inout Clock) -> LingerBudget.Claim {
        guard slab[client].lingerBudget.spend(bytes: bytes) == .granted else { return .exhausted }
        let isFresh = slab[client].deadline > clock.now + .seconds(1)
        guard !isFresh, slab[client].transport.output.isEmpty else { return .granted }
        guard slab[client].lingerBudget.renew() == .granted else { return .exhausted }
        setDeadline(client, clock.now + ClientConnections.lingerTime, &clock)
        return .granted
    }

    /// Closes the socket, or resets the stream, and forgets the client. Its exchange must be complete.
    mutating func close<Outside: World & ~Copyable>(
        _ client: Handle, reset: Bool, _ io: inout ConnectionIO<Outside>, _ metrics: WorkerMetrics
    ) {
        guard contains(client) else { return }
        if isInternal(client) {
            endInternal(client, .failed, &io)
            return
        }
        if isStream(client) {
            // One that was sent the whole answer is told that nothing went wrong.
            let code: HTTP2ErrorCode = reset ? .internalError : hasSentResponse(client) ? .noError : .cancel
            resetStream(client, code: code, &io)
            return
        }
        if slab[client].phase == .http2 { tearDownStreams(client, metrics) }
        if slab[client].phase == .handshaking { metrics.increment(.failedHandshakes) }
        let listener = listener(of: client)
        if listeners[listener].plan.role == .traffic { metrics.releaseClient(listener: listeners[listener].slot) }
        listeners[listener].connections -= 1
        addresses.discard(client.slot)
        guard var connection = slab.remove(client) else { return }
        io.close(&connection.transport, reset: reset)
    }

    /// The response broke off: the client must not take what it has for the whole. `needsReset` says that only the end of
    /// the connection would mark the end of the body.
    mutating func abortResponse<Outside: World & ~Copyable>(
        _ client: Handle, needsReset: Bool, _ io: inout ConnectionIO<Outside>, _ clock: inout Clock,
        _ metrics: WorkerMetrics
    ) {
        if isInternal(client) {
            endInternal(client, .failed, &io)
        } else if isStream(client) {
            abortStreamResponse(client, &io, &clock)
        } else if !needsReset, !slab[client].transport.output.isEmpty {
            slab[client].phase = .lingering
            slab[client].lingerBudget = .full
            slab[client].closesAfterOutput = true
        } else {
            close(client, reset: needsReset, &io, metrics)
        }
    }
}
