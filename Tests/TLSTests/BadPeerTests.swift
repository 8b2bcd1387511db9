import Reactor
import TLS
import TestSupport
import Testing

@Suite("Bad peers")
struct BadPeerTests {
    @Test("random bytes fail cleanly and never trap", arguments: 0..<64)
    func garbage(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let context = try Fixture.server()
        for _ in 0..<32 {
            let talk = try Conversation(Fixture.client(), context)
            talk.server.receive(random.bytes(Int.random(in: 6...2_000, using: &random)))
            // Some random bytes look like the start of a long record, and the server waits for its end.
            if talk.server.progress == .handshaking { talk.server.receive(random.bytes(70_000)) }

            #expect(talk.server.progress == .failed)
            #expect(talk.server.receivedCount == 0)
            // Bytes that do not look like a TLS record get no alert: their sender does not speak TLS.
            let alert = talk.server.takeOutgoing()
            #expect(alert.isEmpty || (alert.count == 7 && alert.first == 21 && alert[5] == 2))
            talk.server.receive(random.bytes(100))
            #expect(talk.server.progress == .failed)
        }
    }

    @Test("random bytes in a well-formed handshake record get an alert", arguments: 0..<64)
    func shapedGarbage(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let talk = try Conversation(Fixture.client(), Fixture.server())
        let body = random.bytes(Int.random(in: 64...600, using: &random))
        // A ClientHello (1) of the length that follows it, filled with random bytes.
        let hello = [1, 0, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
        let record = [22, 3, 1, UInt8(hello.count >> 8), UInt8(hello.count & 255)] + hello

        talk.server.receive(record)

        #expect(talk.server.progress == .failed)
        let alert = talk.server.takeOutgoing()
        #expect(alert.count == 7 && alert.first == 21 && alert[5] == 2, "seed \(seed): \(alert)")
        #expect(!talk.server.failure.isEmpty)
    }

    @Test("a ClientHello with changed bytes is answered or refused, and never traps", arguments: 0..<16)
    func mutatedHello(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let (client, server) = (try Fixture.client(), try Fixture.server())
        for _ in 0..<64 {
            let talk = try Conversation(client, server)
            var hello = talk.client.takeOutgoing()
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                hello[Int.random(in: 0..<hello.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            talk.server.receive(hello)
            #expect(talk.server.progress == .failed || talk.server.progress == .handshaking)
            talk.settle()
        }
    }

    @Test("a record changed in transit fails the session with bad_record_mac", arguments: [TLSVersion.v1_2, .v1_3])
    func tampered(_ version: TLSVersion) throws {
        let talk = try Conversation(Fixture.client(maximum: version), Fixture.server())
        talk.settle()
        #expect(talk.client.send(Array("attack at dawn".utf8)))
        var record = talk.client.takeOutgoing()
        record[record.count - 20] ^= 1

        talk.server.receive(record)

        #expect(talk.server.progress == .failed)
        #expect(talk.server.receivedCount == 0)
        #expect(talk.server.outgoingCount > 0)
        #expect(talk.server.failure == "decryption failed or bad record mac")
        #expect(!talk.server.send([1]))
        #expect(!talk.server.isEstablished)
        talk.settle()
        #expect(talk.client.progress == .failed)
    }

    @Test("plaintext HTTP is recognised")
    func plainHTTP() throws {
        let talk = try Conversation(Fixture.client(), Fixture.server())
        #expect(!talk.server.receivedPlainHTTP)

        talk.server.receive(Array("POST /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))

        #expect(talk.server.progress == .failed)
        #expect(talk.server.receivedPlainHTTP)
        #expect(talk.server.outgoingCount == 0)
    }

    @Test("a session's failure does not affect another session that then receives half a record")
    func noBlame() throws {
        let (client, server) = (try Fixture.client(), try Fixture.server())
        let good = try Conversation(client, server)
        good.settle()
        #expect(good.client.send([1]))
        let bad = try Conversation(client, server)
        bad.server.receive(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        #expect(bad.server.progress == .failed)

        good.server.receive(good.client.takeOutgoing(10))

        #expect(good.server.progress == .established)
        good.settle()
        #expect(good.server.takeReceived() == [1])
        try bad.server.reaccept(server)
        bad.settle()
        #expect(bad.server.progress == .established)
    }

    @Test("a flood of empty records fails the session")
    func emptyRecords() throws {
        let talk = try Conversation(Fixture.client(), Fixture.server())
        talk.settle()

        // change_cipher_spec records are ignored by TLS 1.3 (RFC 8446 section 5), but only a limited number of them.
        let flood = (0..<4_000).flatMap { _ in [20, 3, 3, 0, 1, 1] as [UInt8] }
        talk.server.receive(flood)

        #expect(talk.server.progress == .failed)
        #expect(talk.server.outgoingCount < 100)
    }
}
