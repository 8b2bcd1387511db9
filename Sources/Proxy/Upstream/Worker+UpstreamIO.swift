import Balancing
import Kernel
import Logging
import Reactor
import TLS
import Telemetry

/// What happens on connections to servers.
extension Worker where Outside: ~Copyable {
    mutating func upstreamReady(_ connection: Handle, _ readiness: Readiness) {
        guard upstreams.contains(connection) else { return }
        upstreams[connection].transport.note(readiness)
        switch upstreams[connection].phase {
        case .connecting:
            if readiness.isWritable || readiness.hasEnded || readiness.hasFailed { connectFinished(connection) }
        case .handshaking:
            if readiness.isWritable { flushUpstream(connection) }
            if upstreams.contains(connection) { handshakeReady(connection) }
        case .parked:
            // A server that sends something unasked is closing or broken, unless it was only a session ticket.
            if upstreams.readTicket(connection, &io) == .ticketOnly { return }
            if upstreams[connection].transport.mayRead || upstreams[connection].transport.hasEnded {
                closeUpstream(connection)
            }
        case .healthCheck:
            healthCheckReady(connection)
        case .serving:
            if readiness.isWritable { flushUpstream(connection) }
            if upstreams.contains(connection) { readUpstream(connection) }
        case .held:
            if readiness.isWritable { flushUpstream(connection) }
        }
    }

    /// A connection attempt has ended, well or not.
    private mutating func connectFinished(_ connection: Handle) {
        let code = io.world.connectionError(upstreams[connection].transport.descriptor)
        guard code == 0 else {
            connectFailed(connection, code: code)
            return
        }
        upstreams[connection].transport.mayWrite = true
        noteGoodAddress(connection)
        if startHandshake(connection) == .needed {
            upstreams[connection].phase = .handshaking
            handshakeReady(connection)
        } else {
            connectionEstablished(connection)
        }
    }

    /// Whether a connection has a TLS handshake before it.
    enum HandshakeNeed { case needed, none }

    /// Begins the handshake if the upstream has TLS.
    mutating func startHandshake(_ connection: Handle) -> HandshakeNeed {
        let server = Int(upstreams[connection].server)
        guard let context = servers.upstreams[servers.upstream(of: server)].tls else { return .none }
        upstreams.startHandshake(
            connection, with: context, serverName: servers[server].plan.serverName, resuming: servers[server].ticket,
            &io)
        return .needed
    }

    /// Bytes of a handshake may be there.
    private mutating func handshakeReady(_ connection: Handle) {
        switch stepHandshake(connection) {
        case .pending: break
        case .done: connectionEstablished(connection)
        case .failed, .refused: connectFailed(connection, code: ErrorNumber.protocolError)
        }
    }

    /// Reads what the server says in the handshake; logs what TLS does not accept.
    mutating func stepHandshake(_ connection: Handle) -> HandshakeStep {
        let step = upstreams.stepHandshake(connection, &io)
        if step == .refused { logTLSFailure(connection) }
        return step
    }

    private mutating func logTLSFailure(_ connection: Handle) {
        guard let log = control.log, upstreams.takeTLSLogPermit(at: clock.now) == .granted else { return }
        let reason = upstreams.verificationProblem(connection) ?? io.engine.lastFailure.reason
        let server = Int(upstreams[connection].server)
        log.warning(
            "TLS with server \(servers[server].plan.name) failed: \(reason)",
            metadata: ["upstream": "\(servers.upstreams[servers.upstream(of: server)].plan.name)"])
    }

    /// The connection can carry requests.
    private mutating func connectionEstablished(_ connection: Handle) {
        let server = Int(upstreams[connection].server)
        let exchange = upstreams[connection].exchange
        upstreams[connection].deadline = .never
        let role = upstreams[connection].role
        upstreams[connection].phase = .serving
        servers[server].refusals.connected()
        metrics.add(.established, server: server, 1)
        guard servers[server].pool.established(as: role) == .serve, exchanges.contains(exchange) else {
            releaseUpstream(connection)
            return
        }
        advance(exchange, from: .send, reloading: true)
        io.received.clear()
        // What the server said or did before it was asked came with this event, and no other event will tell of it.
        if upstreams.contains(connection), upstreams[connection].transport.mayRead { upstreams.resumeLater(connection) }
    }

    /// A connection could not be opened, or that took too long.
    mutating func connectFailed(_ connection: Handle, code: CInt) {
        let server = Int(upstreams[connection].server)
        let exchange = upstreams[connection].exchange
        let role = upstreams[connection].role
        let limit = servers.upstreams[servers.upstream(of: server)].plan.pool.connectTimeout
        if upstreams[connection].phase == .connecting, redial(connection, limit: limit) == .begun { return }
        noteConnectFailure(server, code: code)
        if exchanges.contains(exchange) {
            if exchanges[exchange].awaitsRequestBody { uploadEnded(exchange) }
            exchanges[exchange].connection = .none
            releaseHoldings(exchange)
            servers.callEnded(server, metrics)
        }
        closeUpstream(connection, as: role)
        guard exchanges.contains(exchange) else { return }
        retryConnect(exchange, server, code: code, reloading: true)
        io.received.clear()
    }

