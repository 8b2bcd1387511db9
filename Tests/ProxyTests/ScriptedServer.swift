import Kernel
import Simulation
import TLS

/// A server behind the proxy: answers each request as its handler says and remembers what it got.
final class ScriptedServer {
    typealias Handler = (Message) -> [SimulatedPeer.Action]

    let address: SocketAddress
    private unowned let network: SimulatedNetwork
    /// What it speaks TLS with; nil: it speaks in clear.
    var tls: TLSContext?
    /// Whole requests, in the order of their last bytes.
    private(set) var requests: [Message] = []
    /// Oldest first, those that are over included.
    var connections: [SimulatedPeer] { network.served(at: address) }
    /// Bytes that were no request.
    private(set) var isBroken = false
    /// Called with each whole request.
    var handler: Handler
    /// Called with each request whose head is here and whose body is not.
    var onHead: Handler?
    /// Called with each new connection before anything else.
    var onConnection: ((SimulatedPeer) -> Void)?

    init(_ network: SimulatedNetwork, at address: SocketAddress, _ handler: @escaping Handler) {
        self.network = network
        self.address = address
        self.handler = handler
        listen()
    }

    convenience init(_ stage: ProxyStage, _ index: Int = 0, _ handler: @escaping Handler) {
        self.init(stage.network, at: ProxyStage.server(index), handler)
        if stage.speaksTLS(server: index) { tls = ServerTLS.trusted }
    }

    func listen() {
        // The network keeps its servers.
        network.serve(at: address) { [self] peer in accept(peer) }
    }

    /// The process dies: nobody listens, every connection is reset or closed.
    func die(reset: Bool = true) {
        network.refuse(at: address)
        for peer in connections where !peer.isDone { peer.perform(reset ? .reset : .close) }
    }

    /// Connections that neither side has ended.
    var openConnections: Int { connections.filter { $0.isOpen }.count }

    private func accept(_ peer: SimulatedPeer) {
        peer.layer = tls.flatMap { ServerTLS.layer($0) }
        var reader = MessageReader(requests: ())
        var hasSeenHead = false
        peer.onReceive = { [self] bytes in
            var actions: [SimulatedPeer.Action] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let before = reader.complete.count
                rest = rest.dropFirst(reader.readSome(rest))
                if reader.isBroken { isBroken = true }
                if reader.complete.count > before {
                    hasSeenHead = false
                    requests.append(reader.complete[before])
                    actions += handler(reader.complete[before])
                } else if reader.current.hasHead, !hasSeenHead {
                    hasSeenHead = true
                    if let onHead { actions += onHead(reader.current) }
                }
            }
            return actions
        }
        onConnection?(peer)
    }
}

extension [SimulatedPeer.Action] {
    /// A response with a Content-Length.
    static func reply(_ body: String, status: String = "200 OK", extra: String = "") -> [SimulatedPeer.Action] {
        [
            .text(
                "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\n\(extra)Content-Length: \(body.utf8.count)\r\n\r\n"
                    + body)
        ]
    }

    static func bytes(_ body: [UInt8]) -> [SimulatedPeer.Action] {
        [
            .text("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: \(body.count)\r\n\r\n"),
            .send(body),
        ]
    }

    /// The head of an event stream, and events as chunks.
    static func stream(_ events: String..., extra: String = "") -> [SimulatedPeer.Action] {
        [
            .text(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n\(extra)Transfer-Encoding: chunked\r\n\r\n"
            )
        ] + events.map { .chunk($0) }
    }
}

extension SimulatedPeer.Action {
    static func chunk(_ text: String) -> SimulatedPeer.Action { .chunk(Array(text.utf8)) }

    static func chunk(_ bytes: [UInt8]) -> SimulatedPeer.Action {
        .send(Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [13, 10])
    }

    static var lastChunk: SimulatedPeer.Action { .text("0\r\n\r\n") }
}
