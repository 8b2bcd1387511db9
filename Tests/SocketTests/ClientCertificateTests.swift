import Proxy
import TLS
import Testing

extension SocketTests {
    @Suite("Client certificates", .serialized)
    struct ClientCertificateTests {
        private static let authority = Result { try Authority("clients") }
        private static let forged =
            "GET /one HTTP/1.1\r\nHost: a\r\nX-Client-Cert-Subject: CN=root\r\nx-client-cert-verified: true\r\n"
            + "X_Client_Cert_Subject: CN=root\r\nX-CLIENT_CERT-Verified: true\r\nConnection: x-client-cert-verified\r\n\r\n"

        private static func rig(required: Bool, tickets: TicketSecrets? = nil) throws -> Rig {
            let authority = try authority.get()
            return try Rig(handshaking: { listener in
                var options = TLSOptions()
                options.ticketSecrets = tickets
                options.clients = ClientAuthentication(
                    isRequired: required, authorities: .bytes(authority.certificate))
                listener.tls = try TLSContext([Certificates.identity], options: options)
                listener.asksForCertificates = true
            })
        }

        private static func client(_ identity: TLSIdentity?, _ version: TLSVersion = .v1_3) throws -> TLSClientContext {
            var options = TLSOptions()
            options.maximumVersion = version
            return try TLSClientContext(trust: Certificates.trust, identity: identity, options: options)
        }

        /// The subject that the replica receives; nil if the client was rejected.
        private static func forwarded(_ rig: Rig, _ context: TLSClientContext, resuming ticket: TLSTicket? = nil) throws
            -> (fields: [String], ticket: TLSTicket?, wasResumed: Bool)?
        {
            let before = rig.replica.requests.count
            let client: Client
            do {
                client = try rig.secureClient(context, resuming: ticket)
                client.send(forged)
                guard try client.response().status == 200 else { return nil }
            } catch is Client.Failure {
                #expect(rig.replica.requests.count == before)
                return nil
            }
            let request = try #require(rig.replica.requests.last)
            #expect(!request.names.contains { $0.contains("_") })
            return (
                request.values("x-client-cert-verified") + request.values("x-client-cert-subject"), client.ticket,
                client.wasResumed
            )
        }

        @Test(
            "the subject of a valid certificate is forwarded, on resumed connections too",
            arguments: [TLSVersion.v1_2, .v1_3], [true, false])
        func good(_ version: TLSVersion, _ required: Bool) throws {
            let rig = try Self.rig(required: required)
            let identity = try Self.authority.get().sign("/O=Example, Inc./CN=alice", "extendedKeyUsage=clientAuth")
            let context = try Self.client(identity, version)

            let first = try #require(try Self.forwarded(rig, context))
            #expect(first.fields == ["true", "CN=alice,O=Example\\, Inc."])
            let second = try #require(try Self.forwarded(rig, context, resuming: first.ticket))
            #expect(second.wasResumed)
            #expect(second.fields == first.fields)
        }

        @Test("a subject cannot inject a field line, because other bytes than printable ASCII are escaped")
        func escapedSubject() throws {
            let rig = try Self.rig(required: true)
            let identity = try Self.authority.get().sign("/CN=a\r\nx-admin: 1\u{e9}")
            let forwarded = try #require(try Self.forwarded(rig, Self.client(identity)))
            #expect(forwarded.fields == ["true", "CN=a\\0D\\0Ax-admin: 1\\C3\\A9"])
            #expect(rig.replica.requests.last?.values("x-admin") == [])
        }

        @Test(
            "a client without a certificate is rejected, or served as unverified", arguments: [TLSVersion.v1_2, .v1_3])
        func none(_ version: TLSVersion) throws {
            #expect(try Self.forwarded(Self.rig(required: true), Self.client(nil, version)) == nil)
            #expect(try Self.forwarded(Self.rig(required: false), Self.client(nil, version))?.fields == ["false"])
        }

        @Test(
            "a client with an untrusted certificate is rejected", arguments: [TLSVersion.v1_2, .v1_3], [true, false])
        func untrusted(_ version: TLSVersion, _ required: Bool) throws {
            let rig = try Self.rig(required: required)
            let untrusted = try Authority("clients").sign("/CN=alice")
            #expect(try Self.forwarded(rig, Self.client(untrusted, version)) == nil)
            let server = try Self.authority.get().sign("/CN=alice", "extendedKeyUsage=serverAuth")
            #expect(try Self.forwarded(rig, Self.client(server, version)) == nil)
        }

        @Test(
            "a ticket of a listener with optional certificates is not valid where they are required",
            arguments: [TLSVersion.v1_2, .v1_3])
        func tickets(_ version: TLSVersion) throws {
            let secrets = TicketSecrets([[UInt8](repeating: 1, count: 32)])
            let context = try Self.client(nil, version)
            let forwarded = try #require(try Self.forwarded(Self.rig(required: false, tickets: secrets), context))
            let ticket = try #require(forwarded.ticket)

            #expect(try Self.forwarded(Self.rig(required: true, tickets: secrets), context, resuming: ticket) == nil)
            let again = try #require(
                try Self.forwarded(Self.rig(required: false, tickets: secrets), context, resuming: ticket))
            #expect(again.wasResumed)
        }

        @Test("without client_auth the certificate fields of a client are dropped", arguments: [false, true])
        func forgery(_ isSecure: Bool) throws {
            let rig = try Rig()
            let client = try isSecure ? rig.secureClient() : rig.client()
            client.send(Self.forged)
            #expect(try client.response().status == 200)
            let request = try #require(rig.replica.requests.first)
            #expect(request.names.allSatisfy { !$0.lowercased().contains("cert") })
        }
    }
}
