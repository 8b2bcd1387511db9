import Reactor
import TLS

/// One end of a conversation: an engine with one session, the plaintext received and the bytes to send.
final class Peer {
    private var engine: TLSEngine
    private(set) var session: TLSSession
    private var received = ByteBuffer()
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
        receive([])
    }

    var outgoingCount: Int { outgoing.count }
    var receivedCount: Int { received.count }
    var isEstablished: Bool { session.isEstablished }
    var wasResumed: Bool { session.wasResumed }
    var applicationProtocol: ApplicationProtocol { session.applicationProtocol }
    var ticket: TLSTicket? { session.ticket }
    var peerSubject: String? { session.peerSubject }
    var cipher: String { session.cipher }
    var failure: String { engine.lastFailure.reason }
    var receivedPlainHTTP: Bool { engine.lastFailureWasPlainHTTP }

    func receive(_ bytes: [UInt8]) {
        progress = engine.receive(&session, bytes.span, plaintext: &received, outgoing: &outgoing)
    }

    func send(_ bytes: [UInt8]) -> Bool { engine.send(&session, bytes.span, outgoing: &outgoing) }

    func closeNotify() { engine.appendCloseNotify(&session, outgoing: &outgoing) }

    /// Replaces the session with a new one for another peer.
    func reaccept(_ context: TLSContext) throws {
        session = try engine.accept(context)
        progress = .handshaking
    }

    var outgoingAllocated: Int { outgoing.allocated }

    func releaseOutgoing() { outgoing.release() }

    func takeOutgoing(_ count: Int = .max) -> [UInt8] { take(&outgoing, count) }

    func takeReceived() -> [UInt8] { take(&received) }
}

/// A client and a server that exchange bytes in pieces of a chosen size. The client has already appended its
/// ClientHello.
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

    /// Transfers bytes both ways until neither end has more to send.
    func settle(inPiecesOf size: Int = .max) {
        while client.outgoingCount + server.outgoingCount > 0 {
            if client.outgoingCount > 0 { server.receive(client.takeOutgoing(size)) }
            if server.outgoingCount > 0 { client.receive(server.takeOutgoing(size)) }
        }
    }
}

/// Removes up to `count` bytes from a buffer and returns them.
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
