import Configuration
import Kernel
import Telemetry
import Testing

@testable import Proxy

/// What is said of a request without sending it.
@Suite("Explaining requests")
struct ExplainTests {
    private static let text = """
        [listen]
        http = ":8080"

        [upstream.mcp]
        servers = ["mcp-1:3001", "mcp-2:3001"]

        [upstream.other]
        servers = ["other:3001"]
        balance = "ip-hash"
        session = { affinity = "off" }

        [[route]]
        host = "mcp.test"
        path = "/mcp/*"
        upstream = "mcp"

        [[route]]
        host = "other.test"
        upstream = "other"
        """

    private func explainer() throws -> RequestExplainer {
        guard
            case .success(let file) = ConfigurationFile.parse(
                Self.text, file: "berth.toml", checks: ConfigurationChecks(files: false, environment: { _ in nil }))
        else {
            throw Broken()
        }
        return try RequestExplainer(file.configuration, keys: [ProxyStage.key(1)])
    }

    private struct Broken: Error {}

    private func explain(_ request: String) throws -> RequestExplanation {
        try explainer().explain(Array(request.utf8))
    }

    @Test("what stands in the query is not told: it may be a key")
    func query() throws {
        let found = try explain("GET /mcp?api_key=secret HTTP/1.1\nHost: mcp.test\n\n")
        #expect(found.target == "/mcp")
    }

    @Test("an initialize goes to any server in turn")
    func sessionless() throws {
        let found = try explain(
            "POST /mcp HTTP/1.1\nHost: mcp.test\n\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}\n")
        #expect(found.kind == "sessionless")
        #expect(found.message == "initialize")
        #expect(found.upstream == "mcp")
        #expect(found.server == nil && found.status == nil)
        #expect(found.candidates.map(\.server) == ["mcp/mcp-1:3001", "mcp/mcp-2:3001"])
        #expect(found.serverReason?.contains("round-robin") == true)
    }

    @Test("a host that no route has is 421, and a path that none has is 404")
    func unrouted() throws {
        let host = try explain("GET / HTTP/1.1\nHost: elsewhere.test\n\n")
        #expect(host.status == 421 && host.upstream == nil)
        let path = try explain("POST /x HTTP/1.1\nHost: mcp.test\n\n")
        #expect(path.status == 404)
    }

    @Test("a signed id names its server; another one is nobody's")
    func sessions() throws {
        let stage = ProxyStage(seed: 1, servers: 1)
        stage.snapshot.servers[0].name = "mcp-2:3001"
        stage.snapshot.servers[0].tag = ServerPlan(address: .loopback(port: 1), name: "mcp-2:3001", upstream: 0).tag
        let server = ScriptedServer(stage, 0) { _ in .reply("{}", extra: "Mcp-Session-Id: s-1\r\n") }
        let client = stage.connect()
        client.ask(.post(.initialize))
        stage.awaitResponses(1, to: client)
        #expect(server.requests.count == 1)
        let id = try #require(client.responses.first?["mcp-session-id"])

        let found = try explain("POST /mcp HTTP/1.1\nHost: mcp.test\nMcp-Session-Id: \(id)\n\n{}")
        #expect(found.kind == "session")
        #expect(found.server == "mcp/mcp-2:3001")
        #expect(found.session?.origin == .signed)

        let facts = try explainer().sessions.facts(of: id)
        #expect(facts.server == "mcp/mcp-2:3001" && facts.upstream == "mcp")
        #expect(facts.keyID == ProxyStage.key(1).id)

        let forged = try explain("POST /mcp HTTP/1.1\nHost: mcp.test\nMcp-Session-Id: \(id)x\n\n{}")
        #expect(forged.status == 404)
        #expect(forged.session?.problem?.contains("signature") == true)
        #expect(try explain("POST /mcp HTTP/1.1\nHost: mcp.test\nMcp-Session-Id: s-1\n\n{}").status == 404)
    }

    @Test("with ip-hash the client's address names the server")
    func addressHash() throws {
        let request = Array("GET / HTTP/1.1\nHost: other.test\n\n".utf8)
        let found = try explainer().explain(request, from: .loopback(port: 0))
        #expect(found.server == "other/other:3001")
        #expect(found.serverReason?.contains("127.0.0.1") == true)
    }

    @Test("what is no request is said to be none")
    func malformed() {
        #expect(throws: RequestExplainer.Fault.self) { try explain("hello\n\n") }
        #expect(throws: RequestExplainer.Fault.self) { try explain("") }
    }
}
