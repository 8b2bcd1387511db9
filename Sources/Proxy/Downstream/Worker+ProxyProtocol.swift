import HTTP
import Kernel
import Reactor
import TLS
import Telemetry

/// The PROXY protocol: a proxy that we trust says, before anything else, whom it speaks for.
extension Worker where Outside: ~Copyable {
    /// Reads the header at the front of the scratch, then goes on as though the connection had come from whom it names.
    /// The deadline that was set when it came goes on, too: the header is part of the handshake's time, or of the head's.
    mutating func readProxyHeader(_ c: Handle) {
        switch ProxyHeader(io.received.span) {
        case .incomplete:
            saveInput(c)
        case .invalid:
            io.received.clear()
            metrics.increment(.malformed)
            closeClient(c, reset: true)
        case .complete(let length, let source):
            io.received.consume(length)
            if let source {
                clients[c].address = SocketAddress(
                    high: source.high, low: source.low, port: source.port, isIPv4: source.isIPv4)
            }
            startAfterProxyHeader(c)
        }
    }

    private mutating func startAfterProxyHeader(_ c: Handle) {
        let listener = Int(clients[c].listener)
        guard let secure = clients.listeners[listener].tls else {
            awaitRequest(c)
            io.savedCount = 0
            if io.received.isEmpty { saveInput(c) } else { process(c) }
            return
        }
        guard let session = try? io.engine.accept(secure) else {
            io.received.clear()
            closeClient(c, reset: true)
            return
        }
        clients[c].tls = consume session
        clients[c].isSecure = true
        clients[c].phase = .handshaking
        // What came behind the header is of TLS.
        io.ciphertext.clear()
        io.ciphertext.append(io.received)
        io.received.clear()
        saveInput(c)
        if !io.ciphertext.isEmpty { continueHandshake(c) }
    }
}
