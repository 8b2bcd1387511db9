import Kernel
package import TLS

/// A TLS handshake that comes to nothing, as a client or as a server: the peer begins it, or seems to, and does something
/// else.
package struct BrokenHandshake: PeerBehaviour {
    package enum Fault: CaseIterable, Sendable {
        /// Bytes that are no TLS.
        case garbage
        /// A fatal alert after its first flight, or in place of it.
        case alert
        /// Its first flight, whole or in half, and the end.
        case close, cut, reset
        /// Half of its first flight, and nothing more for ever: only the worker can end this.
        case silence
        /// Its first flight, and then it is gone without a word.
        case vanish
    }

    package let fault: Fault
    private let client: TLSClientContext
    private let server: TLSContext

    package init(_ fault: Fault, client: TLSClientContext, server: TLSContext) {
        self.fault = fault
        self.client = client
        self.server = server
    }

    package func begin(_ peer: SimulatedPeer) {
        switch peer.role {
        case .client:
            let hello = (try? TLSLayer(client: client))?.begin() ?? []
            peer.onOpen = { actions(hello, asClient: true) }
        case .server:
            let layer = try? TLSLayer(server: server)
            var hasAnswered = false
            peer.onReceive = { bytes in
                let flight = layer?.read(bytes).outgoing ?? []
                guard !hasAnswered, !flight.isEmpty else { return [] }
                hasAnswered = true
                return actions(flight, asClient: false)
            }
        }
        if case .silence = fault { peer.onEnd = { [] } }
    }

    /// handshake_failure(40), RFC 8446 section 6.
    private static let alertRecord: [UInt8] = [21, 3, 3, 0, 2, 2, 40]

    private func actions(_ flight: [UInt8], asClient: Bool) -> [SimulatedPeer.Action] {
        let half = Array(flight.prefix(flight.count / 2))
        switch fault {
        case .garbage: return [.send([UInt8](repeating: 0xa5, count: 100)), .pause(.seconds(1)), .close]
        case .alert: return (asClient ? [.send(flight)] : []) + [.send(BrokenHandshake.alertRecord), .close]
        case .close: return [.send(flight), .finish]
        case .cut: return [.send(half), .finish]
        case .reset: return [.send(flight), .reset]
        case .silence: return [.send(half)]
        case .vanish: return [.send(flight), .vanish]
        }
    }
}
