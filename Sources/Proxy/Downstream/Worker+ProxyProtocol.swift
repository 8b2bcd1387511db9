import HTTP
import Kernel
import Reactor
import TLS
import Telemetry

/// The PROXY protocol: a proxy that we trust says, before anything else, whom it speaks for.
extension Worker where Outside: ~Copyable {
    /// Reads the header at the front of `io.received`, then goes on as though the connection had come from whom it names.
    /// The deadline that was set when it came goes on, too: the header is part of the handshake's time, or of the head's.
    mutating func readProxyHeader(_ client: Handle) {
        switch ProxyHeader(io.received.span) {
        case .incomplete:
            io.saveInput(&clients[client].transport)
        case .invalid:
            io.received.clear()
            metrics.increment(.malformed)
            clients.close(client, reset: true, &io, metrics)
        case .complete(let length, let source):
            io.received.consume(length)
            if let source {
                clients[client].address = SocketAddress(
                    high: source.high, low: source.low, port: source.port, isIPv4: source.isIPv4)
                if source.usesTLS { clients[client].isSecure = true }
                guard mayConnect(client) else {
                    io.received.clear()
                    clients.close(client, reset: true, &io, metrics)
                    return
                }
            }
            startAfterProxyHeader(client)
        }
    }

    /// Counts the connection of an address that a header has named; false if it has as many as it may, or opens them too fast.
    private mutating func mayConnect(_ client: Handle) -> Bool {
        let listener = clients.listener(of: client)
        guard clients.listeners[listener].plan.boundsAddresses else { return true }
        let (claim, refusal) = claimAddress(clients[client].address, listener)
        if let claim { clients.addresses.keep(claim, for: client.slot) }
        if let refusal { metrics.increment(refusal) }
        return refusal == nil
    }

    private mutating func startAfterProxyHeader(_ client: Handle) {
        guard let tls = clients.listeners[clients.listener(of: client)].tls else {
            clients.awaitRequest(client, &clock)
            io.savedCount = 0
            if io.received.isEmpty { io.saveInput(&clients[client].transport) } else { process(client) }
            return
        }
        guard let session = try? io.engine.accept(tls) else {
            io.received.clear()
            clients.close(client, reset: true, &io, metrics)
            return
        }
        clients[client].transport.tls = consume session
        clients[client].phase = .handshaking
        // What came behind the header is TLS.
        io.ciphertext.clear()
        io.ciphertext.append(io.received)
        io.received.clear()
        io.saveInput(&clients[client].transport)
        if !io.ciphertext.isEmpty { continueHandshake(client) }
    }
}
