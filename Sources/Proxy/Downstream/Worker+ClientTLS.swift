import HTTP
import Kernel
import MCP
import Reactor
import TLS
import Telemetry

/// TLS with clients: the handshake, then records.
extension Worker where Outside: ~Copyable {
    /// One read of records, all that can be decrypted, and whatever the session has to say.
    mutating func readRecords(_ client: Handle) -> Transfer {
        let (outcome, isShort) = io.receiveRecords(&clients[client].transport, atMost: Scratch.readBytes)
        guard case .moved = outcome else {
            clients[client].transport.mayRead = false
            return outcome
        }
        clients[client].transport.noteRead(isShort: isShort)
        return processRecords(client)
    }

    /// Goes on with a handshake whose first bytes came with something else and are in `io.ciphertext`.
    mutating func continueHandshake(_ client: Handle) {
        switch processRecords(client) {
        case .moved: if clients.contains(client) { process(client) } else { io.received.clear() }
        case .wouldBlock: break
        case .ended, .failed: clientEnded(client)
        }
    }

    /// Decrypts the records in `io.ciphertext`, as a read would report it.
    private mutating func processRecords(_ client: Handle) -> Transfer {
        io.restoreInput(&clients[client].transport)
        let kept = io.received.count
        io.savedCount = kept
        let progress = io.decrypt(&clients[client].transport)
        clients.writeOutgoing(client, &io, &clock)
        switch progress {
        case .handshaking, .established:
            if progress == .established, clients[client].phase == .handshaking { startNegotiatedProtocol(client) }
            guard clients.contains(client) else {
                io.received.clear()
                return .wouldBlock
            }
            if io.received.count == kept {
                io.saveInput(&clients[client].transport)
                return clients[client].transport.mayRead ? .moved(0) : .wouldBlock
            }
            return .moved(io.received.count - kept)
        case .closed:
            clients[client].transport.mayRead = false
            clients[client].transport.hasEnded = true
            if io.received.count > kept { return .moved(io.received.count - kept) }
            io.saveInput(&clients[client].transport)
            return .ended
        case .failed:
            io.received.clear()
            guard clients[client].phase == .handshaking, io.engine.lastFailureWasPlainHTTP else { return .failed(0) }
            rejectPlaintextHTTP(client)
            return .wouldBlock
        }
    }

    /// A client that speaks HTTP in clear to a TLS port is told so in clear.
    private mutating func rejectPlaintextHTTP(_ client: Handle) {
        clients[client].transport.tls = nil
        clients[client].phase = .reading
        reject(client, .plainHTTP)
    }

    /// The handshake is over: ALPN says which protocol follows (RFC 7301).
    private mutating func startNegotiatedProtocol(_ client: Handle) {
        metrics.count(.handshakes)
        var speaksHTTP2 = false
        if let session = clients[client].transport.tls.take() {
            speaksHTTP2 = session.applicationProtocol == .http2
            clients[client].transport.tls = consume session
        }
        if speaksHTTP2 {
            clients.startHTTP2(client, &io, &clock, metrics)
        } else {
            clients.awaitRequest(client, &clock)
        }
    }
}
