import Configuration
import Testing

@testable import Proxy

/// Which upstream a request goes to, seen from outside: each upstream has one server, which answers with its name.
@Suite("Routing")
struct RoutingTests {
    typealias Path = RoutePlan.Path

    private func route(_ host: String? = nil, _ path: Path = .any, to upstream: Int) -> RoutePlan {
        var route = RoutePlan(upstream: upstream)
        route.host = host.map { Array($0.utf8) }
        route.path = path
        return route
    }

    /// A worker with these routes and so many upstreams.
    private func stage(_ routes: [RoutePlan], upstreams: Int = 3) -> ProxyStage {
        let stage = ProxyStage(seed: 1, servers: upstreams)
        stage.snapshot.routes = routes
        stage.snapshot.upstreams = (0..<upstreams).map { UpstreamPlan(name: "u\($0)", servers: $0..<($0 + 1)) }
        for index in 0..<upstreams { stage.snapshot.servers[index].upstream = index }
        return stage
    }

    /// What a request with this target and Host gets: the number of an upstream, or nil for an answer of `unrouted`.
    private func ask(_ stage: ProxyStage, _ target: String, host: String, unrouted: Int) -> Int? {
        let client = stage.connect()
        client.ask("GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
        #expect(stage.run { client.responses.count == 1 }, "\(target) at \(host) is answered")
        let answer = client.responses.first ?? Message()
        client.leave()
        guard answer.status == 200 else {
            #expect(answer.status == unrouted, "\(target) at \(host)")
            return nil
        }
        return Int(answer.text)
    }

    private func expect(
        _ routes: [RoutePlan], _ cases: [(target: String, host: String, upstream: Int?)], unrouted: Int = 404,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let stage = stage(routes)
        let servers = (0..<3).map { index in ScriptedServer(stage, index) { _ in .reply("\(index)") } }
        for (target, host, upstream) in cases {
            #expect(
                ask(stage, target, host: host, unrouted: unrouted) == upstream, "\(target) at \(host)",
                sourceLocation: sourceLocation)
        }
        let answered = cases.count { $0.upstream != nil }
        #expect(servers.reduce(0) { $0 + $1.requests.count } == answered, "who gets \(unrouted) reaches no server")
    }

    private func exact(_ path: String) -> Path { .exact(Array(path.utf8)) }
    private func prefix(_ path: String) -> Path { .prefix(Array(path.utf8)) }

    @Test("a host matches in any case, with any port, and as a whole")
    func hosts() {
        expect(
            [route("a.test", to: 0), route("b.test", to: 1), route("[2001:db8::1]", to: 2)],
            [
                ("/", "a.test", 0), ("/", "A.Test", 0), ("/", "a.test:8080", 0), ("/", "A.TEST:1", 0),
                ("/", "b.test", 1), ("/", "xb.test", nil), ("/", "b.testx", nil),
                ("/", "b.tes", nil), ("/", "c.test", nil), ("/", "b.test.a.test", nil),
                ("/", "[2001:db8::1]", 2), ("/", "[2001:DB8::1]:443", 2), ("/", "[2001:db8::2]", nil),
                // The root's dot (RFC 1034 §3.1), and nothing else behind the name.
                ("/", "b.test.", 1), ("/", "B.test.:80", 1), ("/", "b.test..", nil), ("/", "b.test.x", nil),
                // One address has many spellings (RFC 4291 §2.2).
                ("/", "[2001:db8:0:0:0:0:0:1]", 2), ("/", "[2001:0DB8::0.0.0.1]:80", 2), ("/", "[::1]", nil),
                // RFC 9112 §3.2.2: an absolute target brings its own authority.
                ("http://a.test/", "a.test", 0), ("http://B.test:81/", "b.test:81", 1),
            ], unrouted: 421)
    }

