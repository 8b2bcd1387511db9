import Reactor

@testable import TLSRecords

/// Both ends of a connection whose handshake is over, each with a layer of its own: the client's is the server's with the secrets
/// the other way round.
final class RecordPair {
    enum End { case client, server }

    private var clientLayer = RecordLayer()
    private var serverLayer = RecordLayer()
    private let client: UnsafeMutablePointer<RecordConnection>
    private let server: UnsafeMutablePointer<RecordConnection>
    private(set) var reason = ""

    init?(
        _ suite: RecordSuite, client clientSecret: [UInt8], server serverSecret: [UInt8], recordsSent: UInt64 = 0
    ) {
        let facts = RecordConnection.Facts(suite: suite, applicationProtocol: 1, wasResumed: false)
        func make(_ client: [UInt8], _ server: [UInt8], _ layer: borrowing RecordLayer)
            -> UnsafeMutablePointer<RecordConnection>?
        {
            var secrets = HandshakeSecrets()
            withUnsafeMutablePointer(to: &secrets) { secrets in
                HandshakeSecrets.capture(into: secrets) {
                    Self.note("c ap traffic", client)
                    Self.note("s ap traffic", server)
                }
            }
            defer { secrets.cleanse() }
            return RecordConnection.make(facts, secrets, recordsSent: recordsSent, in: layer)
        }
        guard let client = make(serverSecret, clientSecret, clientLayer),
            let server = make(clientSecret, serverSecret, serverLayer)
        else { return nil }
        (self.client, self.server) = (client, server)
        // What has been sent has been received.
        if recordsSent > 0 {
            client.pointee.reading =
                Self.keys(suite, serverSecret, recordsSent) ?? client.pointee.reading
            server.pointee.reading =
                Self.keys(suite, clientSecret, recordsSent) ?? server.pointee.reading
        }
    }

    deinit {
        RecordConnection.destroy(client)
        RecordConnection.destroy(server)
    }

    private static func keys(_ suite: RecordSuite, _ secret: [UInt8], _ records: UInt64) -> TrafficKeys? {
        secret.withUnsafeBytes { TrafficKeys(suite, secret: $0, recordsSoFar: records) }
    }

    private static func note(_ label: String, _ secret: [UInt8]) {
        Array(label.utf8).withUnsafeBytes { label in
            secret.withUnsafeBytes { secret in HandshakeSecrets.note(label, secret) }
        }
    }

    var serverWriteGeneration: UInt32 { server.pointee.writing.generation }
    var serverReadGeneration: UInt32 { server.pointee.reading.generation }
    var serverKeepsBytes: Int { Int(server.pointee.partialCapacity) }

    func send(_ end: End, _ bytes: [UInt8]) -> [UInt8] {
        var outgoing = ByteBuffer()
        defer { outgoing.release() }
        let isSent = bytes.withUnsafeBytes { (raw: UnsafeRawBufferPointer) -> Bool in
            if end == .client { return clientLayer.send(client, raw, outgoing: &outgoing) }
            return serverLayer.send(server, raw, outgoing: &outgoing)
        }
        return isSent ? take(&outgoing) : []
    }

    func closeNotify(_ end: End) -> [UInt8] {
        var outgoing = ByteBuffer()
        defer { outgoing.release() }
        if end == .client {
            clientLayer.appendCloseNotify(client, outgoing: &outgoing)
        } else {
            serverLayer.appendCloseNotify(server, outgoing: &outgoing)
        }
        return take(&outgoing)
    }

    /// A record with any content, as a peer can make it.
    func raw(_ type: UInt8, _ bytes: [UInt8], padding: Int = 0) -> [UInt8] {
        var outgoing = ByteBuffer()
        defer { outgoing.release() }
        // Content, type, zeros: the layer appends a type of its own, so the last zero stands for it.
        let content = bytes + [type] + [UInt8](repeating: 0, count: padding)
        _ = content.withUnsafeBytes { clientLayer.encrypt(client, 0, $0, &outgoing) }
        return take(&outgoing)
    }

    func updateKeyOfClient() { _ = client.pointee.writing.update(client.pointee.facts.suite) }

    /// What a server, or a client, makes of bytes: how it goes, data, and what it sends back.
    func receive(_ end: End, _ bytes: [UInt8]) -> (progress: RecordProgress, data: [UInt8], sent: [UInt8]) {
        var plaintext = ByteBuffer()
        var outgoing = ByteBuffer()
        defer {
            plaintext.release()
            outgoing.release()
        }
        let progress = bytes.withUnsafeBytes { (raw: UnsafeRawBufferPointer) -> RecordProgress in
            if end == .client { return clientLayer.receive(client, raw, plaintext: &plaintext, outgoing: &outgoing) }
            return serverLayer.receive(server, raw, plaintext: &plaintext, outgoing: &outgoing)
        }
        reason = end == .client ? clientLayer.lastReason : serverLayer.lastReason
        return (progress, take(&plaintext), take(&outgoing))
    }
}
