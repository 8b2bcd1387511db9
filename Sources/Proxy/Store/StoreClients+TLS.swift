import Kernel
import Reactor
import TLS

/// TLS on connections to stores: the handshake, then records both ways.
extension StoreClients {
    /// Begins a handshake. If not even that works, the connection shows it by failing its next step.
    mutating func startHandshake<Outside: World & ~Copyable>(
        _ connection: Handle, with context: TLSClientContext, serverName: String, _ io: inout ConnectionIO<Outside>
    ) {
        guard let session = try? io.engine.connect(context, serverName: serverName) else { return }
        connections[connection].transport.tls = consume session
        io.ciphertext.clear()
        _ = io.decrypt(&connections[connection].transport)
        writeOutgoing(connection, &io)
    }

    /// Reads what the store says in the handshake. What it says behind it stays in `io.received`.
    mutating func stepHandshake<Outside: World & ~Copyable>(
        _ connection: Handle, _ io: inout ConnectionIO<Outside>
    ) -> HandshakeStep {
        guard usesTLS(connection) else { return .failed }
        for _ in 0..<Scratch.transfersPerTurn where connections[connection].transport.mayRead {
            let (outcome, isShort) = io.receiveRecords(
                &connections[connection].transport, atMost: Scratch.readBytes)
            switch outcome {
            case .moved: break
            case .wouldBlock:
                connections[connection].transport.mayRead = false
                return .pending
            case .ended, .failed: return .failed
            }
            connections[connection].transport.noteRead(isShort: isShort)
            let progress = io.decrypt(&connections[connection].transport)
            writeOutgoing(connection, &io)
            switch progress {
            case .handshaking: continue
            case .established: return .done
            case .closed: return .failed
            case .failed: return .refused
            }
        }
        return connections[connection].transport.hasEnded ? .failed : .pending
    }

    /// Appends to `io.received` what one read brings, decrypted where the connection is encrypted. `moved` may have brought nothing
    /// to read yet.
    mutating func receive<Outside: World & ~Copyable>(
        _ connection: Handle, _ io: inout ConnectionIO<Outside>
    ) -> Transfer {
        guard usesTLS(connection) else {
            return io.receive(&connections[connection].transport, atMost: Scratch.readBytes)
        }
        let (outcome, isShort) = io.receiveRecords(&connections[connection].transport, atMost: Scratch.readBytes)
        guard case .moved = outcome else {
            if case .wouldBlock = outcome { connections[connection].transport.mayRead = false }
            return outcome
        }
        connections[connection].transport.noteRead(isShort: isShort)
        let progress = io.decrypt(&connections[connection].transport)
        writeOutgoing(connection, &io)
        switch progress {
        case .handshaking, .established: return outcome
        case .closed: return .ended
        case .failed: return .failed(ErrorNumber.protocolError)
        }
    }

    private func usesTLS(_ connection: Handle) -> Bool { connections[connection].transport.tls != nil }

    /// Sends what TLS has to say by itself. What is wrong with the socket shows when it is read.
    private mutating func writeOutgoing<Outside: World & ~Copyable>(
        _ connection: Handle, _ io: inout ConnectionIO<Outside>
    ) {
        if io.outgoing.isEmpty { return }
        _ = io.writeOutgoing(&connections[connection].transport)
    }
}
