import Configuration
import Kernel
import Logging
import Proxy
import TLS
import TestIssuer
import Testing

extension SocketTests {
    /// Callers who show a certificate that the listener has verified.
    @Suite("Callers with certificates", .serialized)
    struct CertificateCallerTests {
        private static let authority = Result { try Authority("clients") }

        /// A proxy whose route goes by certificates, with a server that opens sessions and answers calls.
        private final class Front {
            let replica: RecordingReplica
            private let folder: TemporaryFolder
            private let proxy: ProxyServer

            /// `auth`: the table; `route`: more keys of the route.
            init(_ auth: String, route: String = "", alpn: String = "http/1.1") throws {
                folder = try TemporaryFolder()
                replica = try RecordingReplica { request in
                    if request.target == "/open" { return [.answer("opened", fields: "mcp-session-id: one\r\n")] }
                    return [.answer("called")]
                }
                let certificate = try SelfSignedCertificate.make(names: ["localhost"], validDays: 2)
                let text = try """
                [listen]
                https = "127.0.0.1:0"
                cert = "\(folder.write("mcp.pem", certificate.certificatePEM))"
                key = "\(folder.write("mcp.key", certificate.keyPEM))"
                client_auth = { mode = "optional", ca = "\(folder.write("ca.pem", authority.get().certificate))" }
                [[route]]
                upstream = "mcp"
                auth = { \(auth), claims = { "X-Mcp-Subject" = "sub" } }
                \(route)
                [upstream.mcp]
                servers = ["\(replica.address)"]
                """
                let file = try ConfigurationFile.parse(
                    text, file: "berth.toml", checks: ConfigurationChecks(files: false, environment: { _ in nil })
                ).get()
                let key = SigningKey([UInt8](repeating: 7, count: SigningKey.bytes))
                var log = Logger(label: "tests")
                log.logLevel = .critical
                proxy = try ProxyServer(snapshot: Snapshot(file.configuration, keys: [key]), workers: 1, log: log)
                try proxy.start()
            }

            deinit {
                proxy.stop()
                replica.stop()
            }

            func client(_ identity: TLSIdentity?, resuming ticket: TLSTicket? = nil) throws -> Client {
                try Client(
                    proxy.addresses[0], tls: TLSClientContext(trust: .anyone, identity: identity), resuming: ticket)
            }

            /// The response to a request of somebody; and what says who that is at the server.
            func call(
                _ identity: TLSIdentity?, _ target: String = "/call", session: String? = nil, fields: String = ""
            ) throws -> Client.Response {
                try Self.call(client(identity), target, session: session, fields: fields)
            }

            static func call(
                _ client: Client, _ target: String = "/call", session: String? = nil, fields: String = "",
                body: String = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#
            ) throws -> Client.Response {
                let id = session.map { "Mcp-Session-Id: \($0)\r\n" } ?? ""
                client.send(
                    "POST \(target) HTTP/1.1\r\nHost: a\r\n\(id)\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
                )
                return try client.response()
            }

            /// What the server was told last of who asks.
            var caller: [String]? { replica.requests.last?.values("x-mcp-subject") }
        }

        private static func sign(_ subject: String, _ extensions: String...) throws -> TLSIdentity {
            let authority = try authority.get()
            return switch extensions.count {
            case 0: try authority.sign(subject)
            default: try authority.sign(subject, extensions[0])
            }
        }

        private static let names =
            "subjectAltName=URI:spiffe://example.org/agent,DNS:Agent.example.org,DNS:b.example.org"

