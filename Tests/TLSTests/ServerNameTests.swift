import Foundation
import TLS
import TestSupport
import Testing

@Suite("Certificates by server name")
struct ServerNameTests {
    /// Makes a certificate and its key with the openssl command.
    private static func identity(_ name: String, _ names: [String], rsa: Bool = false) throws -> TLSIdentity {
        let folder = try Folder()
        let (certificate, key) = (folder.path("c.pem"), folder.path("k.pem"))
        let kind = rsa ? ["rsa:2048"] : ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        let alternatives = names.map { "DNS:\($0)" }.joined(separator: ",")
        let process = OpenSSLCommand.make(
            ["req", "-x509", "-newkey"] + kind + [
                "-nodes", "-subj", "/CN=\(name)", "-days", "2", "-keyout", key, "-out", certificate,
            ] + (names.isEmpty ? [] : ["-addext", "subjectAltName=\(alternatives)"]))
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return try TLSIdentity(
            certificate: .bytes([UInt8](folder.read("c.pem"))), key: .bytes([UInt8](folder.read("k.pem"))))
    }

    private static func served(
        _ context: TLSContext, _ name: String, maximum: TLSVersion = .v1_3, ciphers: String? = nil
    ) throws -> String? {
        var options = TLSOptions()
        options.maximumVersion = maximum
        if let ciphers { options.ciphers = ciphers }
        let client = try TLSClientContext(trust: .anyone, options: options)
        let conversation = try Conversation(client, context, serverName: name)
        conversation.settle()
        guard conversation.client.isEstablished, conversation.server.isEstablished else { return nil }
        return conversation.client.peerSubject
    }

    private static let context = Result {
        try TLSContext(
            [
                identity("default", ["default.example.org"]),
                identity("exact", ["mcp.example.org", "Other.Example.Org"]),
                identity("wild", ["*.example.org"]), identity("deep", ["*.tools.example.org", "example.org"]),
                identity("nameless", []),
            ], options: TLSOptions())
    }

    @Test(
        "the server name selects: exact before wildcard, a star matches one label, the first is the default",
        arguments: [
            ("mcp.example.org", "exact"), ("MCP.Example.ORG", "exact"), ("other.example.org", "exact"),
            ("default.example.org", "default"), ("any.example.org", "wild"), ("example.org", "deep"),
            ("a.tools.example.org", "deep"), ("a.b.tools.example.org", "default"), ("tools.example.org", "wild"),
            ("example.com", "default"), ("127.0.0.1", "default"), ("localhost", "default"), ("org", "default"),
        ], [TLSVersion.v1_2, .v1_3])
    func choice(_ name: (asked: String, served: String), _ version: TLSVersion) throws {
        #expect(try Self.served(Self.context.get(), name.asked, maximum: version) == "CN = \(name.served)")
    }

    @Test("each of 600 names is found")
    func many() throws {
        let identities = try (0..<300).map { number in
            let pair = try SelfSignedCertificate.make(
                names: ["n\(number).example.org", "*.n\(number).org"], validDays: 1)
            return TLSIdentity(certificate: .bytes(pair.certificatePEM), key: .bytes(pair.keyPEM))
        }
        let context = try TLSContext(identities, options: TLSOptions())
        for number in 0..<300 {
            let expected = "CN = n\(number).example.org"
            #expect(
                try Self.served(context, number % 2 == 0 ? "n\(number).example.org" : "x.n\(number).org") == expected)
        }
    }

    @Test("of an ECDSA and an RSA certificate for the same names each client gets the one that it can verify")
    func kinds() throws {
        let names = ["both.example.org"]
        let context = try TLSContext(
            [Self.identity("first", ["a.org"]), Self.identity("ecdsa", names), Self.identity("rsa", names, rsa: true)],
            options: TLSOptions())
        let rsaOnly = "ECDHE-RSA-AES128-GCM-SHA256"

        #expect(try Self.served(context, "both.example.org") == "CN = ecdsa")
        #expect(try Self.served(context, "both.example.org", maximum: .v1_2) == "CN = ecdsa")
        #expect(try Self.served(context, "both.example.org", maximum: .v1_2, ciphers: rsaOnly) == "CN = rsa")
        #expect(try Self.served(context, "a.org") == "CN = first")
        #expect(try Self.served(context, "a.org", maximum: .v1_2, ciphers: rsaOnly) == nil)
    }

    @Test("two certificates with the same names and the same kind of key are refused")
    func twice() throws {
        let error = #expect(throws: TLSError.self) {
            try TLSContext(
                [Self.identity("one", ["a.org", "b.org"]), Self.identity("two", ["B.org", "a.org"])],
                options: TLSOptions())
        }
        #expect(error?.reason.hasSuffix("another one before it has the same names and the same kind of key") == true)
        #expect(throws: TLSError.self) { try TLSContext([], options: TLSOptions()) }
    }

    @Test("a session is resumed under its server name")
    func resumption() throws {
        let context = try Self.context.get()
        let client = try TLSClientContext(trust: .anyone)
        let first = try Conversation(client, context, serverName: "mcp.example.org")
        first.settle()
        let ticket = try #require(first.client.ticket)

        let second = try Conversation(client, context, serverName: "mcp.example.org", resuming: ticket)
        second.settle()
        #expect(second.client.wasResumed)
        #expect(second.client.peerSubject == "CN = exact")
    }

    @Test("a session in its handshake works after its context is gone")
    func lifetime() throws {
        var context: TLSContext? = try TLSContext(
            [Self.identity("one", ["one.org"]), Self.identity("two", ["two.org"])], options: TLSOptions())
        let conversation = try Conversation(
            TLSClientContext(trust: .anyone), #require(context), serverName: "two.org")
        context = nil
        conversation.settle()
        #expect(conversation.client.peerSubject == "CN = two")
    }
}
