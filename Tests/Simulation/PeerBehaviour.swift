package import Kernel

/// A named way to behave, as a client or as a server alike: `begin` gives one connection its script.
package protocol PeerBehaviour {
    /// What becomes of a SYN, before there is a connection to behave on.
    var handshake: Handshake { get }
    func begin(_ peer: SimulatedPeer)
}

package enum Handshake: Sendable {
    case accept
    /// RST at once.
    case refuse
    /// No answer, ever.
    case swallow
}

extension PeerBehaviour {
    package var handshake: Handshake { .accept }
}

extension SimulatedNetwork {
    package func serve(at address: SocketAddress, as behaviour: some PeerBehaviour) {
        switch behaviour.handshake {
        case .accept: serve(at: address) { behaviour.begin($0) }
        case .refuse: refuse(at: address)
        case .swallow: swallow(at: address)
        }
    }

    @discardableResult
    package func connect(to address: SocketAddress, as behaviour: some PeerBehaviour) -> SimulatedPeer {
        let peer = connect(to: address)
        behaviour.begin(peer)
        return peer
    }
}

extension SimulatedPeer {
    /// Calls `speak` when it is this peer's turn: a client's at once, a server's each time a whole request head (up to
    /// its empty line) was read.
    package func onTurn(_ speak: @escaping () -> [Action]) {
        switch role {
        case .client:
            onOpen = speak
        case .server:
            var matched = 0
            let end: [UInt8] = [13, 10, 13, 10]
            onReceive = { bytes in
                var actions: [Action] = []
                for byte in bytes {
                    matched = byte == end[matched] ? matched + 1 : (byte == 13 ? 1 : 0)
                    if matched == end.count {
                        matched = 0
                        actions += speak()
                    }
                }
                return actions
            }
        }
    }
}
