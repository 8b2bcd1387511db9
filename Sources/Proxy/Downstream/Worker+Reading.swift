import HTTP
import Kernel
import MCP
import Reactor
import TLS

/// From a client's bytes to requests.
extension Worker where Outside: ~Copyable {
    mutating func clientReady(_ c: Handle, _ readiness: Readiness) {
        guard clients.contains(c) else { return }
        clients[c].note(readiness)
        if readiness.isWritable, !clients[c].output.isEmpty {
            flush(c)
            guard clients.contains(c) else { return }
        }
        if readiness.hasFailed || (clients[c].hasEnded && clients[c].phase == .exchanging) {
            clientDisconnected(c)
            return
        }
        readWhileAllowed(c)
    }

    /// Looks at a client again: pipelined requests may be in hand, or reading may go on.
    mutating func resumeClient(_ c: Handle) {
        if isOrphan(c) {
            clients.deferLater(c)
            return
        }
        if clients[c].phase == .http2, !clients[c].input.isEmpty {
            // Frames were left while it was in this line.
            clients.deferLater(c)
            return
        }
        if clients[c].phase == .reading, !clients[c].input.isEmpty {
            io.received.clear()
            returnWindow(c)
            restoreInput(c)
            readRequests(c)
            guard clients.contains(c) else { return }
        }
        if clients[c].hasEnded, clients[c].phase == .exchanging {
            clientDisconnected(c)
            return
        }
        readWhileAllowed(c)
    }

    /// Reads while there is something to read and somebody to take it.
    mutating func readWhileAllowed(_ c: Handle) {
        if isLowPriority(c) {
            if clients[c].mayRead { clients.deferLater(c) }
        } else {
            readClient(c)
        }
    }

    /// The same, whatever it costs.
    mutating func readClient(_ c: Handle) {
        let isDear = clients.isRunningDeferred || clients[c].phase == .http2
        for _ in 0..<(isDear ? 1 : Scratch.transfersPerTurn) {
            guard clients.contains(c), clients[c].mayRead, acceptsInput(c),
                clients.isRunningDeferred || !isLowPriority(c)
            else { break }
            switch readInput(c) {
            case .moved:
                process(c)
            case .wouldBlock:
                // A handshake step may have produced bytes to send all the same.
                return
            case .ended, .failed:
                clientEnded(c)
                return
            }
        }
        guard clients.contains(c) else { return }
        if clients[c].hasEnded, clients[c].phase == .exchanging {
            // The request came together with the good-bye: there is nobody to wait for an answer.
            clientDisconnected(c)
        } else if clients[c].mayRead, acceptsInput(c) {
            if isDear { clients.deferLater(c) } else { clients.resumeLater(c) }
        }
    }

    /// True if bytes from this client would not have to wait for anybody.
    private func acceptsInput(_ c: Handle) -> Bool {
        switch clients[c].phase {
        case .handshaking, .lingering, .awaitingProxyHeader: return true
        // More is not read before what is in hand is used.
        case .http2: return clients[c].input.isEmpty
        case .reading: return clients[c].output.isEmpty
        case .exchanging:
            let e = clients[c].exchange
            guard exchanges.contains(e), !exchanges[e].isWhole, !exchanges[e].request.isComplete else { return false }
            let u = exchanges[e].upstream
            return exchanges[e].phase.rawValue >= Exchange.Phase.sent.rawValue && upstreams.contains(u)
                && upstreams[u].output.isEmpty
        }
    }

    /// Puts what the client has sent so far into the scratch: first what is kept from earlier, then one read.
    private mutating func readInput(_ c: Handle) -> Transfer {
        if clients[c].stream != 0 { return takeStreamInput(c) }
        io.received.clear()
        if clients[c].tls != nil { return readRecords(c) }
        restoreInput(c)
        io.savedCount = io.received.count
        let (outcome, isShort) =
            clients[c].phase == .http2
            // What a flood leaves for later turns is kept with the connection: no more of it than need be.
            ? io.world.receive(clients[c].descriptor, into: &io.received, atMost: Scratch.readBytes)
            : io.world.receive(clients[c].descriptor, into: &io.received, room: Scratch.readBytes)
        if case .moved = outcome {
            // A short read has drained the socket, unless the peer's FIN is waiting behind the bytes.
            if isShort, !clients[c].hasEnded { clients[c].mayRead = false }
        } else {
            clients[c].mayRead = false
            if !io.received.isEmpty { saveInput(c) }
        }
        return outcome
    }

    /// The same through TLS: one read of records, all that can be opened, and whatever the session wants to say.
    private mutating func readRecords(_ c: Handle) -> Transfer {
        io.ciphertext.clear()
        let (outcome, isShort) = io.world.receive(clients[c].descriptor, into: &io.ciphertext, room: Scratch.readBytes)
        guard case .moved = outcome else {
            clients[c].mayRead = false
            return outcome
        }
        if isShort, !clients[c].hasEnded { clients[c].mayRead = false }
        return open(c)
    }

    /// Goes on with a handshake whose first bytes came with something else and are in `ciphertext`.
    mutating func continueHandshake(_ c: Handle) {
        switch open(c) {
        case .moved:
            if clients.contains(c) { process(c) }
        case .wouldBlock: break
        case .ended, .failed: clientEnded(c)
        }
    }

