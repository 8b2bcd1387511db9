import Reactor
import TLS
import Testing

@Suite("Closing")
struct ClosingTests {
    @Test("close_notify is reported after the data before it is delivered", arguments: [TLSVersion.v1_2, .v1_3])
    func clientCloses(_ version: TLSVersion) throws {
        let talk = try Conversation(Fixture.client(maximum: version), Fixture.server())
        talk.settle()
        #expect(talk.client.send([1, 2]))
        talk.client.closeNotify()

        talk.server.receive(talk.client.takeOutgoing())

        #expect(talk.server.progress == .closed)
        #expect(talk.server.takeReceived() == [1, 2])
        talk.server.receive([1, 2, 3])
        #expect(talk.server.progress == .closed)
    }

    @Test("a server may still send data after the client's close_notify", arguments: [TLSVersion.v1_2, .v1_3])
    func halfClosed(_ version: TLSVersion) throws {
        let talk = try Conversation(Fixture.client(maximum: version), Fixture.server())
        talk.settle()
        talk.client.closeNotify()
        talk.settle()
        #expect(talk.server.progress == .closed)

        #expect(talk.server.send([9]))
        talk.server.closeNotify()
        talk.settle()

        #expect(talk.client.takeReceived() == [9])
        #expect(talk.client.progress == .closed)
    }

    @Test("close_notify is sent once, and no data after it")
    func once() throws {
        let talk = try Conversation(Fixture.client(), Fixture.server())
        talk.settle()
        talk.server.closeNotify()
        let sent = talk.server.outgoingCount
        #expect(sent > 0)

        talk.server.closeNotify()
        #expect(!talk.server.send([1]))
        #expect(talk.server.outgoingCount == sent)

        #expect(talk.client.send([7]))
        talk.settle()
        #expect(talk.server.progress == .established)
        #expect(talk.server.takeReceived() == [7])
        #expect(talk.client.progress == .closed)
    }

    @Test("close_notify in the middle of the handshake ends the session")
    func midHandshake() throws {
        let talk = try Conversation(Fixture.client(), Fixture.server())
        talk.server.receive(talk.client.takeOutgoing())
        talk.server.receive([21, 3, 3, 0, 2, 1, 0])

        #expect(talk.server.progress == .closed || talk.server.progress == .failed)
        #expect(!talk.server.isEstablished)
    }
}
