import Configuration
import Kernel
import Simulation
import TestIssuer
import Testing
import Tokens

@testable import Proxy

@Suite("Bearer tokens at the proxy")
struct TokenProxyTests {
    private static let metadata =
        "resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\""

    private static func stage(_ seed: UInt64, _ auth: String = "") async throws -> TokenStage {
        try TokenStage(seed, auth, keys: await KeySet(document: TestIssuer.allKeys))
    }

    @Test("what a file asks of callers is verified from the start")
    func fromFile() throws {
        let file = try ConfigurationFile.parse(
            """
            [listen]
            http = "127.0.0.1:0"
            [[route]]
            upstream = "mcp"
            auth = { issuer = "https://a.test", jwks = "https://a.test/keys", audience = "https://b.test/mcp" }
            [upstream.mcp]
            servers = ["127.0.0.1:1"]
            """, file: "berth.toml", checks: ConfigurationChecks(files: false, environment: { _ in nil })
        ).get()
        let snapshot = try Snapshot(file.configuration, keys: [])
        #expect(snapshot.isProtected && snapshot.verifier != nil && snapshot.auths.count == 1)
    }

    @Test(
        "a good token is let through once verified, and is not forwarded; claims are",
        arguments: 1...3 as ClosedRange<UInt64>)
    func accepted(seed: UInt64) async throws {
        let berth = try await Self.stage(seed)
        let opened = berth.open(berth.token(["tenant": #""caf\u00e9\r\nX-Evil: 1""#]))
        #expect(opened.status == 200 && opened.session.hasPrefix("b1."))
        let request = try #require(berth.server.server.requests.last)
        #expect(request["authorization"] == nil)
        #expect(request.all("x-mcp-subject") == ["alice"])
        #expect(request.all("x-tenant") == ["caf%C3%A9%0D%0AX-Evil: 1"])
        #expect(request["x-evil"] == nil)
    }

    @Test("what a client says under the names of claims never arrives")
    func forged() async throws {
        let berth = try await Self.stage(1)
        let token = berth.token()
        _ = berth.call(token, extra: "X-Mcp-Subject: root\r\nx_mcp_subject: root\r\nX-TENANT: other\r\n")
        let request = try #require(berth.server.server.requests.last)
        #expect(request.all("x-mcp-subject") == ["alice"])
        #expect(request.all("x_mcp_subject").isEmpty && request.all("x-tenant").isEmpty)
        // A preflight has no token, and is nobody's.
        let preflight = berth.answer(
            "OPTIONS /mcp HTTP/1.1\r\nHost: mcp.test\r\nOrigin: https://a.example\r\n"
                + "Access-Control-Request-Method: POST\r\nX-Mcp-Subject: root\r\n\r\n")
        #expect(preflight.status != 401)
        #expect(berth.server.server.requests.last?["x-mcp-subject"] == nil)
    }

    @Test("OPTIONS is let through for what a browser asks, and for nothing else")
    func options() async throws {
        let berth = try await Self.stage(1)
        let preflight = "Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n"
        let body = "Content-Length: 2\r\n\r\n{}"
        for rest in ["\r\n", body, "Origin: https://a.example\r\n\r\n", preflight + body] {
            #expect(berth.answer("OPTIONS /mcp HTTP/1.1\r\nHost: mcp.test\r\n\(rest)").status == 401, "\(rest)")
        }
        #expect(berth.server.server.requests.isEmpty)
        for rest in ["\r\n", "Content-Length: 0\r\n\r\n"] {
            let answer = berth.answer("OPTIONS /mcp HTTP/1.1\r\nHost: mcp.test\r\n\(preflight)\(rest)")
            #expect(answer.status != 401)
        }
    }

    @Test("forward_token has servers get the field")
    func forwarded() async throws {
        let berth = try await Self.stage(1, "forward_token = true")
        let token = berth.token()
        _ = berth.open(token)
        #expect(berth.server.server.requests.last?["authorization"] == "Bearer \(token)")
    }

    @Test("without a token there is a challenge without an error")
    func missing() async throws {
        let berth = try await Self.stage(1, #"required_scopes = ["weather"]"#)
        for extra in ["", "Authorization: Basic YTpi\r\n"] {
            let answer = berth.call(nil, extra: extra)
            #expect(answer.status == 401)
            #expect(answer["www-authenticate"] == "Bearer scope=\"weather\", \(Self.metadata)")
            #expect(answer.text.contains("\"id\":7") && answer.text.contains("token_missing"))
        }
        #expect(berth.server.server.requests.isEmpty)
    }

    static let refused: [(String, [String: String?], String)] = [
        ("expired", ["exp": "1700000000"], "the token has expired"),
        ("another audience", ["aud": "\"x\""], "the token is for another audience"),
        ("another issuer", ["iss": "\"https://evil.example\""], "the token is of another issuer"),
        ("not yet valid", ["nbf": "2000000000"], "the token is not valid yet"),
    ]

    @Test("a token that is not good is answered with why, and what is known of it is kept", arguments: refused)
    func invalid(name: String, changes: [String: String?], reason: String) async throws {
        let berth = try await Self.stage(1)
        let token = berth.token(changes)
        for _ in 0..<2 {
            let answer = berth.call(token)
            #expect(answer.status == 401, "\(name)")
            #expect(
                answer["www-authenticate"]
                    == "Bearer error=\"invalid_token\", error_description=\"\(reason)\", \(Self.metadata)")
            berth.verifierSleeps = true
        }
        #expect(berth.server.server.requests.isEmpty)
    }

    @Test("garbage, two fields and blanks", arguments: ["x", "a.b.c", "a b", "", "\u{1}"])
    func garbage(token: String) async throws {
        let berth = try await Self.stage(1)
        let answer = berth.call(nil, extra: "Authorization: Bearer \(token)\r\n")
        #expect(answer.status == 401 || answer.status == 400)
        let twice = "Authorization: Bearer \(berth.token())\r\n"
        #expect(berth.call(nil, extra: twice + twice).status == 401)
        #expect(berth.server.server.requests.isEmpty)
    }

    @Test("a scope that is missing is 403")
    func scope() async throws {
        let berth = try await Self.stage(1, #"required_scopes = ["admin"]"#)
        let answer = berth.call(berth.token())
        #expect(answer.status == 403)
        #expect(answer["www-authenticate"]?.contains("error=\"insufficient_scope\"") == true)
        #expect(answer["www-authenticate"]?.contains("scope=\"admin\"") == true)
    }

    @Test("a token that is known needs no verifier, until it expires")
    func cached() async throws {
        let berth = try await Self.stage(1)
        let token = berth.token(life: 60)
        let session = berth.open(token).session
        berth.verifierSleeps = true
        #expect(berth.call(token, session: session).status == 200)
        berth.verifierSleeps = false
        berth.stage.run(for: .seconds(100))
        #expect(berth.call(token, session: session).status == 401)
        #expect(berth.call(berth.token(), session: session).status == 200)
    }

    @Test("a hundred requests with one token verify it once, and all go on")
    func together() async throws {
        let berth = try await Self.stage(1)
        berth.verifierSleeps = true
        let token = berth.token()
        let clients = (0..<100).map { _ in berth.stage.connect() }
        for client in clients {
            client.ask(
                .post(
                    #"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#, extra: "Authorization: Bearer \(token)\r\n"))
        }
        berth.run(within: .milliseconds(50)) { false }
        #expect(berth.verifier.waitingCount == 1)
        berth.verifierSleeps = false
        #expect(berth.run { clients.allSatisfy { $0.responses.first?.status == 200 } })
        for client in clients { client.leave() }
        berth.stage.expectNoLeaks()
    }

    @Test("a verifier that does not answer is 503 in the end; one that is full at once")
    func overload() async throws {
        let berth = try await Self.stage(1)
        berth.verifierSleeps = true
        let answer = berth.call(berth.token())
        #expect(answer.status == 503 && answer.text.contains("token_not_verified") && answer["retry-after"] == "2")
        for number in 0..<TokenVerifier.mostWaiting {
            let client = berth.stage.connect()
            client.ask(.post("{}", extra: "Authorization: Bearer t\(number)\r\n"))
            berth.stage.run(for: .milliseconds(1))
            client.leave()
        }
        berth.stage.run(for: .milliseconds(20))
        let before = berth.stage.network.now
        #expect(berth.call(berth.token(["sub": "\"x\""])).status == 503)
        #expect(berth.stage.network.now - before < .seconds(2))
        berth.stage.expectNoLeaks()
    }

    @Test("tokens wait for the first keys, and for a key that is new; what was good stays good in between")
    func keys() async throws {
        let berth = try TokenStage(1)
        let client = berth.stage.connect()
        client.ask(.post("{\"id\":1,\"method\":\"initialize\"}", extra: "Authorization: Bearer \(berth.token())\r\n"))
        berth.run(within: .milliseconds(100)) { false }
        #expect(client.responses.isEmpty)
        berth.install(try await KeySet(document: TestIssuer.document([("p256", TestIssuer.p256, [:])])))
        #expect(berth.run { client.responses.first?.status == 200 })
        client.leave()
        // Another key is published, and the old one taken back.
        let token = TestIssuer.token(
            TestIssuer.claims(at: berth.now), key: TestIssuer.otherP256, algorithm: "ES256", id: "new")
        let known = try #require(berth.auth?.keys)
        let waiting = berth.stage.connect()
        waiting.ask(.post("{\"id\":1,\"method\":\"initialize\"}", extra: "Authorization: Bearer \(token)\r\n"))
        berth.run(within: .seconds(5)) { false }
        #expect(waiting.responses.isEmpty, "the last look was a moment ago, and it waits for the next one")
        berth.install(try await KeySet(document: TestIssuer.document([("new", TestIssuer.otherP256, [:])])), named: "2")
        #expect(berth.run { waiting.responses.first?.status == 200 })
        waiting.leave()
        #expect(berth.open(token).status == 200)
        // A token of the old one has its key looked for once more.
        let late = berth.stage.connect()
        late.ask(.post("{\"id\":1,\"method\":\"ping\"}", extra: "Authorization: Bearer \(berth.token())\r\n"))
        berth.run(within: .milliseconds(100)) { false }
        #expect(late.responses.isEmpty)
        berth.install(try await KeySet(document: TestIssuer.document([("new", TestIssuer.otherP256, [:])])), named: "2")
        #expect(berth.run { late.responses.first?.status == 401 })
        late.leave()
        #expect(berth.call(berth.token(["jti": "\"2\""])).status == 401, "and not again a moment later")
        // The issuer is down: the keys stay.
        _ = known.noteFailure(at: .now())
        #expect(berth.open(token).status == 200)
    }

    @Test("static keys are callers as well")
    func apiKeys() async throws {
        let berth = try await Self.stage(1, #"api_keys = "callers", required_scopes = ["weather"]"#)
        let file = try #require(berth.auth?.apiKeys)
        let text = "ci \(TestIssuer.hash("key-1")) weather\nweak \(TestIssuer.hash("key-2"))\n"
        file.install(try APIKeys(file: Array(text.utf8), issuer: "file"))
        #expect(berth.open("key-1").status == 200)
        #expect(berth.server.server.requests.last?["x-mcp-subject"] == "ci")
        #expect(berth.call("key-2").status == 403)
        #expect(berth.call("key-3").status == 401)
        #expect(berth.open(berth.token()).status == 200)
        file.install(APIKeys())
        #expect(berth.call("key-1").status == 401)
    }

    @Test("metadata of the resource (RFC 9728)")
    func metadata() async throws {
        let berth = try await Self.stage(
            1, #"required_scopes = ["mcp"], tools = [{ scope = "weather", allow = ["get-*"] }]"#)
        for target in ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"] {
            let answer = berth.answer("GET \(target) HTTP/1.1\r\nHost: mcp.test\r\n\r\n")
            #expect(answer.status == 200 && answer["content-type"] == "application/json")
            #expect(
                answer.text
                    == #"{"resource":"https://mcp.example.com/mcp","authorization_servers":["https://login.example.com"],"scopes_supported":["mcp","weather"],"bearer_methods_supported":["header"]}"#
            )
        }
        _ = berth.answer("GET /.well-known/oauth-protected-resource/other HTTP/1.1\r\nHost: mcp.test\r\n\r\n")
        #expect(berth.server.server.requests.last?.target == "/.well-known/oauth-protected-resource/other")
    }
}
