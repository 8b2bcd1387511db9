import Kernel
import Reactor
import TLS

// TLS on the connections of a run.
extension Engine {
    /// Creates the connection's TLS session and sends its ClientHello.
    mutating func startHandshake(_ c: Handle) {
        guard let context = assignment.tls,
            let session = try? engine.connect(
                context, serverName: assignment.plan.target.host,
                resuming: assignment.plan.resumption ? ticket : nil)
        else { return failConnection(c, .handshake) }
        connections[c].tls = consume session
        ciphertext.clear()
        continueHandshake(c)
    }

    /// Feeds `ciphertext` to the handshake, sends what TLS answers, and acts on the handshake's progress.
    private mutating func continueHandshake(_ c: Handle) {
        var nothing = ByteBuffer()
        let progress = decrypt(c, into: &nothing)
        sendTLSOutput(c)
        switch progress {
        case .handshaking: break
        case .established:
            if connections[c].tls?.wasResumed ?? false { counters.handshakesResumed &+= 1 }
            handshakeCompleted(c, &nothing)
        case .closed, .failed: failHandshake(c)
        }
    }

    /// The handshake is complete. `firstBytes`: plaintext that came together with the last handshake message; an HTTP/2
    /// server sends its SETTINGS there, an HTTP/1.1 server has nothing to send.
    private mutating func handshakeCompleted(_ c: Handle, _ firstBytes: inout ByteBuffer) {
        guard speaksHTTP2 else { return firstBytes.isEmpty ? connectionReady(c) : failConnection(c, .unreadable) }
        guard connections[c].tls?.applicationProtocol == .http2 else {
            if hasEverOpened { return failConnection(c, .handshake) }
            closeSocket(c)
            return statistics.fail(LoadError("\(assignment.addresses[address]) does not speak HTTP/2 (ALPN h2)"))
        }
        connectionReady(c)
        if !firstBytes.isEmpty, connections[c].http2 != nil { receiveHTTP2(c, &firstBytes) }
    }

    /// Reads handshake records, at most `readsPerTurn` times.
    mutating func readHandshake(_ c: Handle) {
        for _ in 0..<Engine.readsPerTurn where connections[c].mayRead && connections[c].phase == .handshaking {
            ciphertext.clear()
            let (outcome, isShort) = world.receive(
                connections[c].descriptor, into: &ciphertext, atLeast: Engine.readBytes)
            switch outcome {
            case .moved(let count): counters.bytesReceived &+= UInt64(count)
            case .wouldBlock:
                connections[c].mayRead = false
                return
            case .ended, .failed: return failHandshake(c)
            }
            if isShort, !connections[c].hasEnded { connections[c].mayRead = false }
            continueHandshake(c)
        }
    }

    /// Ends the run if no connection was ever open; else fails the connection.
    private mutating func failHandshake(_ c: Handle) {
        var reason = engine.lastFailure.reason
        if let session = connections[c].tls.take() {
            reason = session.verificationProblem ?? reason
            connections[c].tls = consume session
        }
        guard hasEverOpened else {
            closeSocket(c)
            let hint = assignment.plan.trust == .anyone ? "" : " (--ca FILE trusts a certificate, --insecure any)"
            return statistics.fail(
                LoadError("cannot speak TLS with \(assignment.addresses[address]): \(reason)\(hint)"))
        }
        counters.addExample("TLS handshake failed: \(reason)")
        failConnection(c, .handshake)
    }

    /// Reads once from the socket and appends the decrypted bytes to `bytes`. `isShort`: the read took all that the
    /// socket had.
    mutating func receiveTLS(_ c: Handle, into bytes: inout ByteBuffer) -> (outcome: Transfer, isShort: Bool) {
        ciphertext.clear()
        let (outcome, isShort) = world.receive(connections[c].descriptor, into: &ciphertext, atLeast: Engine.readBytes)
        if case .failed = outcome { return (outcome, true) }
        if case .moved(let count) = outcome { counters.bytesReceived &+= UInt64(count) }
        let before = bytes.count
        let progress = decrypt(c, into: &bytes)
        sendTLSOutput(c)
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

    /// Replaces the plaintext in `composed` by TLS records. False if TLS failed.
    mutating func encryptComposed(_ c: Handle) -> Bool {
        guard var session = connections[c].tls.take() else { return false }
        outgoing.clear()
        let isEncrypted = engine.send(&session, composed, outgoing: &outgoing)
        connections[c].tls = consume session
        composed.clear()
        swap(&composed, &outgoing)
        return isEncrypted
    }

    /// Sends close_notify (RFC 8446 section 6.1) if the socket takes it at once; what it does not take is dropped.
    mutating func sendCloseNotify(_ c: Handle) {
        guard connections[c].output.isEmpty, var session = connections[c].tls.take() else { return }
        outgoing.clear()
        engine.appendCloseNotify(&session, outgoing: &outgoing)
        connections[c].tls = consume session
        if !outgoing.isEmpty { _ = world.send(connections[c].descriptor, outgoing) }
        outgoing.clear()
    }

    /// Keeps the newest session ticket of the connection for later handshakes. Discards its TLS session.
    mutating func saveTicket(_ c: Handle) {
        guard assignment.plan.resumption, let session = connections[c].tls.take() else { return }
        if session.isEstablished, let fresh = session.ticket { ticket = fresh }
    }

    /// Decrypts `ciphertext` into `bytes` and empties it. What TLS has to send is left in `outgoing`.
    private mutating func decrypt(_ c: Handle, into bytes: inout ByteBuffer) -> TLSProgress {
        guard var session = connections[c].tls.take() else { return .failed }
        outgoing.clear()
        let progress = engine.receive(&session, ciphertext, plaintext: &bytes, outgoing: &outgoing)
        connections[c].tls = consume session
        ciphertext.clear()
        return progress
    }

    /// Sends what TLS left in `outgoing`: handshake messages, alerts, key updates.
    private mutating func sendTLSOutput(_ c: Handle) {
        guard !outgoing.isEmpty else { return }
        connections[c].output.append(outgoing)
        outgoing.clear()
        flush(c)
    }
}
