import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// What happens on connections to servers.
extension Worker where Outside: ~Copyable {
    mutating func upstreamReady(_ u: Handle, _ readiness: Readiness) {
        guard upstreams.contains(u) else { return }
        upstreams[u].note(readiness)
        switch upstreams[u].phase {
        case .connecting:
            if readiness.isWritable || readiness.hasEnded || readiness.hasFailed { connectFinished(u) }
        case .handshaking:
            if readiness.isWritable, !upstreams[u].output.isEmpty { flush(upstream: u) }
            if upstreams.contains(u) { upstreamHandshakeReady(u) }
        case .parked where absorbsTicket(u): break
        case .parked:
            // Whatever a server says unasked, there is nothing good about it: mostly it is closing.
            if upstreams[u].mayRead || upstreams[u].hasEnded { dropUpstream(u) }
        case .healthChecking:
            healthCheckReady(u)
        case .serving:
            if readiness.isWritable, !upstreams[u].output.isEmpty {
                flush(upstream: u)
                guard upstreams.contains(u) else { return }
            }
            readUpstream(u)
        }
    }

    /// A dialled connection stands, or does not.
    private mutating func connectFinished(_ u: Handle) {
        let code = io.world.connectionError(upstreams[u].descriptor)
        guard code == 0 else {
            connectionFailed(u, code: code)
            return
        }
        upstreams[u].mayWrite = true
        if startHandshake(u, as: .handshaking) { upstreamHandshakeReady(u) } else { connectionEstablished(u) }
    }

    /// Bytes of a handshake may be there; when it is complete, the connection stands.
    private mutating func upstreamHandshakeReady(_ u: Handle) {
        switch stepHandshake(u) {
        case .pending: break
        case .done: connectionEstablished(u)
        case .failed: connectionFailed(u, code: protocolErrorCode)
        }
    }

    /// The connection can carry requests.
    private mutating func connectionEstablished(_ u: Handle) {
        let server = Int(upstreams[u].server)
        let e = upstreams[u].exchange
        upstreams[u].deadline = .never
        guard exchanges.contains(e) else {
            servers.pools[server].warming = max(0, servers.pools[server].warming - 1)
            releaseUpstream(u)
            return
        }
        guard reloadRequest(e) else {
            abortInconsistent(e)
            return
        }
        sendRequest(e, on: u)
        io.received.clear()
        // What the server said or did before it was asked came with this event, and no other will tell of it.
        if upstreams.contains(u), upstreams[u].mayRead { upstreams.resumeLater(u) }
    }

    /// A dial failed or took too long.
    mutating func connectionFailed(_ u: Handle, code: CInt) {
        let server = Int(upstreams[u].server)
        let e = upstreams[u].exchange
        connectFailed(server, code: code)
        if exchanges.contains(e) {
            exchanges[e].upstream = .none
            metrics.count(.active, server: server, -1)
        } else {
            servers.pools[server].warming = max(0, servers.pools[server].warming - 1)
        }
        dropUpstream(u)
        guard exchanges.contains(e) else { return }
        if reloadRequest(e) { dialFailed(e, server, code: code) } else { abortInconsistent(e) }
        io.received.clear()
    }

    /// Sends the request, which is at the front of the scratch and parsed, on a connection that stands.
    mutating func sendRequest(_ e: Handle, on u: Handle) {
        if upstreams[u].phase != .connecting, upstreams[u].phase != .handshaking {
            metrics.count(.active, server: Int(upstreams[u].server))
        }
        upstreams[u].phase = .serving
        upstreams[u].exchange = e
        upstreams[u].uses += 1
        upstreams[u].deadline = .never
        exchanges[e].upstream = u
        exchanges[e].phase = .sent
        // The queue's patience is over with the queue.
        exchanges[e].deadline = .never
        metrics.count(.requests, server: Int(upstreams[u].server))
        io.composed.clear()
        composeRequest(e)
        let c = exchanges[e].client
        let isWhole = exchanges[e].isWhole
        if isWhole { exchanges[e].rewindRequest(io.requestHead.framing) }
        guard composeBody(e, from: io.requestHead.length) else { return }
        if !isWhole {
            // It streams: what went out is not kept, but for the session's id, which the answer repeats.
            if exchanges[e].kind == .session { keepSessionID(e) }
            clients[c].input.clear()
            exchanges[e].replayBytes = 0
            saveInput(c)
        }
        writeUpstream(u)
        awaitBodyOrAnswer(e)
        if !isWhole, clients.contains(c) { clients.resumeLater(c) }
    }

