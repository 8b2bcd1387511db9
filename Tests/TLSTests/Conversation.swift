import Reactor
import TLS

/// One end of a conversation: an engine with one session and what it has heard and wants to say.
final class Peer {
    private var engine: TLSEngine
    private(set) var session: TLSSession
    private var heard = ByteBuffer()
    private var outgoing = ByteBuffer()
    private(set) var progress = TLSProgress.handshaking

    init(_ context: TLSContext) throws {
        var engine = try TLSEngine()
        session = try engine.accept(context)
        self.engine = engine
    }

    init(_ context: TLSClientContext, serverName: String, resuming ticket: TLSTicket?) throws {
        var engine = try TLSEngine()
        session = try engine.connect(context, serverName: serverName, resuming: ticket)
        self.engine = engine
        hear([])
    }

    var wireCount: Int { outgoing.count }
    var heardCount: Int { heard.count }
    var isEstablished: Bool { session.isEstablished }
    var wasResumed: Bool { session.wasResumed }
    var applicationProtocol: ApplicationProtocol { session.applicationProtocol }
    var ticket: TLSTicket? { session.ticket }
    var peerSubject: String? { session.peerSubject }
    var cipher: String { session.cipher }
    var failure: String { engine.lastFailure.reason }
    var heardPlainHTTP: Bool { engine.lastFailureWasPlainHTTP }

    func hear(_ bytes: [UInt8]) {
        progress = engine.receive(&session, bytes.span, plaintext: &heard, outgoing: &outgoing)
    }

    func send(_ bytes: [UInt8]) -> Bool { engine.send(&session, bytes.span, outgoing: &outgoing) }

    func finish() { engine.finish(&session, outgoing: &outgoing) }

    /// Drops the session and waits for another peer.
    func reaccept(_ context: TLSContext) throws {
        session = try engine.accept(context)
        progress = .handshaking
    }

    var wireAllocated: Int { outgoing.allocated }

    func releaseWire() { outgoing.release() }

    func takeWire(_ count: Int = .max) -> [UInt8] { take(&outgoing, count) }

    func takeHeard() -> [UInt8] { take(&heard) }
}

/// A client and a server that hear each other in pieces of a chosen size. The ClientHello is on the wire already.
final class Conversation {
    let client: Peer
    let server: Peer

    init(
        _ clientContext: TLSClientContext, _ serverContext: TLSContext, serverName: String = "localhost",
        resuming ticket: TLSTicket? = nil
    ) throws {
        client = try Peer(clientContext, serverName: serverName, resuming: ticket)
        server = try Peer(serverContext)
    }

    /// Carries bytes both ways until neither end has more to say.
    func settle(inPiecesOf size: Int = .max) {
        while client.wireCount + server.wireCount > 0 {
            if client.wireCount > 0 { server.hear(client.takeWire(size)) }
            if server.wireCount > 0 { client.hear(server.takeWire(size)) }
        }
    }
}

/// Takes up to `count` bytes out of a buffer.
func take(_ buffer: inout ByteBuffer, _ count: Int = .max) -> [UInt8] {
    let taken = copy(buffer, count)
    buffer.consume(taken.count)
    return taken
}

private func copy(_ buffer: borrowing ByteBuffer, _ count: Int) -> [UInt8] {
    let span = buffer.span
    return span.extracting(0..<min(count, span.count)).withUnsafeBufferPointer { Array($0) }
}

/// One certificate for all tests, and the contexts made with it.
enum Fixture {
    static let pair = Result { try SelfSignedCertificate.make(names: ["localhost", "127.0.0.1"], validDays: 30) }

    static func server(
        minimum: TLSVersion = .v1_2, protocols: [String] = ["http/1.1"], tickets: Bool = true
    ) throws -> TLSContext {
        let (certificate, key) = try pair.get()
        return try TLSContext(
            certificatePEM: certificate, keyPEM: key, options: options(minimum, protocols, tickets: tickets))
    }

    static func client(
        minimum: TLSVersion = .v1_2, maximum: TLSVersion = .v1_3, protocols: [String] = ["http/1.1"],
        trust: TLSClientContext.Trust? = nil
    ) throws -> TLSClientContext {
        var options = options(minimum, protocols, tickets: true)
        options.maximumVersion = maximum
        return try TLSClientContext(trust: trust ?? .certificates(pair.get().certificatePEM), options: options)
    }

    private static func options(_ minimum: TLSVersion, _ protocols: [String], tickets: Bool) -> TLSOptions {
        var options = TLSOptions()
        options.minimumVersion = minimum
        options.applicationProtocols = protocols
        options.tickets = tickets
        return options
    }
}
