import Caching
import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// A prefix of the path that servers do not get.
@Suite("strip_prefix")
struct StripPrefixTests {
    static let route = """
        [[route]]
        path = "/tools/*"
        upstream = "mcp"
        strip_prefix = "/tools"
        """

    private func stage(_ seed: UInt64 = 1, listen: String = "", _ routes: String = route) throws -> ProxyStage {
        let stage = ProxyStage(seed: seed)
        try stage.configure(listen: listen, routes)
        return stage
    }

    /// What is asked for, and what arrives.
    static let targets: [(String, String)] = [
        ("/tools/mcp?x=1", "/mcp?x=1"), ("/tools/mcp", "/mcp"), ("/tools/mcp/", "/mcp/"), ("/tools", "/"),
        ("/tools/", "/"), ("/tools?x=1", "/?x=1"), ("/tools/?x=1", "/?x=1"), ("/tools?", "/?"),
        // What is left must not pass for the name of a host.
        ("/tools//mcp", "/mcp"), ("/tools///", "/"), ("/tools//evil.test/x", "/evil.test/x"), ("/tools//?a", "/?a"),
        // Once, and byte by byte.
        ("/tools/tools/mcp", "/tools/mcp"), ("/tools/tools", "/tools"), ("/tools/%2fmcp", "/%2fmcp"),
        ("/tools/a%2F..%2fb%3Fc", ""), ("/tools/x?y=/tools/z", "/x?y=/tools/z"), ("/tools/%74ools", "/%74ools"),
        ("/tools/a//b", "/a//b"), ("/tools/\\x", "/\\x"),
    ]

    @Test("the server gets the rest of the path", arguments: targets)
    func arrives(asked: String, expected: String) throws {
        let stage = try stage()
        let server = ScriptedServer(stage) { .reply($0.target) }
        let first = stage.answer(.get(asked))
        let second = stage.answerHTTP2("GET", asked)
        // Dot segments are refused before any route is looked at.
        let status = expected.isEmpty ? 400 : 200
        #expect(first.status == status && second.status == status)
        #expect(server.requests.allSatisfy { $0.target == expected }, "\(server.requests.map(\.target))")
        #expect(server.requests.count == (expected.isEmpty ? 0 : 2))
        stage.expectNoLeaks()
    }

    @Test("absolute-form targets and OPTIONS are stripped as well")
    func forms() throws {
        let stage = try stage()
        let server = ScriptedServer(stage) { .reply($0.target) }
        #expect(stage.answer("GET http://mcp.test/tools/mcp?a HTTP/1.1\r\nHost: x\r\n\r\n").text == "/mcp?a")
        #expect(stage.answer("GET http://mcp.test/tools HTTP/1.1\r\nHost: x\r\n\r\n").text == "/")
        #expect(stage.answer("OPTIONS /tools HTTP/1.1\r\nHost: x\r\n\r\n").text == "/", "the path, not the server")
        #expect(stage.answer("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").status == 404)
        #expect(server.requests.first?["host"] == "mcp.test")
        stage.expectNoLeaks()
    }

    @Test(
        "what only looks like the prefix is none",
        arguments: [
            "/toolsmcp", "/%74ools/mcp", "/tools%2fmcp", "/Tools/mcp", "//tools/mcp", "/tool", "/", "/x/tools/mcp",
            "/tools;a/mcp",
        ])
    func lookalikes(target: String) throws {
        let stage = try stage()
        let server = ScriptedServer(stage) { .reply($0.target) }
        #expect(stage.answer(.get(target)).status == 404)
        #expect(server.requests.isEmpty)
    }

    @Test("a prefix of 256 bytes and a target of 8 KiB")
    func long() throws {
        let prefix = "/" + String(repeating: "p", count: 255)
        let stage = try stage(
            1, "[[route]]\npath = \"\(prefix)/*\"\nupstream = \"mcp\"\nstrip_prefix = \"\(prefix)/\"")
        let rest = "/" + String(repeating: "r", count: 7_800)
        let server = ScriptedServer(stage) { .reply($0.target) }
        #expect(stage.answer(.get(prefix + rest)).text == rest)
        #expect(stage.answer(.get(prefix)).text == "/")
        #expect(server.requests.first?["x-forwarded-prefix"] == prefix)
    }

    @Test("a part of the route's path, and an exact one")
    func parts() throws {
        let stage = try stage(
            1,
            """
            [[route]]
            path = "/a/b/*"
            upstream = "mcp"
            strip_prefix = "/a"
            [[route]]
            path = "/c/mcp"
            upstream = "mcp"
            strip_prefix = "/c/"
            [[route]]
            upstream = "mcp"
            """)
        let server = ScriptedServer(stage) { .reply($0.target) }
        #expect(stage.answer(.get("/a/b/c")).text == "/b/c")
        #expect(stage.answer(.get("/a/b")).text == "/b")
        #expect(stage.answer(.get("/c/mcp/")).text == "/mcp/")
        #expect(stage.answer(.get("/a/c")).text == "/a/c")
        #expect(server.requests.map { $0["x-forwarded-prefix"] } == ["/a", "/a", "/c", nil])
    }

