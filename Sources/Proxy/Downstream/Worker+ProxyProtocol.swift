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
        switch ProxyHeader(received.span) {
        case .incomplete:
            saveInput(c)
        case .invalid:
            received.clear()
            metrics.increment(.malformed)
            closeClient(c, reset: true)
        case .complete(let length, let source):
            received.consume(length)
            if let source {
                clients[c].address = SocketAddress(
                    high: source.high, low: source.low, port: source.port, isIPv4: source.isIPv4)
            }
            startAfterProxyHeader(c)
        }
    }

    private mutating func startAfterProxyHeader(_ c: Handle) {
        let listener = Int(clients[c].listener)
        guard let secure = listeners[listener].tls else {
            awaitRequest(c)
            keptCount = 0
            if received.isEmpty { saveInput(c) } else { process(c) }
            return
        }
        guard let session = try? engine.accept(secure) else {
            received.clear()
            closeClient(c, reset: true)
            return
        }
        clients[c].tls = consume session
        clients[c].isSecure = true
        clients[c].phase = .handshaking
        // What came behind the header is of TLS.
        ciphertext.clear()
        ciphertext.append(received)
        received.clear()
        saveInput(c)
        if !ciphertext.isEmpty { continueHandshake(c) }
    }
}
