import COpenSSL
import Glibc
import TestSupport
import Testing

@testable import TLS
@testable import TLSRecords

/// Connections that leave OpenSSL after the handshake, with OpenSSL at the other end.
@Suite("Leaving OpenSSL")
struct HandoverTests {
    static let suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]

    private func client(_ suite: String) throws -> TLSClientContext {
        let context = try Fixture.client()
        try #require(SSL_CTX_set_ciphersuites(context.pointer, suite) == 1)
        return context
    }

    @Test("connections of TLS 1.3 leave it, with what the handshake settled; others stay")
    func leaves() throws {
        for suite in Self.suites {
            let talk = try Conversation(client(suite), Fixture.server())
            talk.settle()
            #expect(talk.server.session.records != nil && talk.client.session.records == nil)
            #expect(talk.server.cipher == suite && talk.server.session.version == "TLSv1.3")
            #expect(talk.server.applicationProtocol == .http1 && talk.server.peerSubject == nil)
        }
        let old = try Conversation(Fixture.client(maximum: .v1_2), Fixture.server())
        old.settle()
        #expect(old.server.session.records == nil && old.server.isEstablished)
        var options = TLSOptions()
        options.records = .openSSL
        let (certificate, key) = try Fixture.pair.get()
        let kept = try Conversation(
            Fixture.client(), TLSContext(certificatePEM: certificate, keyPEM: key, options: options))
        kept.settle()
        #expect(kept.server.session.records == nil && kept.server.isEstablished)
    }

    @Test("resumed sessions leave it too", arguments: suites)
    func resumed(suite: String) throws {
        let (client, server) = (try client(suite), try Fixture.server())
        let first = try Conversation(client, server)
        first.settle()
        let ticket = try #require(first.client.ticket)
        let second = try Conversation(client, server, resuming: ticket)
        second.settle()
        #expect(second.server.wasResumed && second.client.wasResumed && second.server.session.records != nil)
        #expect(second.client.send([1]) && second.server.send([2]))
        second.settle()
        #expect(second.server.takeReceived() == [1] && second.client.takeReceived() == [2])
    }

    @Test("data that comes with the end of the handshake is not lost, in pieces of any size", arguments: 1...60)
    func early(size: Int) throws {
        let talk = try Conversation(Fixture.client(), Fixture.server())
        talk.server.receive(talk.client.takeOutgoing())
        talk.client.receive(talk.server.takeOutgoing())
        let data = Array("a request in the same flight".utf8)
        #expect(talk.client.isEstablished && talk.client.send(data))
        talk.settle(inPiecesOf: size)
        #expect(talk.server.takeReceived() == data && talk.server.session.records != nil)
        #expect(talk.server.send([1, 2, 3]))
        talk.settle(inPiecesOf: size)
        #expect(talk.client.takeReceived() == [1, 2, 3])
    }

    @Test(
        "a conversation with OpenSSL: data, new keys, ends, from a seed", arguments: suites,
        1...8 as ClosedRange<UInt64>)
    func differential(suite: String, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let (context, server) = (try client(suite), try Fixture.server())
        let rounds = FullCounts.isWanted ? 40_000 : 400
        for _ in 0..<3 {
            let talk = try Conversation(context, server)
            talk.settle(inPiecesOf: Int.random(in: 1...2_000, using: &random))
            var expected: (server: [UInt8], client: [UInt8]) = ([], [])
            for _ in 0..<rounds {
                switch Int.random(in: 0..<20, using: &random) {
                case 0:
                    let request = Bool.random(using: &random) ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED
                    #expect(SSL_key_update(talk.client.session.ssl, request) == 1)
                    expected.server.append(7)
                    #expect(talk.client.send([7]))
                case 1..<11:
                    let data = random.bytes(Int.random(in: 1...3_000, using: &random))
                    expected.server += data
                    #expect(talk.client.send(data))
                default:
                    let data = random.bytes(Int.random(in: 1...3_000, using: &random))
                    expected.client += data
                    #expect(talk.server.send(data))
                }
                if Bool.random(using: &random) {
                    talk.settle(inPiecesOf: Int.random(in: 1...6_000, using: &random))
                    #expect(
                        talk.server.takeReceived() == expected.server && talk.client.takeReceived() == expected.client)
                    expected = ([], [])
                }
            }
            talk.client.closeNotify()
            talk.settle()
            #expect(talk.server.progress == .closed)
            #expect(talk.server.send([1]))
            talk.server.closeNotify()
            talk.settle()
            #expect(talk.client.progress == .closed)
        }
    }

    @Test("what an idle connection keeps is one small allocation")
    func memory() throws {
        #expect(MemoryLayout<RecordConnection>.size <= 320)
        let talk = try Conversation(Fixture.client(), Fixture.server())
        talk.settle()
        let (records, ssl) = (talk.server.session.records, talk.server.session.ssl)
        #expect(records != nil && ssl == nil)
        #expect(records?.pointee.partial == nil && records?.pointee.partialCapacity == 0)
    }
}

/// Whether the long counts are wanted.
enum FullCounts {
    static let isWanted = getenv("BERTH_FULL_COUNTS") != nil
}