    /// Sends what has waited for a server; the client whose body made it wait goes on.
    private mutating func flushUpstream(_ connection: Handle) {
        let waiting = upstreams[connection].transport.output.count
        guard waiting > 0 else { return }
        let result = io.flush(&upstreams[connection].transport)
        let owner = upstreams[connection].exchange
        if upstreams[connection].transport.output.count < waiting, exchanges.contains(owner) { uploadAdvanced(owner) }
        switch result {
        case .failed: upstreams.markBroken(connection)
        case .blocked: break
        case .unfinished: upstreams[connection].transport.mayWrite = false
        case .flushed:
            let exchange = upstreams[connection].exchange
            guard exchanges.contains(exchange), clients.contains(exchanges[exchange].client) else { return }
            clients.resumeLater(exchanges[exchange].client)
        }
    }

    /// Sends `io.composed` to a server; what it does not take waits in the connection.
    mutating func writeUpstream(_ connection: Handle) {
        guard upstreams.contains(connection) else {
            io.composed.clear()
            return
        }
        switch io.write(&upstreams[connection].transport) {
        case .written, .blocked: break
        case .refused:
            upstreams[connection].hasRefusedBytes = true
            upstreams.markBroken(connection)
        case .failed:
            upstreams.markBroken(connection)
        }
    }

    /// Reads a server's bytes while the client has credit for them.
    mutating func readUpstream(_ connection: Handle) {
        for _ in 0..<Scratch.transfersPerTurn {
            guard upstreams.contains(connection), upstreams[connection].phase == .serving,
                upstreams[connection].transport.mayRead
            else { return }
            let exchange = upstreams[connection].exchange
            guard exchanges.contains(exchange) else {
                closeUpstream(connection)
                return
            }
            let client = exchanges[exchange].client
            guard clients.contains(client) else { return }
            let credit = clients.credit(for: client)
            guard credit > 0 else { return }
            io.received.clear()
            let outcome =
                splice(exchange, from: connection, to: client)
                ?? receiveUpstream(connection, exchange, atMost: credit)
            switch outcome {
            case .moved:
                if io.received.isEmpty { armBodySilence(exchange) } else { relay(exchange, from: connection) }
            case .wouldBlock:
                upstreams[connection].transport.mayRead = false
                io.saveInput(&upstreams[connection].transport)
                return
            case .ended:
                upstreamEnded(connection, exchange, code: 0)
                return
            case .failed(let code):
                upstreamEnded(connection, exchange, code: code)
                return
            }
        }
        if upstreams.contains(connection), upstreams[connection].phase == .serving,
            upstreams[connection].transport.mayRead
        {
            upstreams.resumeLater(connection)
        }
    }

    /// Puts what was left of earlier reads and one read into `io.received`.
    private mutating func receiveUpstream(_ connection: Handle, _ exchange: Handle, atMost credit: Int) -> Transfer {
        io.restoreInput(&upstreams[connection].transport)
        guard upstreams.usesTLS(connection) else {
            return io.receive(&upstreams[connection].transport, atMost: credit)
        }
        let endsBody = exchanges[exchange].state.phase == .relaying && exchanges[exchange].response.isUntilClose
        let (outcome, isRefused) = upstreams.receiveDecrypted(connection, atMost: credit, endsBody: endsBody, &io)
        if isRefused { logTLSFailure(connection) }
        return outcome
    }

    /// The server closed or reset the connection while an exchange was on it; `code` is errno, 0 for FIN.
    private mutating func upstreamEnded(_ connection: Handle, _ exchange: Handle, code: CInt) {
        let hasReceived = !io.received.isEmpty || exchanges[exchange].interim.isUsed
        io.received.clear()
        if exchanges[exchange].state.phase == .relaying {
            let isEnd = code == 0 && exchanges[exchange].response.endsWithConnection()
            act(on: exchange, .closedDuringResponse(isEnd: isEnd))
        } else {
            // A connection that idled may have met its end before the server saw the request.
            if hasReceived || !upstreams[connection].isReused { noteWork(Int(upstreams[connection].server), .reset) }
            retryLost(exchange, connection, hasReceived: hasReceived, code: code)
        }
        io.received.clear()
    }

    /// Parts an exchange from its connection, both of which live on for the moment.
    mutating func detach(_ exchange: Handle) {
        if !exchanges[exchange].isWhole, exchanges[exchange].awaitsRequestBody { uploadEnded(exchange) }
        releaseHoldings(exchange)
        let connection = exchanges[exchange].connection
        exchanges[exchange].connection = .none
        guard upstreams.contains(connection) else { return }
        upstreams[connection].exchange = .none
        if !upstreams[connection].isStreaming { servers.callEnded(Int(upstreams[connection].server), metrics) }
    }

    /// A server connection's deadline may have come.
    mutating func upstreamTimedOut(_ connection: Handle) {
        guard upstreams[connection].deadline <= clock.now else {
            upstreams.deadlines.arm(
                connection.slot, at: upstreams[connection].deadline, now: clock.now, in: &clock.timers)
            return
        }
        upstreams[connection].deadline = .never
        switch upstreams[connection].phase {
        case .connecting, .handshaking: connectFailed(connection, code: ErrorNumber.timedOut)
        case .parked: parkedTimedOut(connection)
        case .healthCheck: healthCheckTimedOut(connection)
        case .serving, .held: break
        }
    }
}
