import Reactor
import TLS
import Testing

@Suite("Handshake")
struct HandshakeTests {
    @Test("TLS 1.2 and 1.3 are negotiated with forward secrecy and an AEAD", arguments: [TLSVersion.v1_2, .v1_3])
    func versions(_ version: TLSVersion) throws {
        let talk = try Conversation(Fixture.client(maximum: version), Fixture.server())
        #expect(!talk.server.isEstablished)

        talk.settle()

        #expect(talk.client.progress == .established)
        #expect(talk.server.progress == .established)
        let established = (talk.client.isEstablished, talk.server.isEstablished)
        #expect(established == (true, true))
        let (name, cipher) = (talk.server.session.version, talk.server.session.cipher)
        #expect(name == (version == .v1_2 ? "TLSv1.2" : "TLSv1.3"))
        #expect(cipher.contains("GCM") || cipher.contains("CHACHA20"))
        #expect(version == .v1_3 || cipher.hasPrefix("ECDHE-"))
        #expect(talk.server.receivedCount == 0 && talk.client.receivedCount == 0)
    }

    @Test("a client with a version below the minimum gets an alert, and the reason is reported")
    func tooOld() throws {
        let talk = try Conversation(Fixture.client(maximum: .v1_2), Fixture.server(minimum: .v1_3))

        talk.server.receive(talk.client.takeOutgoing())

        #expect(talk.server.progress == .failed)
        let alert = talk.server.takeOutgoing()
        #expect(alert == [21, 3, 3, 0, 2, 2, 70])  // protocol_version, fatal
        #expect(talk.server.failure == "unsupported protocol")
        #expect(!talk.server.isEstablished)
        talk.client.receive(alert)
        #expect(talk.client.progress == .failed)
    }

    struct Negotiation: Sendable {
        let offered: [String]
        let served: [String]
        let outcome: ApplicationProtocol
    }

    @Test(
        "the server's order decides ALPN, and a client that offers none is served",
        arguments: [
            Negotiation(offered: ["http/1.1"], served: ["http/1.1"], outcome: .http1),
            Negotiation(offered: ["h2", "http/1.1"], served: ["http/1.1"], outcome: .http1),
            Negotiation(offered: ["http/1.1", "h2"], served: ["h2", "http/1.1"], outcome: .http2),
            Negotiation(offered: ["h2"], served: ["http/1.1", "h2"], outcome: .http2),
            Negotiation(offered: ["mcp"], served: ["mcp"], outcome: .other),
            Negotiation(offered: [], served: ["http/1.1"], outcome: .none),
            Negotiation(offered: ["h2"], served: [], outcome: .none),
        ])
    func applicationProtocols(_ negotiation: Negotiation) throws {
        let talk = try Conversation(
            Fixture.client(protocols: negotiation.offered), Fixture.server(protocols: negotiation.served))

        talk.settle()

        let outcomes = (talk.client.applicationProtocol, talk.server.applicationProtocol)
        #expect(talk.server.progress == .established)
        #expect(outcomes == (negotiation.outcome, negotiation.outcome))
    }

    /// RFC 7301 section 3.2.
    @Test("a handshake without a common protocol ends with no_application_protocol")
    func noCommonProtocol() throws {
        let talk = try Conversation(Fixture.client(protocols: ["h2"]), Fixture.server(protocols: ["http/1.1"]))

        talk.server.receive(talk.client.takeOutgoing())

        #expect(talk.server.progress == .failed)
        #expect(talk.server.takeOutgoing() == [21, 3, 3, 0, 2, 2, 120])
        #expect(!talk.server.isEstablished)
    }

    @Test("a client with a ticket resumes its session, also on another engine", arguments: [TLSVersion.v1_2, .v1_3])
    func resumption(_ version: TLSVersion) throws {
        let (client, server) = (try Fixture.client(maximum: version), try Fixture.server())
        let first = try Conversation(client, server)
        first.settle()
        #expect(!first.server.wasResumed)
        let ticket = try #require(first.client.ticket)

        let second = try Conversation(client, server, resuming: ticket)
        second.settle()

        let resumed = (second.client.wasResumed, second.server.wasResumed)
        #expect(resumed == (true, true))
        #expect(second.server.progress == .established)
        #expect(second.server.applicationProtocol == .http1)
    }

    @Test("with tickets off no session is resumed", arguments: [TLSVersion.v1_2, .v1_3])
    func noTickets(_ version: TLSVersion) throws {
        let (client, server) = (try Fixture.client(maximum: version), try Fixture.server(tickets: false))
        let first = try Conversation(client, server)
        first.settle()
        let ticket = first.client.ticket

        let second = try Conversation(client, server, resuming: ticket)
        second.settle()

        #expect(version == .v1_2 || ticket == nil)
        #expect(!second.server.wasResumed)
        #expect(second.server.progress == .established)
    }

    @Test("a ticket of another server leads to a full handshake")
    func foreignTicket() throws {
        let client = try Fixture.client()
        let first = try Conversation(client, Fixture.server())
        first.settle()
        let ticket = try #require(first.client.ticket)

        let second = try Conversation(client, Fixture.server(), resuming: ticket)
        second.settle()

        #expect(!second.server.wasResumed)
        #expect(second.server.progress == .established)
    }

    @Test("a client that does not trust the issuer fails the handshake, and the server gets its alert")
    func unknownIssuer() throws {
        let other = try SelfSignedCertificate.make(names: ["localhost"], validDays: 1).certificatePEM
        let talk = try Conversation(Fixture.client(trust: .certificates(other)), Fixture.server())

        talk.settle()

        #expect(talk.client.progress == .failed)
        #expect(talk.client.failure == "certificate verify failed")
        #expect(talk.server.progress == .failed)
        #expect(talk.server.failure.contains("alert"))
    }

    @Test(
        "the certificate must have the name that the client connects to",
        arguments: [("localhost", true), ("127.0.0.1", true), ("127.0.0.2", false), ("example.org", false)])
    func names(_ name: String, _ accepted: Bool) throws {
        let talk = try Conversation(Fixture.client(), Fixture.server(), serverName: name)

        talk.settle()

        #expect((talk.client.progress == .established) == accepted)
    }

    @Test("a client that trusts anyone does not verify the certificate")
    func anyone() throws {
        let talk = try Conversation(
            TLSClientContext(verifying: false), Fixture.server(), serverName: "somewhere.example")

        talk.settle()

        #expect(talk.client.progress == .established)
    }

    @Test("a session in its handshake works after its context and its engine are gone")
    func orphans() throws {
        var server: TLSContext? = try Fixture.server()
        let talk = try Conversation(Fixture.client(), #require(server))
        server = nil
        talk.settle()
        #expect(talk.server.applicationProtocol == .http1)

        let session = try { () throws in
            var engine = try TLSEngine()
            return try engine.accept(Fixture.server())
        }()
        let isEstablished = session.isEstablished
        #expect(!isEstablished)
    }

    @Test("a session has the size of one pointer")
    func width() { #expect(MemoryLayout<TLSSession>.size == MemoryLayout<UInt>.size) }

    @Test("neither data nor close_notify is sent before the handshake is complete")
    func tooEarly() throws {
        let talk = try Conversation(Fixture.client(), Fixture.server())
        #expect(!talk.server.send([1]))
        talk.server.closeNotify()
        #expect(talk.server.outgoingCount == 0)

        talk.settle()

        #expect(talk.server.progress == .established)
        #expect(talk.server.send([1]))
    }
}