    /// Opens the records in `ciphertext`.
    private mutating func open(_ c: Handle) -> Transfer {
        restoreInput(c)
        let kept = io.received.count
        io.savedCount = kept
        let progress = decrypt(c)
        writeOutgoing(c)
        guard clients.contains(c) else { return .failed(0) }
        switch progress {
        case .handshaking, .established:
            if progress == .established, clients[c].phase == .handshaking { startNegotiatedProtocol(c) }
            guard clients.contains(c) else { return .failed(0) }
            if io.received.count == kept {
                saveInput(c)
                return clients[c].mayRead ? .moved(0) : .wouldBlock
            }
            return .moved(io.received.count - kept)
        case .closed:
            clients[c].mayRead = false
            clients[c].hasEnded = true
            return io.received.count > kept ? .moved(io.received.count - kept) : .ended
        case .failed:
            guard clients[c].phase == .handshaking, io.engine.lastFailureWasPlainHTTP else { return .failed(0) }
            rejectPlaintextHTTP(c)
            return .wouldBlock
        }
    }

    /// A client that speaks HTTP to a TLS port is told so in its own language.
    private mutating func rejectPlaintextHTTP(_ c: Handle) {
        clients[c].tls = nil
        clients[c].isSecure = false
        clients[c].phase = .reading
        reject(c, ErrorResponse.plainHTTP)
    }

    /// The handshake is over: ALPN says which protocol follows (RFC 7301).
    private mutating func startNegotiatedProtocol(_ c: Handle) {
        var speaksHTTP2 = false
        if let session = clients[c].tls.take() {
            speaksHTTP2 = session.applicationProtocol == .http2
            clients[c].tls = consume session
        }
        if speaksHTTP2 { startHTTP2(c) } else { awaitRequest(c) }
    }

    private mutating func decrypt(_ c: Handle) -> TLSProgress {
        guard var session = clients[c].tls.take() else { return .failed }
        let progress = io.engine.receive(&session, io.ciphertext, plaintext: &io.received, outgoing: &io.outgoing)
        clients[c].tls = consume session
        return progress
    }

    /// What the scratch holds now belongs to the client: by phase, it is a request, a piece of a body, or nothing.
    mutating func process(_ c: Handle) {
        switch clients[c].phase {
        case .handshaking:
            saveInput(c)
        case .awaitingProxyHeader:
            readProxyHeader(c)
        case .lingering:
            io.received.clear()
        case .http2:
            receiveFrames(c)
        case .exchanging:
            forwardBody(c)
        case .reading:
            if hasHTTP2Preface(c) {
                startHTTP2(c)
                if clients.contains(c) { receiveFrames(c) }
                return
            }
            // What could complete something has not come: do not parse the same bytes again.
            if io.received.count < Int(clients[c].needed) || hasIncompleteLine(c) {
                saveInput(c)
                armReadTimeout(c)
            } else {
                readRequests(c)
            }
        }
    }

    /// True if the rest of a head is awaited and the last read ended no line of it. Parsing starts from the head's first
    /// byte each time; a head that comes byte by byte must not be parsed as often.
    private func hasIncompleteLine(_ c: Handle) -> Bool {
        guard clients[c].isGathering, !clients[c].isGatheringBody else { return false }
        let limit = snapshot.listeners[clients.listeners[Int(clients[c].listener)].plan].limits.headBytes
        return io.received.count <= limit && !io.received.contains(0x0a, from: io.savedCount)
    }

    /// Parses and starts requests from the scratch, which holds all unread bytes of the client; what is left over goes
    /// back to the client.
    mutating func readRequests(_ c: Handle) {
        while clients.contains(c), clients[c].phase == .reading, !io.received.isEmpty, clients[c].output.isEmpty {
            let outcome = clients.listeners[Int(clients[c].listener)].parser.parse(io.received, into: &io.requestHead)
            switch outcome {
            case .incomplete:
                clients[c].needed = UInt32(io.received.count + 1)
                saveInput(c)
                armReadTimeout(c)
                return
            case .invalid(let fault):
                reject(c, fault)
            case .complete:
                guard receiveRequest(c) else { return }
            }
        }
        if clients.contains(c) { saveInput(c) } else { io.received.clear() }
    }

    /// A head is under way, whose time runs from its first byte; or a gathered body, whose time runs from its last.
    private mutating func armReadTimeout(_ c: Handle) {
        let plan = clients.listeners[Int(clients[c].listener)].plan
        if clients[c].isGatheringBody {
            clients.setDeadline(c, clock.now + snapshot.listeners[plan].bodyTimeout, &clock)
            return
        }
        guard clients[c].needed > 0, !clients[c].isGathering else { return }
        clients[c].isGathering = true
        clients.setDeadline(c, clock.now + snapshot.listeners[plan].headTimeout, &clock)
    }

    /// The connection is ready for a request head.
    mutating func awaitRequest(_ c: Handle) {
        clients[c].phase = .reading
        clients[c].needed = 0
        clients[c].isGathering = false
        clients[c].isGatheringBody = false
        clients[c].exchange = .none
        let plan = clients.listeners[Int(clients[c].listener)].plan
        let timeout =
            clients[c].hasServed ? snapshot.listeners[plan].idleTimeout : snapshot.listeners[plan].headTimeout
        clients.setDeadline(c, clock.now + timeout, &clock)
    }

    /// Gives the scratch's bytes back to the client.
    mutating func saveInput(_ c: Handle) {
        guard !io.received.isEmpty else {
            io.bufferPool.release(&clients[c].input)
            return
        }
        io.bufferPool.acquire(for: &clients[c].input)
        clients[c].input.append(io.received)
        io.received.clear()
    }

    /// Moves the client's kept bytes to the end of the scratch.
    mutating func restoreInput(_ c: Handle) {
        guard !clients[c].input.isEmpty else { return }
        io.received.append(clients[c].input)
        clients[c].input.clear()
    }
}
