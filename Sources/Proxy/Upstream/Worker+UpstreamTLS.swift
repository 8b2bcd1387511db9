import Kernel
import Logging
import Reactor
import TLS

/// TLS on connections to servers: the handshake between the connection and its first request, then records both ways.
extension Worker where Outside: ~Copyable {
    /// What came of bytes of a handshake.
    enum HandshakeStep {
        case pending, done, failed
    }

    /// Begins the handshake if the upstream has TLS; false if there is nothing to begin, or not even that worked, which
    /// the connection then shows by having failed.
    mutating func startHandshake(_ u: Handle, as phase: UpstreamConnection.Phase) -> Bool {
        let server = Int(upstreams[u].server)
        guard let context = upstreams.tlsContexts[snapshot.servers[server].upstream] else { return false }
        upstreams[u].phase = phase
        let name = snapshot.servers[server].serverName
        guard let session = try? io.engine.connect(context, serverName: name, resuming: servers.tickets[server]) else {
            return true
        }
        upstreams[u].tls = consume session
        io.ciphertext.clear()
        _ = decrypt(upstream: u)
        sendRecords(u)
        return true
    }

    /// Reads what the server says in the handshake.
    mutating func stepHandshake(_ u: Handle) -> HandshakeStep {
        guard upstreams[u].tls != nil else { return .failed }
        for _ in 0..<Scratch.transfersPerTurn where upstreams[u].mayRead {
            io.ciphertext.clear()
            let (outcome, isShort) = io.world.receive(
                upstreams[u].descriptor, into: &io.ciphertext, room: Scratch.readBytes)
            switch outcome {
            case .moved: break
            case .wouldBlock:
                upstreams[u].mayRead = false
                return .pending
            case .ended, .failed: return .failed
            }
            if isShort, !upstreams[u].hasEnded { upstreams[u].mayRead = false }
            io.received.clear()
            let progress = decrypt(upstream: u)
            sendRecords(u)
            switch progress {
            case .handshaking: continue
            case .established:
                // HTTP servers do not speak first.
                defer { io.received.clear() }
                return io.received.isEmpty ? .done : .failed
            case .closed: return .failed
            case .failed:
                logTLSFailure(u)
                return .failed
            }
        }
        return upstreams[u].hasEnded ? .failed : .pending
    }

    /// Turns what `composed` holds into records.
    mutating func encryptComposed(_ u: Handle) -> Bool {
        guard var session = upstreams[u].tls.take() else { return false }
        io.outgoing.clear()
        let isSent = io.engine.send(&session, io.composed, outgoing: &io.outgoing)
        upstreams[u].tls = consume session
        io.composed.clear()
        swap(&io.composed, &io.outgoing)
        return isSent
    }

    /// Appends to the scratch what one read brings, opened.
    mutating func receiveSecure(_ u: Handle, room: Int = Scratch.readBytes) -> (outcome: Transfer, isShort: Bool) {
        for _ in 0..<Scratch.transfersPerTurn {
            io.ciphertext.clear()
            let (outcome, isShort) = io.world.receive(
                upstreams[u].descriptor, into: &io.ciphertext, atMost: min(room, Scratch.readBytes))
            if case .failed = outcome { return (outcome, true) }
            let kept = io.received.count
            // Also without bytes: a session that has had its good-bye says so.
            let progress = decrypt(upstream: u)
            sendRecords(u)
            switch progress {
            case .closed:
                upstreams[u].hasEnded = true
                return io.received.count > kept ? (.moved(io.received.count - kept), false) : (.ended, true)
            case .failed:
                logTLSFailure(u)
                return (.failed(protocolErrorCode), true)
            case .handshaking, .established: break
            }
            switch outcome {
            case .moved: break
            case .ended: return (endedWithoutGoodbye(u), true)
            case .wouldBlock, .failed: return (outcome, true)
            }
            if io.received.count > kept { return (.moved(io.received.count - kept), isShort) }
            // Tickets, or part of a record.
            if isShort, !upstreams[u].hasEnded { return (.wouldBlock, true) }
        }
        // So much that is no data is no server's way.
        return (.failed(protocolErrorCode), true)
    }

    /// Anybody on the way can send a FIN. Where that would say that a body is whole, it says nothing.
    private func endedWithoutGoodbye(_ u: Handle) -> Transfer {
        let e = upstreams[u].exchange
        guard exchanges.contains(e), exchanges[e].phase == .relaying, exchanges[e].response.isUntilClose else {
            return .ended
        }
        return .failed(protocolErrorCode)
    }

    /// A parked connection has something to read: tickets are no reason to close it, all else is.
    mutating func absorbsTicket(_ u: Handle) -> Bool {
        guard upstreams[u].tls != nil, !upstreams[u].hasEnded else { return false }
        io.received.clear()
        defer { io.received.clear() }
        guard case .wouldBlock = receiveSecure(u).outcome else { return false }
        upstreams[u].mayRead = false
        return true
    }

    /// Keeps the means to spare the next connection to the same server a full handshake.
    mutating func keepTicket(_ u: Handle) {
        guard let session = upstreams[u].tls.take() else { return }
        let server = Int(upstreams[u].server)
        let context = upstreams.tlsContexts[snapshot.servers[server].upstream]
        // Not of a connection that was begun before the certificates were swapped.
        if let context, session.isMade(with: context), let ticket = session.ticket { servers.tickets[server] = ticket }
        upstreams[u].tls = consume session
    }

    /// Makes connections that are yet to come with `context`; those that are there keep what they have. What resumes
    /// TLS goes: it would pass for a certificate that is no longer shown, or one that is no longer trusted.
    mutating func showCertificates(of context: TLSClientContext, upstream: Int) {
        upstreams.tlsContexts[upstream] = context
        for server in snapshot.upstreams[upstream].servers { servers.tickets[server] = nil }
    }

    private mutating func decrypt(upstream u: Handle) -> TLSProgress {
        guard var session = upstreams[u].tls.take() else { return .failed }
        io.outgoing.clear()
        let progress = io.engine.receive(&session, io.ciphertext, plaintext: &io.received, outgoing: &io.outgoing)
        upstreams[u].tls = consume session
        return progress
    }

    /// Sends what TLS has to say by itself.
    private mutating func sendRecords(_ u: Handle) {
        guard !io.outgoing.isEmpty else { return }
        defer { io.outgoing.clear() }
        if upstreams[u].output.isEmpty, case .moved(let count) = io.world.send(upstreams[u].descriptor, io.outgoing) {
            io.outgoing.consume(count)
            if io.outgoing.isEmpty { return }
        }
        // What is wrong with the socket shows when it is read.
        upstreams[u].mayWrite = false
        io.bufferPool.acquire(for: &upstreams[u].output)
        upstreams[u].output.append(io.outgoing)
    }

    /// Says why TLS with a server failed; not more often than somebody can read.
    private mutating func logTLSFailure(_ u: Handle) {
        guard let log = control.log, clock.now >= upstreams.nextTLSLogAt, let session = upstreams[u].tls.take() else {
            return
        }
        upstreams.nextTLSLogAt = clock.now + .seconds(5)
        let reason = session.verificationProblem ?? io.engine.lastFailure.reason
        upstreams[u].tls = consume session
        let server = snapshot.servers[Int(upstreams[u].server)]
        log.warning(
            "TLS with server \(server.name) failed: \(reason)",
            metadata: ["upstream": "\(snapshot.upstreams[server.upstream].name)"])
    }

    /// EPROTO.
    var protocolErrorCode: CInt { 71 }
}