        @Test(
            "the name that the route asks for is the caller, and is told to servers",
            arguments: [
                ("subject", "CN=alice,O=Example\\, Inc."), ("cn", "alice"), ("uri", "spiffe://example.org/agent"),
                ("dns", "agent.example.org"),
            ])
        func name(kind: String, caller: String) throws {
            let front = try Front("certificate = \"\(kind)\"")
            let alice = try Self.sign("/O=Example, Inc./CN=alice", Self.names)
            let forged = "X-Mcp-Subject: root\r\nx_mcp_subject: root\r\nX-Client-Cert-Subject: CN=root\r\n"
            let client = try front.client(alice)
            for _ in 0..<2 {
                #expect(try Front.call(client, fields: forged).status == 200)
                #expect(front.caller == [caller])
                #expect(front.replica.requests.last?.names.contains { $0.contains("_") } == false)
            }
            let again = try front.client(alice, resuming: client.ticket)
            #expect(try Front.call(again).status == 200)
            #expect(again.wasResumed && front.caller == [caller])
        }

        @Test("who shows no certificate, or one without that name, is nobody")
        func nobody() throws {
            let front = try Front("certificate = \"uri\"")
            let identities = try [
                nil, Self.sign("/CN=alice"), Self.sign("/CN=alice", "subjectAltName=DNS:a.test"),
                Self.sign("/CN=alice", "subjectAltName=URI:spiffe://a/1,URI:spiffe://a/2"),
            ]
            for identity in identities {
                let answer = try front.call(identity)
                #expect(answer.status == 401 && answer.text.contains("token_missing"))
                #expect(answer.values("www-authenticate").count == 1)
            }
            #expect(front.replica.requests.isEmpty)
            let several = try Front("certificate = \"cn\"")
            #expect(try several.call(Self.sign("/CN=alice/CN=root")).status == 401)
            #expect(try several.call(Self.sign("/CN=a\r\nx: 1")).status == 401)
            #expect(try several.call(Self.sign("/CN=Zo\u{eb} %")).status == 200)
            #expect(several.caller == ["Zo%C3%AB %25"])
        }

        @Test("a session is its caller's, with a renewed certificate too")
        func session() throws {
            let front = try Front("certificate = \"cn\"")
            let (alice, bob) = try (Self.sign("/CN=alice"), Self.sign("/CN=bob"))
            let session = try #require(try front.call(alice, "/open").values("mcp-session-id").first)
            #expect(session.hasPrefix("b1."))
            #expect(try front.call(alice, session: session).status == 200)
            let asked = front.replica.requests.count
            #expect(try front.call(bob, session: session).status == 404)
            #expect(try front.call(nil, session: session).status == 401)
            #expect(front.replica.requests.count == asked)
            #expect(try front.call(Self.sign("/O=New/CN=alice"), session: session).status == 200)
        }

        @Test("scopes of certificates allow tools, and callers have limits of their own")
        func policy() throws {
            let front = try Front(
                #"certificate = "cn", certificate_scopes = ["weather"], tools = [{ scope = "weather", allow = ["get-*"] }]"#,
                route: #"rate_limit = [{ key = "claim:sub", method = "tools/call", rate = "2/d" }]"#)
            func call(_ tool: String, _ identity: TLSIdentity) throws -> Int {
                let body = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\#(tool)"}}"#
                return try Front.call(front.client(identity), body: body).status
            }
            let (alice, bob) = try (Self.sign("/CN=alice"), Self.sign("/CN=bob"))
            #expect(try call("set-a", alice) == 403)
            #expect(try [call("get-a", alice), call("get-b", alice), call("get-a", alice)] == [200, 200, 429])
            #expect(try call("get-a", bob) == 200)
            let strict = try Front(#"certificate = "cn", required_scopes = ["admin"]"#)
            #expect(try strict.call(alice).status == 403)
        }

        @Test("a token that is shown must be good, whatever certificate is shown with it")
        func both() throws {
            let front = try Front(#"certificate = "cn", api_keys = "/nowhere/callers""#)
            let alice = try Self.sign("/CN=alice")
            #expect(try front.call(alice).status == 200)
            #expect(try front.call(alice, fields: "Authorization: Bearer x\r\n").status == 401)
            #expect(try front.call(alice, fields: "Authorization: Basic eA==\r\n").status == 200)
        }
    }
}
