import Reactor
import TLS
import Testing

@Suite("Closing")
struct ClosingTests {
    @Test("close_notify is heard after what came before it", arguments: [TLSVersion.v1_2, .v1_3])
    func clientFinishes(_ version: TLSVersion) throws {
        let talk = try Conversation(Fixture.client(maximum: version), Fixture.server())
        talk.settle()
        #expect(talk.client.send([1, 2]))
        talk.client.finish()

        talk.server.hear(talk.client.takeWire())

        #expect(talk.server.progress == .closed)
        #expect(talk.server.takeHeard() == [1, 2])
        talk.server.hear([1, 2, 3])
        #expect(talk.server.progress == .closed)
    }

    @Test("a server may answer a client that has finished, and finish then", arguments: [TLSVersion.v1_2, .v1_3])
    func halfClosed(_ version: TLSVersion) throws {
        let talk = try Conversation(Fixture.client(maximum: version), Fixture.server())
        talk.settle()
        talk.client.finish()
        talk.settle()
        #expect(talk.server.progress == .closed)

        #expect(talk.server.send([9]))
        talk.server.finish()
        talk.settle()

        #expect(talk.client.takeHeard() == [9])
        #expect(talk.client.progress == .closed)
    }

    @Test("close_notify is sent once, and nothing after it")
    func once() throws {
        let talk = try Conversation(Fixture.client(), Fixture.server())
        talk.settle()
        talk.server.finish()
        let sent = talk.server.wireCount
        #expect(sent > 0)

        talk.server.finish()
        #expect(!talk.server.send([1]))
        #expect(talk.server.wireCount == sent)

        #expect(talk.client.send([7]))
        talk.settle()
        #expect(talk.server.progress == .established)
        #expect(talk.server.takeHeard() == [7])
        #expect(talk.client.progress == .closed)
    }

    @Test("a peer may close in the middle of the handshake")
    func midHandshake() throws {
        let talk = try Conversation(Fixture.client(), Fixture.server())
        talk.server.hear(talk.client.takeWire())
        talk.server.hear([21, 3, 3, 0, 2, 1, 0])

        #expect(talk.server.progress == .closed || talk.server.progress == .failed)
        #expect(!talk.server.isEstablished)
    }
}
