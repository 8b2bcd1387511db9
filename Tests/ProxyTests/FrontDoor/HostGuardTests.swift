import Simulation
import TestSupport
import Testing

@testable import Proxy

/// Hosts that a listener serves.
@Suite("hosts")
struct HostGuardTests {
    private static func get(_ host: String?) -> String {
        "GET /mcp HTTP/1.1\r\n" + (host.map { "Host: \($0)\r\n" } ?? "") + "\r\n"
    }

    @Test("names without port, case and the root's dot, addresses as numbers", arguments: 1...2)
    func table(seed: UInt64) throws {
        let stage = ProxyStage(seed: seed)
        try stage.configure(listen: "hosts = [\"MCP.example.com.\", \"[2001:db8::1]\", \"192.0.2.1\", \"localhost\"]")
        let server = ScriptedServer(stage) { _ in .reply("ok") }
        let served = [
            "mcp.example.com", "MCP.Example.COM", "mcp.example.com.", "mcp.example.com:8080", "mcp.example.com.:443",
            "[2001:db8::1]", "[2001:0DB8:0::1]:443", "192.0.2.1", "192.0.2.1:80", "localhost:9",
        ]
        for host in served { #expect(stage.answer(Self.get(host)).status == 200, "\(host), seed \(seed)") }
        let refused = [
            "evil.test", "mcp.example.com.evil.test", "xmcp.example.com", "example.com", "mcp.example.com..",
            "[2001:db8::2]", "192.0.2.11", "192.0.2.1.evil.test", "localhost.evil.test",
        ]
        for host in refused {
            let answer = stage.answer(Self.get(host))
            #expect(answer.status == 421 || answer.status == 400 && host.hasSuffix(".."), "\(host), seed \(seed)")
        }
        #expect(server.requests.count == served.count)
        stage.expectNoLeaks()
    }

    @Test("without routes, with routes for all hosts, and over HTTP/2, the answer is 421 with a null id")
    func everywhere() throws {
        for routes in ["", "[[route]]\nupstream = \"mcp\"\norigin = [\"https://app.test\"]\n"] {
            let stage = ProxyStage(seed: 1)
            try stage.configure(listen: "hosts = [\"mcp.test\"]", routes)
            _ = ScriptedServer(stage) { _ in .reply("ok") }
            let body = String.call(7)
            let answer = stage.answer(
                "POST /mcp HTTP/1.1\r\nHost: evil.test\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            #expect(answer.status == 421)
            #expect(answer.text.hasPrefix("{\"jsonrpc\":\"2.0\",\"id\":null,"))
            #expect(answer.text.contains("unknown_host"))
            #expect(stage.answer(.get()).status == 200)
            let modern = stage.answerHTTP2("GET", "/mcp", host: "evil.test:8080")
            #expect(modern.status == 421)
            #expect(stage.answer("GET http://evil.test/mcp HTTP/1.1\r\nHost: mcp.test\r\n\r\n").status == 421)
            #expect(stage.answer("GET http://mcp.test/mcp HTTP/1.1\r\nHost: mcp.test\r\n\r\n").status == 200)
            #expect(stage.answer("GET /mcp HTTP/1.0\r\n\r\n").status == 421, "no host is none of these")
            stage.expectNoLeaks()
        }
    }

    @Test("redirects do not lead to hosts that are not served")
    func redirects() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(listen: "hosts = [\"mcp.test\"]\nredirect = \"https:443\"")
        #expect(stage.answer(.get()).status == 308)
        #expect(stage.answer(Self.get("evil.test")).status == 421)
        stage.expectNoLeaks()
    }
}