    @Test("a host of the configuration is compared as it is meant", arguments: ["2001:DB8:0::1", "[2001:db8::1]"])
    func configuredAddress(host: String) throws {
        let text = """
            [listen]
            http = "127.0.0.1:0"
            [upstream.a]
            servers = ["127.0.0.1:3001"]
            [[route]]
            host = "\(host)"
            upstream = "a"
            [[route]]
            host = "MCP.Test."
            upstream = "a"
            """
        let checks = ConfigurationChecks(files: false, environment: { _ in nil })
        let file = try ConfigurationFile.parse(text, file: "berth.toml", checks: checks).get()
        let snapshot = try Snapshot(file.configuration, keys: [])
        expect(
            [snapshot.routes[0], snapshot.routes[1]],
            [
                ("/", "[2001:db8::1]:80", 0), ("/", "[2001:DB8:0:0::0001]", 0), ("/", "mcp.test", 0),
                ("/", "mcp.test.:80", 0), ("/", "[::1]", nil),
            ],
            unrouted: 421)
    }

    @Test("an exact path matches with and without one slash at its end, and with any query")
    func exactPaths() {
        expect(
            [route(nil, exact("/mcp"), to: 0), route(nil, exact("/"), to: 1), route(nil, exact("/a/b"), to: 2)],
            [
                ("/mcp", "h", 0), ("/mcp/", "h", 0), ("/mcp?a=/b", "h", 0), ("/mcp/?", "h", 0), ("/mcp//", "h", nil),
                ("/mcp/x", "h", nil), ("/mcpx", "h", nil), ("/mc", "h", nil), ("/MCP", "h", nil), ("/%6dcp", "h", nil),
                ("/", "h", 1), ("/?x=1", "h", 1), ("/x", "h", nil),
                ("/a/b", "h", 2), ("/a/b/", "h", 2), ("/a", "h", nil), ("/a/b/c", "h", nil),
            ])
    }

    @Test("a prefix matches itself and whole segments below it, the query left out")
    func prefixes() {
        expect(
            [route(nil, prefix("/api/"), to: 0), route(nil, prefix("/tool"), to: 1)],
            [
                ("/api/", "h", 0), ("/api/x/y", "h", 0), ("/api/?q", "h", 0), ("/api", "h", nil), ("/api?/", "h", nil),
                ("/Api/", "h", nil), ("/x/api/", "h", nil), ("/tool", "h", 1), ("/tool/a", "h", 1), ("/tool/", "h", 1),
                ("/tool?a", "h", 1), ("/tool/?a", "h", 1), ("/too", "h", nil), ("/too?l", "h", nil),
                ("/?/tool", "h", nil),
                // A prefix ends at a segment.
                ("/tools/a", "h", nil), ("/tool2", "h", nil), ("/tool-admin", "h", nil), ("/tool.x", "h", nil),
                ("/tool%2fa", "h", nil),
            ])
    }

    @Test("a target without a path is the root (RFC 9112 §3.2.1)")
    func emptyPath() {
        expect(
            [route(nil, exact("/"), to: 0)], [("http://h", "h", 0), ("http://h?x=1", "h", 0), ("http://h/?x", "h", 0)])
        expect([route(nil, prefix("/"), to: 1)], [("http://h", "h", 1), ("http://h?x=1", "h", 1)])
    }

