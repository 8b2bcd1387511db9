import Foundation
import TLS
import Testing

@Suite("Session tickets")
struct TicketTests {
    private static func context(
        _ secrets: [UInt8], ahead: Int64 = 0,
        certificate: Result<(certificatePEM: [UInt8], keyPEM: [UInt8]), any Error> = Fixture.pair
    ) throws -> TLSContext {
        let (certificate, key) = try certificate.get()
        var options = TLSOptions()
        options.ticketSecrets = TicketSecrets(secrets.map { [UInt8](repeating: $0, count: 32) })
        options.ticketSecrets?.secondsAhead = ahead
        return try TLSContext(certificatePEM: certificate, keyPEM: key, options: options)
    }

    private static func ticket(from context: TLSContext, _ version: TLSVersion) throws -> TLSTicket {
        let conversation = try Conversation(Fixture.client(maximum: version), context)
        conversation.settle()
        return try #require(conversation.client.ticket)
    }

    private static func resumes(_ ticket: TLSTicket, with context: TLSContext, _ version: TLSVersion) throws -> Bool {
        let conversation = try Conversation(Fixture.client(maximum: version), context, resuming: ticket)
        conversation.settle()
        #expect(conversation.client.isEstablished)
        #expect(conversation.client.wasResumed == conversation.server.wasResumed)
        return conversation.client.wasResumed
    }

    @Test(
        "another context with the same secret resumes, one with another secret makes a full handshake",
        arguments: [TLSVersion.v1_2, .v1_3])
    func shared(_ version: TLSVersion) throws {
        let ticket = try Self.ticket(from: Self.context([1]), version)

        #expect(try Self.resumes(ticket, with: Self.context([1]), version))
        #expect(try !Self.resumes(ticket, with: Self.context([2]), version))
    }

    @Test(
        "a ticket of an older secret is accepted and replaced with a new one",
        arguments: [TLSVersion.v1_2, .v1_3])
    func older(_ version: TLSVersion) throws {
        let ticket = try Self.ticket(from: Self.context([1]), version)
        let rotated = try Self.context([2, 1])

        let conversation = try Conversation(Fixture.client(maximum: version), rotated, resuming: ticket)
        conversation.settle()
        #expect(conversation.client.wasResumed)
        let renewed = try #require(conversation.client.ticket)

        #expect(try Self.resumes(renewed, with: Self.context([2]), version))
    }

    @Test(
        "keys change by the clock: a ticket is valid in its period of 12 hours and the adjacent ones only",
        arguments: [TLSVersion.v1_2, .v1_3])
    func rotation(_ version: TLSVersion) throws {
        let ticket = try Self.ticket(from: Self.context([1]), version)
        let period: Int64 = 43_200

        #expect(try Self.resumes(ticket, with: Self.context([1], ahead: period), version))
        #expect(try Self.resumes(ticket, with: Self.context([1], ahead: -period), version))
        for ahead in [2 * period, -2 * period, 100 * period] {
            #expect(try !Self.resumes(ticket, with: Self.context([1], ahead: ahead), version))
        }
    }

    @Test("secrets are replaced in contexts that are in use", arguments: [TLSVersion.v1_2, .v1_3])
    func replaced(_ version: TLSVersion) throws {
        let (certificate, key) = try Fixture.pair.get()
        var options = TLSOptions()
        let secrets = TicketSecrets([[UInt8](repeating: 1, count: 32)])
        options.ticketSecrets = secrets
        let context = try TLSContext(certificatePEM: certificate, keyPEM: key, options: options)
        let old = try Self.ticket(from: context, version)
        let copy = secrets

        copy.replace([[UInt8](repeating: 2, count: 32), [UInt8](repeating: 1, count: 32)])
        #expect(try Self.resumes(old, with: context, version))
        let new = try Self.ticket(from: context, version)
        #expect(try !Self.resumes(new, with: Self.context([1]), version))
        #expect(try Self.resumes(new, with: Self.context([2]), version))

        copy.replace([[UInt8](repeating: 2, count: 32)])
        #expect(try !Self.resumes(old, with: context, version))
        #expect(secrets.secrets == [[UInt8](repeating: 2, count: 32)])
    }

    @Test("a ticket stays valid after a change of the certificate")
    func otherCertificate() throws {
        let ticket = try Self.ticket(from: Self.context([1]), .v1_3)
        let other = Result { try SelfSignedCertificate.make(names: ["localhost"], validDays: 1) }

        #expect(try Self.resumes(ticket, with: Self.context([1], certificate: other), .v1_3))
    }

    @Test("each of fifty tickets resumes its session", arguments: [TLSVersion.v1_2, .v1_3])
    func many(_ version: TLSVersion) throws {
        let one = try Self.context([1])
        let two = try Self.context([1])
        for _ in 0..<50 { #expect(try Self.resumes(Self.ticket(from: one, version), with: two, version)) }
    }

    @Test(
        "weak ciphers are refused", arguments: ["aNULL", "ALL:eNULL", "NULL-SHA256", "ADH-AES128-SHA256"])
    func weak(_ ciphers: String) throws {
        let pair = try Fixture.pair.get()
        var options = TLSOptions()
        options.ciphers = ciphers
        let error = #expect(throws: TLSError.self) {
            try TLSContext(certificatePEM: pair.certificatePEM, keyPEM: pair.keyPEM, options: options)
        }
        #expect(error?.action.description == "choosing ciphers")
    }

    @Test("configured ciphers are negotiated")
    func chosen() throws {
        let pair = try Fixture.pair.get()
        var options = TLSOptions()
        options.ciphers = "ECDHE+CHACHA20"
        let context = try TLSContext(certificatePEM: pair.certificatePEM, keyPEM: pair.keyPEM, options: options)
        let conversation = try Conversation(Fixture.client(maximum: .v1_2), context)
        conversation.settle()
        #expect(conversation.client.cipher == "ECDHE-ECDSA-CHACHA20-POLY1305")
    }
}
