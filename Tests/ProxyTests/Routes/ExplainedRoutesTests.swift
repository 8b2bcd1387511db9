import Configuration
import Kernel
import Testing

@testable import Proxy

/// What is said of routes and listeners that do more than lead to an upstream.
@Suite("Explaining routes")
struct ExplainedRoutesTests {
    private static let text = """
        [[listen]]
        http = ":80"
        redirect = "https:8443"
        [[listen]]
        http = ":8080"
        deny = ["192.0.2.66"]
        [upstream.mcp]
        servers = ["mcp-1:3001"]
        [[route]]
        path = "/tools/*"
        upstream = "mcp"
        strip_prefix = "/tools"
        allow = ["192.0.2.0/24"]
        rate_limit = [{ key = "ip", rate = "10/s" }, { key = "ip", method = "initialize", rate = "1/s" }]
        stream_opens = "30/min"
        [[route]]
        path = "/none"
        respond = 204
        [[route]]
        path = "/docs/*"
        redirect = "https://docs.test"
        [[route]]
        path = "/.well-known/acme-challenge/*"
        files = "/var/www"
        [[route]]
        upstream = "mcp"
        """

    private func explain(_ line: String, _ host: String = "mcp.test:8080", from client: String? = nil) throws
        -> RequestExplanation
    {
        let checks = ConfigurationChecks(files: false, environment: { _ in nil })
        let configuration = try ConfigurationFile.parse(Self.text, file: "berth.toml", checks: checks).get()
            .configuration
        let explainer = try RequestExplainer(configuration, keys: [ProxyStage.key(1)])
        return try explainer.explain(
            Array("\(line) HTTP/1.1\nHost: \(host)\n\n".utf8),
            from: client.flatMap { SocketAddress(literal: $0, port: 0) })
    }

    @Test("the path that the server gets")
    func stripped() throws {
        let found = try explain("GET /tools/mcp?key=secret", from: "192.0.2.1")
        #expect(found.serverTarget == "/mcp" && found.upstream == "mcp" && found.status == nil)
        #expect(try explain("GET /tools?key=secret").serverTarget == "/")
        #expect(try explain("GET /mcp").serverTarget == nil)
    }

    @Test("the limits that count it")
    func limits() throws {
        #expect(try explain("GET /tools/mcp", from: "192.0.2.1").limits == ["ip 10/s"])
        #expect(
            try explain("GET /tools/mcp HTTP/1.1\nAccept: text/event-stream\nX: y").limits == ["stream_opens 30/min"])
        #expect(try explain("DELETE /tools/mcp").limits == [])
        #expect(try explain("GET /mcp").limits == [])
    }

    @Test("answers without a server")
    func answers() throws {
        let fixed = try explain("POST /none")
        #expect(fixed.status == 204 && fixed.reason == nil && fixed.upstream == nil)
        #expect(fixed.serverReason == "the route has respond")
        let redirect = try explain("GET /docs/a")
        #expect(redirect.status == 308)
        #expect(redirect.serverReason == "the route has redirect: https://docs.test with the path and query")
        let challenge = try explain("GET /.well-known/acme-challenge/a")
        #expect(challenge.status == 200 && challenge.serverReason?.contains("/var/www") == true)
    }

    @Test("who may not ask, if the client is known")
    func denied() throws {
        for (line, client) in [("GET /tools/mcp", "198.51.100.1"), ("GET /mcp", "192.0.2.66")] {
            let found = try explain(line, from: client)
            #expect(found.status == 403 && found.reason == "address_denied", "\(line)")
            #expect(found.serverReason?.contains(client) == true)
        }
        #expect(try explain("GET /mcp", from: "198.51.100.1").status == nil)
        #expect(try explain("GET /tools/mcp").status == nil)
    }

    @Test("the listener that the host's port names redirects, except for challenges")
    func listener() throws {
        #expect(try explain("GET /mcp", "mcp.test").status == 308)
        #expect(try explain("GET /mcp", "mcp.test:80").status == 308)
        #expect(try explain("GET /mcp", "mcp.test:8080").status == nil)
        #expect(try explain("GET /mcp", "mcp.test:9").status == nil, "it may be either")
        #expect(try explain("GET /.well-known/acme-challenge/a", "mcp.test").status == 200)
    }
}