    @Test(
        "dot segments, in any spelling, reach no server (RFC 3986 §6.2.2.3)",
        arguments: [
            "/mcp/../admin", "/mcp/./x", "/mcp/..", "/mcp/.", "/..", "/.", "/mcp/..?x=1", "/mcp/%2e%2e/admin",
            "/mcp/%2E./admin", "/mcp/.%2e", "/mcp/%2e/x", "/mcp/..%2fadmin", "/mcp%2f..%2Fadmin", "/mcp/..;/admin",
            "/mcp/.;x/admin", "/mcp/..\\admin", "/mcp%5C..%5cadmin", "http://h/mcp/../admin", "//..", "/mcp//../x",
        ])
    func dotSegments(target: String) {
        let stage = stage([route(nil, prefix("/mcp"), to: 0), route(nil, to: 1)])
        let servers = (0..<2).map { index in ScriptedServer(stage, index) { _ in .reply("\(index)") } }
        let client = stage.connect()
        client.ask("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n")
        let modern = stage.connectHTTP2()
        let stream = target.hasPrefix("/") ? modern.ask("GET", target) : nil
        #expect(stage.run { client.responses.count == 1 && stream.map { modern.isDone($0) } ?? true })

        #expect(client.responses.first?.status == 400)
        if let stream { #expect(modern[stream].response.status == 400) }
        #expect(servers.allSatisfy { $0.requests.isEmpty })
        client.leave()
        modern.leave()
    }

    @Test("what only looks like a dot segment is passed on as it came")
    func noDotSegments() {
        let targets = [
            "/.well-known/oauth-protected-resource/mcp", "/mcp/...", "/mcp/..a", "/mcp/a..", "/mcp/a.b/c", "/mcp/.a/",
            "/mcp/%2e%2ea", "/mcp?x=/../y", "/mcp/%2ewell", "/mcp/a/?b=%2e%2e", "/a;b/..c", "/mcp/%41", "/a%2fb",
        ]
        let stage = stage([route(nil, to: 0)])
        let server = ScriptedServer(stage) { .reply($0.target) }
        let client = stage.connect()
        for target in targets { client.ask("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n") }
        #expect(stage.run { client.responses.count == targets.count })
        #expect(client.responses.map(\.text) == targets)
        #expect(server.requests.count == targets.count)
        client.leave()
    }

    @Test("the first route that matches wins, whatever is more specific")
    func order() {
        expect(
            [
                route("a.test", prefix("/"), to: 0), route("a.test", exact("/mcp"), to: 1),
                route(nil, exact("/mcp"), to: 1), route(nil, to: 2),
            ],
            [("/mcp", "a.test", 0), ("/mcp", "b.test", 1), ("/x", "b.test", 2), ("/x", "a.test", 0)])
        expect(
            [route("a.test", exact("/mcp"), to: 1), route("a.test", prefix("/"), to: 0)],
            [("/mcp", "a.test", 1), ("/mcp/", "a.test", 1), ("/mcp/x", "a.test", 0), ("/mcp", "b.test", nil)],
            unrouted: 421)
    }

    @Test("host and path must both match")
    func both() {
        expect(
            [route("a.test", exact("/mcp"), to: 0), route("b.test", exact("/sse"), to: 1)],
            [("/mcp", "a.test", 0), ("/sse", "b.test", 1), ("/sse", "a.test", nil), ("/mcp", "b.test", nil)])
    }

    @Test(
        "what no route matches: 404 without a session, 503 with one, 421 for a host that is not served",
        arguments: 1...4)
    func unrouted(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.snapshot.routes = [route("a.test", exact("/mcp"), to: 0), route("b.test", prefix("/messages/"), to: 0)]
        let server = ScriptedServer(stage, 0) { _ in .reply("") }
        func head(_ line: String, _ host: String, _ fields: String = "") -> String {
            "\(line) HTTP/1.1\r\nHost: \(host)\r\n\(fields)Content-Length: 0\r\n\r\n"
        }
        let session = "Mcp-Session-Id: b1.whatever\r\n"
        for (request, status, reason) in [
            (head("POST /other", "a.test"), 404, "no_route"), (head("GET /mcp", "b.test"), 404, "no_route"),
            (head("OPTIONS /", "a.test"), 404, "no_route"),
            (head("POST /other", "a.test", session), 503, "no_route_for_session"),
            (head("GET /", "a.test", session + "Accept: text/event-stream\r\n"), 503, "no_route_for_session"),
            (head("DELETE /other", "a.test", session), 503, "no_route_for_session"),
            (head("POST /message?sessionId=1", "b.test"), 503, "no_route_for_session"),
            (head("POST /other", "a.test", session + "MCP-Protocol-Version: 2026-07-28\r\n"), 404, "no_route"),
            (head("POST /mcp", "c.test"), 421, "unknown_host"),
            (head("POST /mcp", "c.test", session), 421, "unknown_host"),
        ] {
            let client = stage.connect()
            client.ask(request)
            stage.run { client.responses.count == 1 }
            let answer = client.responses.first ?? Message()
            #expect(answer.status == status, "\(request), seed \(seed)")
            #expect(answer.text.contains("\"reason\":\"\(reason)\""), "\(request): \(answer.text)")
            #expect((answer["retry-after"] != nil) == (status == 503))
            client.leave()
        }
        #expect(server.requests.isEmpty)
        stage.expectNoLeaks()
    }

    @Test("without routes the first upstream has everything")
    func none() {
        expect([], [("/", "a.test", 0), ("/any?thing", "b.test:1", 0)])
    }
}
