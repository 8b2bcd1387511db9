import Kernel
import Reactor
import TLS

// TLS below the connections of a run.
extension Engine {
    mutating func startHandshake(_ c: Handle) {
        guard let context = assignment.tls,
            let session = try? engine.connect(
                context, serverName: assignment.plan.target.host,
                resuming: assignment.plan.resumption ? ticket : nil)
        else { return lose(c, .handshake) }
        connections[c].tls = consume session
        ciphertext.clear()
        stepHandshake(c)
    }

    /// Takes what `ciphertext` holds as part of the handshake.
    private mutating func stepHandshake(_ c: Handle) {
        var nothing = ByteBuffer()
        let progress = decrypt(c, into: &nothing)
        sendRecords(c)
        switch progress {
        case .handshaking: break
        case .established:
            if connections[c].tls?.wasResumed ?? false { counters.handshakesResumed &+= 1 }
            handshakeDone(c, &nothing)
        case .closed, .failed: failHandshake(c)
        }
    }

    /// The handshake is over; `early` is what the server said right after it, as HTTP/2 servers do.
    private mutating func handshakeDone(_ c: Handle, _ early: inout ByteBuffer) {
        guard speaksHTTP2 else { return early.isEmpty ? opened(c) : lose(c, .unreadable) }
        guard connections[c].tls?.applicationProtocol == .http2 else {
            if hasEverOpened { return lose(c, .handshake) }
            drop(c)
            return statistics.fail(LoadError("\(assignment.addresses[address]) does not speak HTTP/2 (ALPN h2)"))
        }
        opened(c)
        if !early.isEmpty, connections[c].http2 != nil { understandHTTP2(c, &early) }
    }

    /// Reads what the server says in the handshake.
    mutating func readHandshake(_ c: Handle) {
        for _ in 0..<Engine.readsPerTurn where connections[c].mayRead && connections[c].phase == .handshaking {
            ciphertext.clear()
            let (outcome, isShort) = world.receive(
                connections[c].descriptor, into: &ciphertext, room: Engine.readBytes)
            switch outcome {
            case .moved(let count): counters.bytesReceived &+= UInt64(count)
            case .wouldBlock:
                connections[c].mayRead = false
                return
            case .ended, .failed: return failHandshake(c)
            }
            if isShort, !connections[c].hasEnded { connections[c].mayRead = false }
            stepHandshake(c)
        }
    }

    private mutating func failHandshake(_ c: Handle) {
        var reason = engine.lastFailure.reason
        if let session = connections[c].tls.take() {
            reason = session.verificationProblem ?? reason
            connections[c].tls = consume session
        }
        guard hasEverOpened else {
            drop(c)
            let hint = assignment.plan.trust == .anyone ? "" : " (--ca FILE trusts a certificate, --insecure any)"
            return statistics.fail(
                LoadError("cannot speak TLS with \(assignment.addresses[address]): \(reason)\(hint)"))
        }
        counters.note("TLS handshake failed: \(reason)")
        lose(c, .handshake)
    }

    /// Appends what one read brings, opened, to `bytes`.
    mutating func receiveSecure(_ c: Handle, into bytes: inout ByteBuffer) -> (outcome: Transfer, isShort: Bool) {
        ciphertext.clear()
        let (outcome, isShort) = world.receive(connections[c].descriptor, into: &ciphertext, room: Engine.readBytes)
        if case .failed = outcome { return (outcome, true) }
        if case .moved(let count) = outcome { counters.bytesReceived &+= UInt64(count) }
        let before = bytes.count
        let progress = decrypt(c, into: &bytes)
        sendRecords(c)
        let gained = bytes.count - before
        switch progress {
        case .closed:
            connections[c].hasEnded = true
            return gained > 0 ? (.moved(gained), false) : (.ended, true)
        case .failed: return (.failed(71), true)
        case .handshaking, .established: break
        }
        if gained > 0 { return (.moved(gained), isShort) }
        if case .moved = outcome { return isShort ? (.wouldBlock, true) : (.moved(0), false) }
        return (outcome, isShort)
    }

    /// Turns what `composed` holds into records.
    mutating func encryptComposed(_ c: Handle) -> Bool {
        guard var session = connections[c].tls.take() else { return false }
        outgoing.clear()
        let isSent = engine.send(&session, composed, outgoing: &outgoing)
        connections[c].tls = consume session
        composed.clear()
        swap(&composed, &outgoing)
        return isSent
    }

    /// Sends close_notify (RFC 8446 section 6.1), as far as the socket takes it at once.
    mutating func sendClose(_ c: Handle) {
        guard connections[c].output.isEmpty, var session = connections[c].tls.take() else { return }
        outgoing.clear()
        engine.appendCloseNotify(&session, outgoing: &outgoing)
        connections[c].tls = consume session
        if !outgoing.isEmpty { _ = world.send(connections[c].descriptor, outgoing) }
        outgoing.clear()
    }

    mutating func keepTicket(_ c: Handle) {
        guard assignment.plan.resumption, let session = connections[c].tls.take() else { return }
        if session.isEstablished, let fresh = session.ticket { ticket = fresh }
    }

    private mutating func decrypt(_ c: Handle, into bytes: inout ByteBuffer) -> TLSProgress {
        guard var session = connections[c].tls.take() else { return .failed }
        outgoing.clear()
        let progress = engine.receive(&session, ciphertext, plaintext: &bytes, outgoing: &outgoing)
        connections[c].tls = consume session
        ciphertext.clear()
        return progress
    }

    /// Sends what TLS has to say by itself.
    private mutating func sendRecords(_ c: Handle) {
        guard !outgoing.isEmpty else { return }
        connections[c].output.append(outgoing)
        outgoing.clear()
        flush(c)
    }
}