    /// Sends `composed` to a server; what does not fit waits in the connection.
    mutating func writeUpstream(_ u: Handle) {
        guard upstreams.contains(u), !io.composed.isEmpty else { return }
        defer { io.composed.clear() }
        if upstreams[u].tls != nil, !encryptComposed(u) {
            sendFailed(u)
            return
        }
        if upstreams[u].output.isEmpty, upstreams[u].mayWrite {
            switch io.world.send(upstreams[u].descriptor, io.composed) {
            case .moved(let count):
                io.composed.consume(count)
                if io.composed.isEmpty { return }
                upstreams[u].mayWrite = false
            case .wouldBlock, .ended:
                upstreams[u].mayWrite = false
            case .failed:
                upstreams[u].hasRefusedBytes = true
                sendFailed(u)
                return
            }
        }
        io.bufferPool.acquire(for: &upstreams[u].output)
        upstreams[u].output.append(io.composed)
    }

    private mutating func flush(upstream u: Handle) {
        for _ in 0..<Scratch.transfersPerTurn where !upstreams[u].output.isEmpty {
            switch io.world.send(upstreams[u].descriptor, upstreams[u].output) {
            case .moved(let count):
                upstreams[u].output.consume(count)
            case .wouldBlock, .ended:
                upstreams[u].mayWrite = false
                return
            case .failed:
                sendFailed(u)
                return
            }
        }
        guard upstreams[u].output.isEmpty else {
            upstreams[u].mayWrite = false
            return
        }
        io.bufferPool.release(&upstreams[u].output)
        let e = upstreams[u].exchange
        guard exchanges.contains(e), clients.contains(exchanges[e].client) else { return }
        clients.resumeLater(exchanges[e].client)
    }

    /// The server takes no more; it may have answered before it closed, so reading decides.
    private mutating func sendFailed(_ u: Handle) {
        upstreams[u].output.clear()
        upstreams[u].hasEnded = true
        upstreams[u].mayRead = true
        upstreams.resumeLater(u)
    }

    /// Reads a server's bytes while the client has room for them.
    mutating func readUpstream(_ u: Handle) {
        for _ in 0..<Scratch.transfersPerTurn {
            guard upstreams.contains(u), upstreams[u].phase == .serving, upstreams[u].mayRead else { return }
            let e = upstreams[u].exchange
            guard exchanges.contains(e) else {
                dropUpstream(u)
                return
            }
            let c = exchanges[e].client
            guard clients.contains(c) else { return }
            let credit = credit(for: c)
            guard credit > 0 else { return }
            io.received.clear()
            let spliced = spliceBody(u, e, to: c)
            if case .moved = spliced { continue }
            var (outcome, isShort) = (spliced ?? .wouldBlock, true)
            if spliced == nil {
                io.received.append(upstreams[u].input)
                upstreams[u].input.clear()
                (outcome, isShort) =
                    upstreams[u].tls == nil
                    ? io.world.receive(upstreams[u].descriptor, into: &io.received, atMost: credit)
                    : receiveSecure(u, room: credit)
            }
            switch outcome {
            case .moved:
                if isShort, !upstreams[u].hasEnded { upstreams[u].mayRead = false }
                receiveResponse(u, e)
            case .wouldBlock:
                upstreams[u].mayRead = false
                saveInput(upstream: u)
                return
            case .ended:
                upstreamEnded(u, e, code: 0)
                return
            case .failed(let code):
                upstreamEnded(u, e, code: code)
                return
            }
        }
        if upstreams.contains(u), upstreams[u].phase == .serving, upstreams[u].mayRead { upstreams.resumeLater(u) }
    }

