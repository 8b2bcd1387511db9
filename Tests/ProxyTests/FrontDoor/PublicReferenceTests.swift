import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// URLs of servers as clients get them: `public_url`, and what is done without it.
@Suite("public_url")
struct PublicReferenceTests {
    private static let secure = "forwarded_proto = \"https\""
    private static let named = "public_url = \"https://mcp.example.com\""

    /// What a server says to a request for `http(s)://mcp.test/mcp`, and what its client gets by https, and with a public address.
    static let cases: [(said: String, byHTTPS: String, named: String)] = [
        // The redirect of Starlette to the other spelling of the path.
        ("http://mcp.test/mcp/", "/mcp/", "https://mcp.example.com/mcp/"),
        ("http://mcp.test/mcp/?a=b#c", "/mcp/?a=b#c", "https://mcp.example.com/mcp/?a=b#c"),
        ("HTTP://MCP.TEST", "/", "https://mcp.example.com/"),
        // Of its own address, and of the public name with the port of its own.
        ("http://mcp-0:3001/mcp/", "/mcp/", "https://mcp.example.com/mcp/"),
        ("http://127.0.0.1:3001/mcp/", "/mcp/", "https://mcp.example.com/mcp/"),
        ("http://mcp.test:3001/mcp/", "/mcp/", "https://mcp.example.com/mcp/"),
        ("https://mcp-0:3001/mcp/", "/mcp/", "https://mcp.example.com/mcp/"),
        ("//mcp-0:3001/mcp/", "/mcp/", "https://mcp.example.com/mcp/"),
        // Right already, or none of ours.
        ("https://mcp.test/mcp/", "https://mcp.test/mcp/", "https://mcp.example.com/mcp/"),
        ("/mcp/", "/mcp/", "/mcp/"), ("mcp/", "mcp/", "mcp/"), ("?a", "?a", "?a"),
        (
            "https://login.test/authorize?x=http://mcp-0:3001/", "https://login.test/authorize?x=http://mcp-0:3001/",
            "https://login.test/authorize?x=http://mcp-0:3001/"
        ),
        ("http://mcp.test.evil.test/", "http://mcp.test.evil.test/", "http://mcp.test.evil.test/"),
        ("http://mcp.test@evil.test/", "http://mcp.test@evil.test/", "http://mcp.test@evil.test/"),
        ("http://mcp.test:8080/x", "http://mcp.test:8080/x", "http://mcp.test:8080/x"),
    ]

    @Test("references of a server to itself are public, over both versions", arguments: cases)
    func table(said: String, byHTTPS: String, named: String) throws {
        for (listen, expected) in [(Self.secure, byHTTPS), (Self.named, named)] {
            let stage = ProxyStage(seed: 1)
            try stage.configure(listen: listen)
            _ = ScriptedServer(stage) { _ in
                .reply("", status: "307 Temporary Redirect", extra: "Location: \(said)\r\nX-Location: \(said)\r\n")
            }
            for answer in [stage.answer(.post(.call(1))), stage.answerHTTP2("GET", "/mcp")] {
                #expect(answer.status == 307)
                #expect(answer.all("location") == [expected], "\(listen)")
                #expect(answer["x-location"] == said)
            }
            stage.expectNoLeaks()
        }
    }

    @Test("a client by http keeps what leads it to the same place")
    func plain() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure()
        var said = ""
        _ = ScriptedServer(stage) { _ in .reply("", status: "301 Moved", extra: "Location: \(said)\r\n") }
        for (place, told) in [
            ("http://mcp.test/mcp/", "http://mcp.test/mcp/"), ("http://mcp-0:3001/mcp/", "/mcp/"),
            ("http://mcp.test:3001/mcp/", "/mcp/"),
        ] {
            said = place
            #expect(stage.answer(.get())["location"] == told)
        }
        stage.expectNoLeaks()
    }

    @Test("201 and redirects are looked at, and other answers are not")
    func statuses() throws {
        for (status, isPublished) in [
            ("201 Created", true), ("302 Found", true), ("303 See Other", true), ("308 Permanent Redirect", true),
            ("200 OK", false), ("404 Not Found", false),
        ] {
            let stage = ProxyStage(seed: 2)
            try stage.configure(listen: Self.named)
            _ = ScriptedServer(stage) { _ in
                .reply(
                    "{}", status: status,
                    extra: "Location: http://mcp-0:3001/x\r\nContent-Location: http://mcp-0:3001/y\r\n")
            }
            let answer = stage.answer(.get())
            #expect(
                answer["location"] == (isPublished ? "https://mcp.example.com/x" : "http://mcp-0:3001/x"), "\(status)")
            #expect(answer["content-location"] == (isPublished ? "https://mcp.example.com/y" : "http://mcp-0:3001/y"))
            stage.expectNoLeaks()
        }
    }

    @Test("a stripped prefix is put back before the public address")
    func stripped() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(
            listen: Self.named,
            "[[route]]\npath = \"/tools/*\"\nupstream = \"mcp\"\nstrip_prefix = \"/tools\"\n"
                + "response_headers = { set = { X-Own = \"1\" } }\n")
        var said = ""
        _ = ScriptedServer(stage) { _ in .reply("", status: "307 X", extra: "Location: \(said)\r\n") }
        for (place, told) in [
            ("http://mcp-0:3001/mcp/", "https://mcp.example.com/tools/mcp/"), ("/mcp/", "/tools/mcp/"),
            ("http://mcp.test/tools/mcp", "https://mcp.example.com/tools/mcp"),
        ] {
            said = place
            let answer = stage.answer(.get("/tools/mcp"))
            #expect(answer.all("location") == [told] && answer["x-own"] == "1")
        }
        stage.expectNoLeaks()
    }

    @Test("behind a trusted proxy, which may have come by https, nothing leads back to http")
    func behindProxy() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(listen: "trusted_proxies = [\"127.0.0.0/8\"]")
        _ = ScriptedServer(stage) { _ in .reply("", status: "307 X", extra: "Location: http://mcp.test/mcp/\r\n") }
        #expect(stage.answer(.get(extra: "X-Forwarded-Proto: https\r\n"))["location"] == "/mcp/")
        stage.expectNoLeaks()
    }
}