    @Test("X-Forwarded-Prefix says what was stripped; a client's own counts where it is a trusted proxy")
    func forwardedPrefix() throws {
        for (listen, sent, expected) in [
            ("", "", "/tools"), ("", "X-Forwarded-Prefix: /evil\r\n", "/tools"),
            ("", "X_Forwarded_Prefix: /evil\r\n", "/tools"),
            ("trusted_proxies = [\"127.0.0.1\"]", "X-Forwarded-Prefix: /outer/\r\n", "/outer/tools"),
            ("trusted_proxies = [\"127.0.0.1\"]", "x-forwarded-prefix: https://x\r\n", "/tools"),
            ("trusted_proxies = [\"127.0.0.1\"]", "", "/tools"),
        ] {
            let stage = try stage(listen: listen)
            let server = ScriptedServer(stage) { _ in .reply("ok") }
            _ = stage.answer(.get("/tools/mcp", extra: sent))
            let request = try #require(server.requests.first)
            #expect(request.all("x-forwarded-prefix") == [expected], "\(listen) \(sent)")
            #expect(!request.fields.contains { $0.value.contains("evil") })
        }
    }

    @Test("a request that is sent again is stripped once", arguments: 1...4)
    func again(seed: UInt64) throws {
        let stage = ProxyStage(seed: seed, servers: 2)
        try stage.configure(Self.route)
        var isFirst = true
        let servers = (0..<2).map { index in
            ScriptedServer(stage, index) { message in
                defer { isFirst = false }
                return isFirst ? [.reset] : .reply(message.target)
            }
        }
        let answer = stage.answer(.post(.call(1, "tools/list"), to: "/tools/tools/mcp"))
        #expect(answer.status == 200 && answer.text == "/tools/mcp", "seed \(seed)")
        let requests = servers.flatMap(\.requests)
        #expect(requests.map(\.target) == ["/tools/mcp", "/tools/mcp"], "seed \(seed)")
        #expect(requests.allSatisfy { $0["x-forwarded-prefix"] == "/tools" }, "seed \(seed)")
        stage.expectNoLeaks()
    }

    @Test("a session that is opened anew is opened below the prefix", arguments: RecoveryTests.modes)
    func recovered(mode: Proxy.SessionAffinityMode) throws {
        let scene = RecoveryStage(1, mode, change: { stage, _ in try? stage.configure(Self.anything) })
        scene.killOwner()
        #expect(scene.list().status == 200)
        let requests = scene.servers.flatMap(\.server.requests)
        #expect(requests.count > 4)
        #expect(requests.allSatisfy { $0.target == "/" && $0["x-forwarded-prefix"] == "/mcp" })
        scene.expectNoLeaks()
    }

    @Test("what the proxy itself listens to for its cache is below the prefix as well")
    func listened() throws {
        let scene = CacheStage(1) { $0.listens = true }
        try scene.stage.configure(Self.anything)
        scene.handler = { message in
            message.text.contains("subscriptions/listen") ? .stream(": open\n\n") : scene.answer(message)
        }
        #expect(scene.send(CacheStage.list()).status == 200)
        #expect(scene.stage.run { scene.asked == 2 })
        let requests = scene.servers.flatMap(\.requests)
        #expect(requests.contains { $0.text.contains("subscriptions/listen") })
        #expect(requests.allSatisfy { $0.target == "/" && $0.all("x-forwarded-prefix") == ["/mcp"] })
    }

    private static let anything = """
        [[route]]
        path = "/mcp/*"
        upstream = "mcp"
        strip_prefix = "/mcp"
        """

    @Test("other routes are not touched by what another strips", arguments: 1...2)
    func others(seed: UInt64) throws {
        let stage = try stage(seed, Self.route + "\n[[route]]\nupstream = \"mcp\"\n")
        let server = ScriptedServer(stage) { .reply($0.target) }
        let client = stage.connect()
        for target in ["/tools/a", "/b", "/tools/c", "/d"] { client.ask(.get(target)) }
        stage.run { client.responses.count == 4 }
        #expect(client.responses.map(\.text) == ["/a", "/b", "/c", "/d"], "seed \(seed)")
        #expect(server.requests.map { $0["x-forwarded-prefix"] } == ["/tools", nil, "/tools", nil])
        client.leave()
        stage.expectNoLeaks()
    }
}