    /// Keeps what cannot be used yet for the next read.
    mutating func saveInput(upstream u: Handle) {
        guard !io.received.isEmpty else {
            io.bufferPool.release(&upstreams[u].input)
            return
        }
        io.bufferPool.acquire(for: &upstreams[u].input)
        upstreams[u].input.append(io.received)
        io.received.clear()
    }

    /// The server closed or reset the connection while an exchange was on it.
    private mutating func upstreamEnded(_ u: Handle, _ e: Handle, code: CInt) {
        let hadNothing = io.received.isEmpty && exchanges[e].informationalCount == 0
        io.received.clear()
        if exchanges[e].phase == .relaying {
            relayEnded(u, e, code: code)
            return
        }
        let verdict = hadNothing && mayReplay(u, e, code: code)
        detach(u, e)
        dropUpstream(u)
        guard verdict else {
            metrics.count(.badGateway, server: Int(exchanges[e].server))
            fail(e, .serverReset)
            return
        }
        exchanges[e].attempts += 1
        exchanges[e].wantsFresh = true
        metrics.count(.replays, server: Int(exchanges[e].server))
        if reloadRequest(e) { selectServer(e) } else { abortInconsistent(e) }
        io.received.clear()
    }

    /// A reused connection may be closing when a request goes out on it. The request may be sent again if the server
    /// cannot have read it: its FIN came first, so that our bytes were answered with a reset (EPIPE) or never
    /// acknowledged. Otherwise only if doing it twice is doing it once (RFC 9110 section 9.2.2).
    private mutating func mayReplay(_ u: Handle, _ e: Handle, code: CInt) -> Bool {
        guard exchanges[e].isWhole, upstreams[u].isReused, exchanges[e].attempts < 3 else { return false }
        if upstreams[u].hasRefusedBytes { return true }
        switch exchanges[e].method {
        case .get, .head, .options: return true
        default: break
        }
        guard code == 0 else { return code == brokenPipeCode }
        let descriptor = upstreams[u].descriptor
        return io.world.connectionError(descriptor) == brokenPipeCode || io.world.hasUnacknowledged(descriptor)
    }

    /// Parts an exchange from its connection, both of which live on for the moment.
    mutating func detach(_ u: Handle, _ e: Handle) {
        if exchanges.contains(e) { exchanges[e].upstream = .none }
        guard upstreams.contains(u) else { return }
        upstreams[u].exchange = .none
        if !upstreams[u].isStreaming { metrics.count(.active, server: Int(upstreams[u].server), -1) }
    }

    /// A server connection's deadline may have come.
    mutating func upstreamTimedOut(_ u: Handle) {
        guard upstreams[u].deadline <= clock.now else {
            upstreams.deadlines.arm(u.slot, at: upstreams[u].deadline, now: clock.now, in: &clock.timers)
            return
        }
        upstreams[u].deadline = .never
        switch upstreams[u].phase {
        case .connecting, .handshaking: connectionFailed(u, code: timedOutCode)
        case .parked: retireParked(u)
        case .healthChecking: healthCheckTimedOut(u)
        case .serving: break
        }
    }

    /// Closes a connection that was idle for its time, unless the pool would fall below its minimum.
    private mutating func retireParked(_ u: Handle) {
        let server = Int(upstreams[u].server)
        let plan = snapshot.upstreams[snapshot.servers[server].upstream].pool
        if Int64(servers.pools[server].parked) <= metrics.share(of: plan.minimum),
            clock.now - upstreams[u].openedAt < plan.maximumAge
        {
            upstreams.setDeadline(u, clock.now + plan.idleTimeout, &clock)
        } else {
            dropUpstream(u)
        }
    }
}
