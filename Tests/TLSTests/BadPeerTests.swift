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
            talk.server.hear(random.bytes(Int.random(in: 6...2_000, using: &random)))
            // Some noise looks like the start of a long record, and is waited for.
            if talk.server.progress == .handshaking { talk.server.hear(random.bytes(70_000)) }

            #expect(talk.server.progress == .failed)
            #expect(talk.server.heardCount == 0)
            // What does not look like a record at all gets no alert: its sender speaks something else.
            let alert = talk.server.takeWire()
            #expect(alert.isEmpty || (alert.count == 7 && alert.first == 21 && alert[5] == 2))
            talk.server.hear(random.bytes(100))
            #expect(talk.server.progress == .failed)
        }
    }

    @Test("random bytes in the shape of a handshake record get an alert", arguments: 0..<64)
    func shapedGarbage(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let talk = try Conversation(Fixture.client(), Fixture.server())
        let body = random.bytes(Int.random(in: 64...600, using: &random))
        // A ClientHello (1) of the length that follows it, filled with noise.
        let hello = [1, 0, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
        let record = [22, 3, 1, UInt8(hello.count >> 8), UInt8(hello.count & 255)] + hello

        talk.server.hear(record)

        #expect(talk.server.progress == .failed)
        let alert = talk.server.takeWire()
        #expect(alert.count == 7 && alert.first == 21 && alert[5] == 2, "seed \(seed): \(alert)")
        #expect(!talk.server.failure.isEmpty)
    }

    @Test("a real ClientHello with a byte changed is answered or refused, and never traps", arguments: 0..<16)
    func mutatedHello(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let (client, server) = (try Fixture.client(), try Fixture.server())
        for _ in 0..<64 {
            let talk = try Conversation(client, server)
            var hello = talk.client.takeWire()
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                hello[Int.random(in: 0..<hello.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            talk.server.hear(hello)
            #expect(talk.server.progress == .failed || talk.server.progress == .handshaking)
            talk.settle()
        }
    }

    @Test("a record changed on its way ends the session with bad_record_mac", arguments: [TLSVersion.v1_2, .v1_3])
    func tampered(_ version: TLSVersion) throws {
        let talk = try Conversation(Fixture.client(maximum: version), Fixture.server())
        talk.settle()
        #expect(talk.client.send(Array("attack at dawn".utf8)))
        var record = talk.client.takeWire()
        record[record.count - 20] ^= 1

        talk.server.hear(record)

        #expect(talk.server.progress == .failed)
        #expect(talk.server.heardCount == 0)
        #expect(talk.server.wireCount > 0)
        #expect(talk.server.failure == "decryption failed or bad record mac")
        #expect(!talk.server.send([1]))
        #expect(!talk.server.isEstablished)
        talk.settle()
        #expect(talk.client.progress == .failed)
    }

    @Test("HTTP in clear is recognised")
    func plainHTTP() throws {
        let talk = try Conversation(Fixture.client(), Fixture.server())
        #expect(!talk.server.heardPlainHTTP)

        talk.server.hear(Array("POST /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))

        #expect(talk.server.progress == .failed)
        #expect(talk.server.heardPlainHTTP)
        #expect(talk.server.wireCount == 0)
    }

    @Test("one session's failure is not blamed on another that hears half a record")
    func noBlame() throws {
        let (client, server) = (try Fixture.client(), try Fixture.server())
        let good = try Conversation(client, server)
        good.settle()
        #expect(good.client.send([1]))
        let bad = try Conversation(client, server)
        bad.server.hear(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        #expect(bad.server.progress == .failed)

        good.server.hear(good.client.takeWire(10))

        #expect(good.server.progress == .established)
        good.settle()
        #expect(good.server.takeHeard() == [1])
        try bad.server.reaccept(server)
        bad.settle()
        #expect(bad.server.progress == .established)
    }

    @Test("an endless flood of empty records is cut off")
    func emptyRecords() throws {
        let talk = try Conversation(Fixture.client(), Fixture.server())
        talk.settle()

        // change_cipher_spec records are ignored under TLS 1.3 (RFC 8446 section 5), but not without end.
        let flood = (0..<4_000).flatMap { _ in [20, 3, 3, 0, 1, 1] as [UInt8] }
        talk.server.hear(flood)

        #expect(talk.server.progress == .failed)
        #expect(talk.server.wireCount < 100)
    }
}
