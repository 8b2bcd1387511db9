import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// What servers say of their own paths, where they do not get the whole of them.
@Suite("Paths of servers under a prefix")
struct StrippedStreamTests {
    /// What a server that was asked for `/sse` announces, and what its client is told, without a signature.
    static let forms: [(announced: String, told: String, posted: String)] = [
        ("/messages/?session_id=abc", "/tools/messages/?session_id=abc", "/messages/?session_id=abc"),
        ("messages?sessionId=abc", "/tools/messages?sessionId=abc", "/messages?sessionId=abc"),
        ("?sessionid=abc", "/tools/sse?sessionid=abc", "/sse?sessionid=abc"),
        ("http://127.0.0.1:3001/m?sessionId=abc", "/tools/m?sessionId=abc", "/m?sessionId=abc"),
        ("../m?sessionId=abc", "/tools/m?sessionId=abc", "/m?sessionId=abc"),
        // A server that knows of the prefix says it by itself.
        ("/tools/messages/?session_id=abc", "/tools/messages/?session_id=abc", "/messages/?session_id=abc"),
        ("https://mcp.test/tools/m?sessionId=abc", "/tools/m?sessionId=abc", "/m?sessionId=abc"),
        ("/toolsmith?session_id=abc", "/tools/toolsmith?session_id=abc", "/toolsmith?session_id=abc"),
    ]

    private func announced(_ text: String) -> String {
        let lines = text.split { $0 == "\n" || $0 == "\r" || $0 == "\r\n" }
        guard let line = lines.first(where: { $0.hasPrefix("data:") }) else { return "" }
        return String(line.dropFirst(5).drop { $0 == " " })
    }

    private func serve(_ stage: ProxyStage, _ announced: String) -> ScriptedServer {
        ScriptedServer(stage) { message in
            message.method == "POST"
                ? .reply("Accepted", status: "202 Accepted")
                : .stream("event: endpoint\r\ndata: \(announced)\r\n\r\n", "data: next\n\n")
        }
    }

    private func open(_ stage: ProxyStage, isHTTP2: Bool, _ target: String) -> (text: String, leave: () -> Void) {
        if isHTTP2 {
            let client = stage.connectHTTP2()
            let stream = client.ask("GET", target, [HeaderField("accept", "text/event-stream")])
            stage.run { client[stream].response.text.contains("next") }
            return (client[stream].response.text, { client.leave() })
        }
        let client = stage.connect()
        client.ask(.openStream(target))
        stage.run { client.current.text.contains("next") }
        return (client.current.text, { client.leave() })
    }

    @Test(
        "a client of HTTP+SSE is told the path with the prefix, and its messages arrive", arguments: 0..<8,
        [SessionAffinityMode.signed, .learned, .off])
    func endpoints(form: Int, mode: SessionAffinityMode) throws {
        for isHTTP2 in [false, true] {
            let stage = ProxyStage(seed: UInt64(form + 1))
            stage.plan.affinity = mode
            if mode == .learned { stage.snapshot.learned = LearnedSessions(limit: 100) }
            try stage.configure(StripPrefixTests.route)
            let server = serve(stage, Self.forms[form].announced)
            let (text, leave) = open(stage, isHTTP2: isHTTP2, "/tools/sse")
            let endpoint = announced(text)
            let plain = endpoint.split(separator: "&_berth=").first.map(String.init)
            #expect(plain == Self.forms[form].told, "\(endpoint)")
            #expect(endpoint.contains("_berth=") == (mode == .signed))
            #expect(text.hasSuffix("data: next\n\n"), "what follows is untouched")
            #expect(stage.answer(.post(.call(1), to: endpoint)).status == 202)
            #expect(stage.answerHTTP2("POST", endpoint, body: Array(String.call(2).utf8)).status == 202)
            let posts = server.requests.filter { $0.method == "POST" }
            #expect(posts.map(\.target) == [Self.forms[form].posted, Self.forms[form].posted])
            #expect(posts.allSatisfy { $0["x-forwarded-prefix"] == "/tools" })
            leave()
            stage.expectNoLeaks()
        }
    }

