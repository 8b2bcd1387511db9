import Kernel
import Reactor
import TLS

/// What came of a step of a handshake with a server.
enum HandshakeStep {
    /// More bytes have to come.
    case pending
    case done
    case failed
    /// TLS itself failed, and the session or the engine says why.
    case refused
}

/// TLS on connections to servers: the handshake between the connection and its first request, then records both ways.
extension UpstreamConnections {
    /// Begins a handshake. If not even that works, the connection shows it by failing its next step.
    mutating func startHandshake<Outside: World & ~Copyable>(
        _ connection: Handle, with context: TLSClientContext, serverName: String, resuming ticket: TLSTicket?,
        _ io: inout ConnectionIO<Outside>
    ) {
        guard let session = try? io.engine.connect(context, serverName: serverName, resuming: ticket) else { return }
        slab[connection].transport.tls = consume session
        io.ciphertext.clear()
        _ = io.decrypt(&slab[connection].transport)
        writeOutgoing(connection, &io)
    }

    /// Reads what the server says in the handshake.
    mutating func stepHandshake<Outside: World & ~Copyable>(
        _ connection: Handle, _ io: inout ConnectionIO<Outside>
    ) -> HandshakeStep {
        guard slab[connection].transport.tls != nil else { return .failed }
        for _ in 0..<Scratch.transfersPerTurn where slab[connection].transport.mayRead {
            let (outcome, isShort) = io.receiveRecords(&slab[connection].transport, atMost: Scratch.readBytes)
            switch outcome {
            case .moved: break
            case .wouldBlock:
                slab[connection].transport.mayRead = false
                return .pending
            case .ended, .failed: return .failed
            }
            slab[connection].transport.noteRead(isShort: isShort)
            io.received.clear()
            let progress = io.decrypt(&slab[connection].transport)
            writeOutgoing(connection, &io)
            switch progress {
            case .handshaking: continue
            case .established:
                // HTTP servers do not speak first.
                defer { io.received.clear() }
                return io.received.isEmpty ? .done : .failed
            case .closed: return .failed
            case .failed: return .refused
            }
        }
        return slab[connection].transport.hasEnded ? .failed : .pending
    }

    /// Appends to `io.received` what one read of at most `limit` bytes brings, decrypted. `isRefused` says that TLS itself
    /// failed.
    mutating func receiveDecrypted<Outside: World & ~Copyable>(
        _ connection: Handle, atMost limit: Int, endsBody: Bool, _ io: inout ConnectionIO<Outside>
    ) -> (outcome: Transfer, isRefused: Bool) {
        for _ in 0..<Scratch.transfersPerTurn {
            let (outcome, isShort) = io.receiveRecords(
                &slab[connection].transport, atMost: min(limit, Scratch.readBytes))
            if case .failed = outcome { return (outcome, false) }
            let kept = io.received.count
            // Also without bytes: a session that has had its close_notify says so.
            let progress = io.decrypt(&slab[connection].transport)
            writeOutgoing(connection, &io)
            switch progress {
            case .closed:
                slab[connection].transport.hasEnded = true
                return (io.received.count > kept ? .moved(io.received.count - kept) : .ended, false)
            case .failed:
                return (.failed(ErrorNumber.protocolError), true)
            case .handshaking, .established: break
            }
            switch outcome {
            case .moved: break
            case .ended:
                // Anybody on the way can send a FIN. Where it would say that a body is complete, it is not believed
                // without a close_notify (RFC 8446 section 6.1).
                return (endsBody ? .failed(ErrorNumber.protocolError) : .ended, false)
            case .wouldBlock, .failed: return (outcome, false)
            }
            if io.received.count > kept {
                slab[connection].transport.noteRead(isShort: isShort)
                return (.moved(io.received.count - kept), false)
            }
            // Tickets, or part of a record.
            if isShort, !slab[connection].transport.hasEnded { return (.wouldBlock, false) }
        }
        // So many records without data are no server's way.
        return (.failed(ErrorNumber.protocolError), false)
    }

    /// What a parked connection had to read.
    enum ParkedInput {
        /// A session ticket (RFC 8446 section 4.6.1), or a part of one: no reason to close the connection.
        case ticketOnly
        /// Data that nobody asked for, an end or an error; or the connection is in clear, and nothing was read.
        case other
    }

    /// Reads what a parked connection got, as far as it is a session ticket.
    mutating func readTicket<Outside: World & ~Copyable>(
        _ connection: Handle, _ io: inout ConnectionIO<Outside>
    ) -> ParkedInput {
        guard slab[connection].transport.tls != nil, !slab[connection].transport.hasEnded else { return .other }
        io.received.clear()
        defer { io.received.clear() }
        let (outcome, _) = receiveDecrypted(connection, atMost: Scratch.readBytes, endsBody: false, &io)
        guard case .wouldBlock = outcome else { return .other }
        slab[connection].transport.mayRead = false
        return .ticketOnly
    }

    /// What spares the next connection to the same server a full handshake, if the server gave it. Not of a connection
    /// that was begun before the certificates were replaced.
    mutating func ticket(_ connection: Handle, madeWith context: TLSClientContext?) -> TLSTicket? {
        guard let context, let session = slab[connection].transport.tls.take() else { return nil }
        let ticket = session.isMade(with: context) ? session.ticket : nil
        slab[connection].transport.tls = consume session
        return ticket
    }

    /// Why the connection's certificate was not accepted; nil if that was not what failed.
    mutating func verificationProblem(_ connection: Handle) -> String? {
        guard let session = slab[connection].transport.tls.take() else { return nil }
        let problem = session.verificationProblem
        slab[connection].transport.tls = consume session
        return problem
    }

    /// Sends what TLS has to say by itself. What is wrong with the socket shows when it is read.
    private mutating func writeOutgoing<Outside: World & ~Copyable>(
        _ connection: Handle, _ io: inout ConnectionIO<Outside>
    ) {
        if io.outgoing.isEmpty { return }
        _ = io.writeOutgoing(&slab[connection].transport)
    }
}
