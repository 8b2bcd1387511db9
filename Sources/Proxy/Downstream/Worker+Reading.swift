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
            clientLeft(c)
            return
        }
        pumpClient(c)
    }

    /// Looks at a client again: pipelined requests may be in hand, or reading may go on.
    mutating func resumeClient(_ c: Handle) {
        if isOrphan(c) {
            toilLater(c)
            return
        }
        if clients[c].phase == .multiplexing, !clients[c].input.isEmpty {
            // Frames were left while it was in this line.
            toilLater(c)
            return
        }
        if clients[c].phase == .reading, !clients[c].input.isEmpty {
            received.clear()
            openWindow(c)
            unstash(c)
            readRequests(c)
            guard clients.contains(c) else { return }
        }
        if clients[c].hasEnded, clients[c].phase == .exchanging {
            clientLeft(c)
            return
        }
        pumpClient(c)
    }

    /// Reads while there is something to read and somebody to take it.
    mutating func pumpClient(_ c: Handle) {
        if canWait(c) {
            if clients[c].mayRead { toilLater(c) }
        } else {
            readClient(c)
        }
    }

    /// The same, whatever it costs.
    mutating func readClient(_ c: Handle) {
        let isDear = isToiling || clients[c].phase == .multiplexing
        for _ in 0..<(isDear ? 1 : Worker.readsPerTurn) {
            guard clients.contains(c), clients[c].mayRead, takesBytes(c), isToiling || !canWait(c) else { break }
            switch fill(c) {
            case .moved:
                digest(c)
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
            clientLeft(c)
        } else if clients[c].mayRead, takesBytes(c) {
            if isDear { toilLater(c) } else { resumeLater(client: c) }
        }
    }

    /// True if bytes from this client would not have to wait for anybody.
    private func takesBytes(_ c: Handle) -> Bool {
        switch clients[c].phase {
        case .handshaking, .lingering, .announcing: return true
        // More is not read before what is in hand is used.
        case .multiplexing: return clients[c].input.isEmpty
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
    private mutating func fill(_ c: Handle) -> Transfer {
        if clients[c].stream != 0 { return fillFromStream(c) }
        received.clear()
        if clients[c].tls != nil { return fillDecrypted(c) }
        unstash(c)
        keptCount = received.count
        let (outcome, isShort) =
            clients[c].phase == .multiplexing
            // What a flood leaves for later turns is kept with the connection: no more of it than need be.
            ? world.receive(clients[c].descriptor, into: &received, atMost: Worker.readBytes)
            : world.receive(clients[c].descriptor, into: &received, room: Worker.readBytes)
        if case .moved = outcome {
            // A short read has drained the socket, unless the peer's FIN is waiting behind the bytes.
            if isShort, !clients[c].hasEnded { clients[c].mayRead = false }
        } else {
            clients[c].mayRead = false
            if !received.isEmpty { stash(c) }
        }
        return outcome
    }

    /// The same through TLS: one read of records, all that can be opened, and whatever the session wants to say.
    private mutating func fillDecrypted(_ c: Handle) -> Transfer {
        ciphertext.clear()
        let (outcome, isShort) = world.receive(clients[c].descriptor, into: &ciphertext, room: Worker.readBytes)
        guard case .moved = outcome else {
            clients[c].mayRead = false
            return outcome
        }
        if isShort, !clients[c].hasEnded { clients[c].mayRead = false }
        return open(c)
    }

    /// Goes on with a handshake whose first bytes came with something else and are in `ciphertext`.
    mutating func shakeHands(_ c: Handle) {
        switch open(c) {
        case .moved:
            if clients.contains(c) { digest(c) }
        case .wouldBlock: break
        case .ended, .failed: clientEnded(c)
        }
    }

    /// Opens the records in `ciphertext`.
    private mutating func open(_ c: Handle) -> Transfer {
        unstash(c)
        let kept = received.count
        keptCount = kept
        let progress = decrypt(c)
        sendWire(c)
        guard clients.contains(c) else { return .failed(0) }
        switch progress {
        case .handshaking, .established:
            if progress == .established, clients[c].phase == .handshaking { beginSpeaking(c) }
            guard clients.contains(c) else { return .failed(0) }
            if received.count == kept {
                stash(c)
                return clients[c].mayRead ? .moved(0) : .wouldBlock
            }
            return .moved(received.count - kept)
        case .closed:
            clients[c].mayRead = false
            clients[c].hasEnded = true
            return received.count > kept ? .moved(received.count - kept) : .ended
        case .failed:
            guard clients[c].phase == .handshaking, engine.lastFailureWasPlainHTTP else { return .failed(0) }
            answerInClear(c)
            return .wouldBlock
        }
    }

    /// A client that speaks HTTP to a TLS port is told so in its own language.
    private mutating func answerInClear(_ c: Handle) {
        clients[c].tls = nil
        clients[c].isSecure = false
        clients[c].phase = .reading
        refuse(c, Reply.plainHTTP)
    }

    /// The handshake is over: ALPN says which protocol follows (RFC 7301).
    private mutating func beginSpeaking(_ c: Handle) {
        var speaksHTTP2 = false
        if let session = clients[c].tls.take() {
            speaksHTTP2 = session.applicationProtocol == .http2
            clients[c].tls = consume session
        }
        if speaksHTTP2 { beginMultiplexing(c) } else { beginReading(c) }
    }

    private mutating func decrypt(_ c: Handle) -> TLSProgress {
        guard var session = clients[c].tls.take() else { return .failed }
        let progress = engine.receive(&session, ciphertext, plaintext: &received, wire: &wire)
        clients[c].tls = consume session
        return progress
    }

    /// What the scratch holds now belongs to the client: by phase, it is a request, a piece of a body, or nothing.
    mutating func digest(_ c: Handle) {
        switch clients[c].phase {
        case .handshaking:
            stash(c)
        case .announcing:
            readAnnouncement(c)
        case .lingering:
            received.clear()
        case .multiplexing:
            feed(c)
        case .exchanging:
            forwardBody(c)
        case .reading:
            if startsMultiplexing(c) {
                beginMultiplexing(c)
                if clients.contains(c) { feed(c) }
                return
            }
            // What could complete something has not come: do not parse the same bytes again.
            if received.count < Int(clients[c].needed) || isDripping(c) {
                stash(c)
                expectRest(c)
            } else {
                readRequests(c)
            }
        }
    }

    /// True if the rest of a head is awaited and the last read ended no line of it. Parsing starts from the head's first
    /// byte each time; a head that comes byte by byte must not be parsed as often.
    private func isDripping(_ c: Handle) -> Bool {
        guard clients[c].isGathering, !clients[c].isGatheringBody else { return false }
        let limit = snapshot.listeners[listeners[Int(clients[c].listener)].plan].limits.headBytes
        return received.count <= limit && !received.contains(0x0a, from: keptCount)
    }

    /// Parses and starts requests from the scratch, which holds all unread bytes of the client; what is left over goes
    /// back to the client.
    mutating func readRequests(_ c: Handle) {
        while clients.contains(c), clients[c].phase == .reading, !received.isEmpty, clients[c].output.isEmpty {
            let outcome = listeners[Int(clients[c].listener)].parser.parse(received, into: &requestHead)
            switch outcome {
            case .incomplete:
                clients[c].needed = UInt32(received.count + 1)
                stash(c)
                expectRest(c)
                return
            case .invalid(let fault):
                refuse(c, fault)
            case .complete:
                guard receiveRequest(c) else { return }
            }
        }
        if clients.contains(c) { stash(c) } else { received.clear() }
    }

    /// A head is under way, whose time runs from its first byte; or a gathered body, whose time runs from its last.
    private mutating func expectRest(_ c: Handle) {
        let plan = listeners[Int(clients[c].listener)].plan
        if clients[c].isGatheringBody {
            setDeadline(client: c, now + snapshot.listeners[plan].bodyTimeout)
            return
        }
        guard clients[c].needed > 0, !clients[c].isGathering else { return }
        clients[c].isGathering = true
        setDeadline(client: c, now + snapshot.listeners[plan].headTimeout)
    }

    /// The connection is ready for a request head.
    mutating func beginReading(_ c: Handle) {
        clients[c].phase = .reading
        clients[c].needed = 0
        clients[c].isGathering = false
        clients[c].isGatheringBody = false
        clients[c].exchange = .none
        let plan = listeners[Int(clients[c].listener)].plan
        let patience =
            clients[c].hasServed ? snapshot.listeners[plan].idleTimeout : snapshot.listeners[plan].headTimeout
        setDeadline(client: c, now + patience)
    }

    /// Gives the scratch's bytes back to the client.
    mutating func stash(_ c: Handle) {
        guard !received.isEmpty else {
            spare.collect(&clients[c].input)
            return
        }
        spare.lend(to: &clients[c].input)
        clients[c].input.append(received)
        received.clear()
    }

    /// Moves the client's kept bytes to the end of the scratch.
    mutating func unstash(_ c: Handle) {
        guard !clients[c].input.isEmpty else { return }
        received.append(clients[c].input)
        clients[c].input.clear()
    }
}