    @Test("a server whose own paths begin like the prefix is not misread")
    func sameName() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(StripPrefixTests.route)
        let server = serve(stage, "/tools/messages?session_id=abc")
        let (text, leave) = open(stage, isHTTP2: false, "/tools/tools/sse")
        let endpoint = announced(text)
        #expect(endpoint.hasPrefix("/tools/tools/messages?session_id=abc&_berth="))
        #expect(stage.answer(.post(.call(1), to: endpoint)).status == 202)
        #expect(server.requests.map(\.target) == ["/tools/sse", "/tools/messages?session_id=abc"])
        leave()
    }

    @Test("a signed path without its prefix, or with another, is nobody's")
    func tampered() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(StripPrefixTests.route + "\n[[route]]\nupstream = \"mcp\"\n")
        let server = serve(stage, "/messages?session_id=abc")
        let (text, leave) = open(stage, isHTTP2: false, "/tools/sse")
        let endpoint = announced(text)
        for target in [String(endpoint.dropFirst("/tools".count)), "/tools" + endpoint, "/tools/" + endpoint] {
            #expect(stage.answer(.post(.call(1), to: target)).status == 404, "\(target)")
        }
        #expect(server.requests.count == 1)
        leave()
    }

    @Test("a stream goes on, and its messages arrive, when the routes are read anew")
    func reloaded() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(StripPrefixTests.route)
        let server = ScriptedServer(stage) { message in
            message.method == "POST"
                ? .reply("Accepted", status: "202 Accepted")
                : .stream() + [.pause(.seconds(2)), .chunk("event: endpoint\ndata: /m?session_id=abc\n\n")]
        }
        let client = stage.connect()
        client.ask(.openStream("/tools/sse"))
        stage.run { client.current.hasHead }
        try stage.reload { $0.routes = [RoutePlan(upstream: 0)] }
        stage.run { client.current.text.contains("endpoint") }
        #expect(announced(client.current.text).hasPrefix("/tools/m?session_id=abc&"))
        try stage.reload { $0.routes = [] }
        client.leave()
        stage.run(for: .seconds(1))
        #expect(server.requests.count == 1)
        stage.expectNoLeaks()
    }

    /// What a server says, asked for `/x` or `/tools/x`, and what its client gets.
    static let locations: [(said: String, target: String, told: String)] = [
        ("/mcp/", "/tools/x", "/tools/mcp/"), ("/", "/tools/x", "/tools/"), ("/mcp?a#b", "/tools/x", "/tools/mcp?a#b"),
        ("http://mcp.test/mcp/", "/tools/x", "/tools/mcp/"), ("HTTPS://MCP.test", "/tools/x", "/tools/"),
        ("http://mcp-0:3001/mcp", "/tools/x", "/tools/mcp"), ("//mcp.test/mcp", "/tools/x", "/tools/mcp"),
        ("http://mcp.test?a", "/tools/x", "/tools/?a"),
        // Others, and what finds its place by itself.
        ("https://login.test/mcp", "/tools/x", "https://login.test/mcp"), ("mcp/", "/tools/x", "mcp/"),
        ("//other.test/mcp", "/tools/x", "//other.test/mcp"), ("?a=1", "/tools/x", "?a=1"), ("", "/tools/x", ""),
        ("mailto:a@b.test", "/tools/x", "mailto:a@b.test"), ("http:/mcp", "/tools/x", "http:/mcp"),
        ("http://mcp.test.evil.test/", "/tools/x", "http://mcp.test.evil.test/"),
        ("http://mcp.test@evil.test/", "/tools/x", "http://mcp.test@evil.test/"),
        // The prefix is there already; or it only looks like that.
        ("/tools/mcp", "/tools/x", "/tools/mcp"), ("http://mcp.test/tools", "/tools/x", "http://mcp.test/tools"),
        ("/toolsmith", "/tools/x", "/tools/toolsmith"), ("/tools/mcp", "/tools/tools/x", "/tools/tools/mcp"),
    ]

    @Test("Location and Content-Location get the prefix where they mean the server itself", arguments: locations)
    func location(said: String, target: String, told: String) throws {
        for name in ["Location", "content-location"] {
            let stage = ProxyStage(seed: 1)
            try stage.configure(StripPrefixTests.route)
            _ = ScriptedServer(stage) { _ in
                .reply("", status: "307 Temporary Redirect", extra: "\(name): \(said)\r\nX-Location: /mcp\r\n")
            }
            for answer in [stage.answer(.post(.call(1), to: target)), stage.answerHTTP2("GET", target)] {
                #expect(answer.status == 307)
                #expect(answer.all(name) == [told])
                #expect(answer["x-location"] == "/mcp")
            }
            stage.expectNoLeaks()
        }
    }

    @Test("without a prefix a Location passes as it is")
    func plain() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(StripPrefixTests.route + "\n[[route]]\nupstream = \"mcp\"\n")
        _ = ScriptedServer(stage) { _ in .reply("", status: "307 X", extra: "Location: http://mcp.test/mcp/\r\n") }
        _ = stage.answer(.get("/tools/x"))
        #expect(stage.answer(.get("/x"))["location"] == "http://mcp.test/mcp/")
    }
}
