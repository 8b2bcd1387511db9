import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// What pages of other origins may read, and send: `cors`.
@Suite("cors")
struct CrossOriginTests {
    static let app = "Origin: https://app.test\r\n"
    static let evil = "Origin: https://evil.test\r\n"

    static func route(_ cors: String, _ rest: String = "") -> String {
        "[[route]]\npath = \"/mcp\"\nupstream = \"mcp\"\ncors = \(cors)\n\(rest)\n"
    }
    static let listed = route("[\"https://other.test\", \"https://app.test\"]")
    static let everybody = route("[\"*\"]")

    private static func preflight(_ origin: String, _ names: String? = nil, method: String = "POST") -> String {
        "OPTIONS /mcp HTTP/1.1\r\nHost: mcp.test\r\n\(origin)Access-Control-Request-Method: \(method)\r\n"
            + (names.map { "Access-Control-Request-Headers: \($0)\r\n" } ?? "") + "\r\n"
    }

    /// What a page of app.test needs to read an answer.
    private func expectReadable(_ answer: Message, as origin: String = "https://app.test", _ comment: String) {
        #expect(answer.all("access-control-allow-origin") == [origin], "\(comment)")
        let exposed = answer.all("access-control-expose-headers").joined().split(separator: ",").map {
            String($0.drop { $0 == " " })
        }
        for name in ["mcp-session-id", "www-authenticate", "mcp-protocol-version", "retry-after"] {
            #expect(exposed.filter { $0 == name }.count == 1, "\(name), \(comment)")
        }
        #expect(answer.all("vary").contains("origin") == (origin != "*"), "\(comment)")
    }

    @Test("a preflight is answered by Berth, with the methods and the fields of MCP", arguments: 1...3)
    func preflights(seed: UInt64) throws {
        let stage = ProxyStage(seed: seed)
        try stage.configure(Self.listed)
        let server = ScriptedServer(stage) { _ in .reply("ok") }
        let names =
            "authorization,content-type,accept,mcp-session-id, MCP-Protocol-Version , last-event-id,mcp-method,"
            + "mcp-name,Mcp-Param-Region,traceparent,x-secret,mcp-param-,mcp-param-a b,cookie"
        let answer = stage.answer(Self.preflight(Self.app, names))
        #expect(answer.status == 204 && answer.body.isEmpty && answer["content-length"] == nil, "seed \(seed)")
        expectReadable(answer, "a preflight")
        #expect(answer["access-control-allow-methods"] == "GET, POST, DELETE, OPTIONS")
        #expect(
            answer["access-control-allow-headers"]
                == "authorization, content-type, accept, mcp-session-id, mcp-protocol-version, last-event-id, "
                + "mcp-method, mcp-name, mcp-param-region, traceparent, mcp-param-a")
        #expect(answer["access-control-max-age"] == "7200")
        #expect(answer.all("vary").contains("access-control-request-method, access-control-request-headers"))
        #expect(answer["access-control-allow-credentials"] == nil)
        let plain = stage.answer(Self.preflight(Self.app))
        #expect(plain.status == 204 && plain["access-control-allow-headers"] == nil)
        let modern = stage.answerHTTP2(
            "OPTIONS", "/mcp",
            [
                HeaderField("origin", "https://app.test"), HeaderField("access-control-request-method", "DELETE"),
                HeaderField("access-control-request-headers", "mcp-session-id"),
            ])
        #expect(modern.status == 204 && modern["access-control-allow-headers"] == "mcp-session-id")
        expectReadable(modern, "over HTTP/2")
        #expect(server.requests.isEmpty)
        stage.expectEveryExchangeEndedOnce()
        stage.expectNoLeaks()
    }

    @Test("a preflight of another origin is refused, an OPTIONS that is none goes to the server")
    func others() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(Self.listed)
        let server = ScriptedServer(stage) { _ in .reply("ok") }
        let refused = stage.answer(Self.preflight(Self.evil, "mcp-session-id"))
        #expect(refused.status == 403 && refused.text.contains("origin_denied"))
        #expect(refused["access-control-allow-origin"] == nil && refused.all("vary") == ["origin"])
        #expect(server.requests.isEmpty)
        #expect(stage.answer(Self.preflight("")).status == 200)
        #expect(stage.answer("OPTIONS /mcp HTTP/1.1\r\nHost: a\r\n\(Self.app)\r\n").status == 200)
        #expect(stage.answer("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status == 404, "no route has it")
        #expect(server.requests.count == 2)
        stage.expectNoLeaks()
    }

    @Test("a server's own fields for pages are replaced, in answers, in streams and in what is kept", arguments: 1...2)
    func responses(seed: UInt64) throws {
        let stage = ProxyStage(seed: seed)
        try stage.configure(Self.listed)
        let said =
            "Access-Control-Allow-Origin: *\r\naccess-control-allow-credentials: true\r\nVary: Accept\r\n"
            + "ACCESS-CONTROL-EXPOSE-HEADERS: x-own\r\n"
        _ = ScriptedServer(stage) { message in
            message["accept"] == "text/event-stream"
                ? .stream("data: 1\n\n", extra: said) + [.lastChunk] : .reply("{}", extra: said)
        }
        let answers = [
            stage.answer(.post(.call(1), extra: Self.app)),
            stage.answer(.get(extra: "Accept: text/event-stream\r\n" + Self.app)),
            stage.answerHTTP2("GET", "/mcp", [HeaderField("origin", "https://app.test")]),
        ]
        for answer in answers {
            expectReadable(answer, "\(answer.text), seed \(seed)")
            #expect(answer["access-control-allow-credentials"] == nil)
            #expect(answer.all("vary").sorted() == ["Accept", "origin"] || answer.all("vary") == ["accept", "origin"])
        }
        for fields in ["", Self.evil, Self.app + Self.app] {
            let other = stage.answer(.post(.call(1), extra: fields))
            #expect(other.status == 200 && other.all("access-control-allow-origin").isEmpty, "\(fields)")
            #expect(other.all("vary").contains("origin"), "what is kept for one must not be given to another")
        }
        stage.expectNoLeaks()
    }

    @Test("with \"*\" every page may read, and nothing varies")
    func wildcard() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(Self.everybody)
        _ = ScriptedServer(stage) { _ in .reply("ok", extra: "Access-Control-Allow-Origin: https://own.test\r\n") }
        for fields in ["", Self.app, Self.evil, "Origin: null\r\n"] {
            expectReadable(stage.answer(.get(extra: fields)), as: "*", fields)
        }
        #expect(stage.answer(Self.preflight(Self.evil)).status == 204)
        stage.expectNoLeaks()
    }

    @Test("a session's id can be read, and a challenge of the server")
    func sessions() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(Self.listed)
        _ = ScriptedServer(stage) { message in
            message["authorization"] == nil
                ? .reply("no", status: "401 Unauthorized", extra: "WWW-Authenticate: Bearer\r\n")
                : .reply("{}", extra: "Mcp-Session-Id: abc\r\n")
        }
        let challenge = stage.answer(.post(.call(1, "initialize"), extra: Self.app))
        #expect(challenge.status == 401 && challenge["www-authenticate"] == "Bearer")
        expectReadable(challenge, "a challenge")
        let opened = stage.answer(.post(.call(1, "initialize"), extra: Self.app + "Authorization: Bearer x\r\n"))
        #expect(opened["mcp-session-id"]?.hasPrefix("b1.") == true)
        expectReadable(opened, "a session")
        stage.expectNoLeaks()
    }

    @Test("Berth's own errors can be read, over both versions, also those before there is a route")
    func errors() throws {
        let stage = ProxyStage(seed: 1)
        stage.snapshot.listeners[0].maximumRequestBody = 1_000
        try stage.configure(Self.route("[\"https://app.test\"]", "deny = [\"192.0.2.0/24\"]\ncheck_headers = true"))
        stage.network.refuse(at: ProxyStage.server(0))
        let large = String(repeating: "x", count: 2_000)
        let answers: [(Message, Int)] = [
            (stage.answer(.post(.call(1), extra: Self.app)), 503),
            (stage.answer(.post(.call(1), session: "b1.nobody", extra: Self.app)), 404),
            (stage.answer(.post(large, extra: Self.app)), 413),
            (stage.answer("TRACE /mcp HTTP/1.1\r\nHost: a\r\n\(Self.app)\r\n"), 405),
            (stage.answer(.post(.call(1), version: "2026-07-28", extra: Self.app + "Mcp-Method: other\r\n")), 400),
            (stage.answer(.get(extra: Self.app), from: .init(literal: "192.0.2.1", port: 1)), 403),
        ]
        for (answer, status) in answers {
            #expect(answer.status == status)
            #expect(answer["server"] == "berth" && answer["content-type"] == "application/json")
            expectReadable(answer, "\(status)")
        }
        let origin = HeaderField("origin", "https://app.test")
        let unavailable = stage.answerHTTP2("POST", "/mcp", [origin], body: Array("{}".utf8))
        #expect(unavailable.status == 503)
        expectReadable(unavailable, "503 over HTTP/2")
        let tooLarge = stage.answerHTTP2("POST", "/mcp", [origin], body: Array(large.utf8))
        #expect(tooLarge.status == 413)
        expectReadable(tooLarge, "413 over HTTP/2")
        #expect(stage.answer(.get("/none", extra: Self.app))["access-control-allow-origin"] == nil, "no route, no word")
        stage.expectNoLeaks()
    }

    @Test("pages that may not ask may not read; fixed answers and redirects can be read")
    func guarded() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(
            """
            [[route]]
            path = "/mcp"
            upstream = "mcp"
            origin = ["https://app.test", "https://quiet.test"]
            cors = ["https://app.test"]
            [[route]]
            path = "/fixed"
            respond = { status = 200, body = "{}" }
            cors = ["https://app.test"]
            response_headers = { set = { X-Own = "1" } }
            [[route]]
            path = "/docs"
            redirect = "https://docs.test"
            cors = ["*"]
            """)
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        expectReadable(stage.answer(.get(extra: Self.app)), "listed in both")
        let quiet = stage.answer(.get(extra: "Origin: https://quiet.test\r\n"))
        #expect(quiet.status == 200 && quiet["access-control-allow-origin"] == nil)
        let refused = stage.answer(.get(extra: Self.evil))
        #expect(refused.status == 403 && refused["access-control-allow-origin"] == nil)
        #expect(refused.all("vary") == ["origin"])
        let fixed = stage.answer(.get("/fixed", extra: Self.app))
        #expect(fixed.text == "{}" && fixed["x-own"] == "1")
        expectReadable(fixed, "a fixed answer")
        let redirect = stage.answer(.get("/docs", extra: Self.evil))
        #expect(redirect.status == 308)
        expectReadable(redirect, as: "*", "a redirect")
        let preflight = stage.answer(Self.preflight(Self.app).replacing("/mcp", with: "/fixed"))
        #expect(preflight.status == 204 && preflight["x-own"] == "1")
        stage.expectNoLeaks()
    }

    @Test("an answer of the cache can be read by each page as the route says")
    func cached() throws {
        let scene = CacheStage(1)
        try scene.stage.configure(Self.listed)
        scene.handler = { scene.answer($0, extra: "Access-Control-Allow-Origin: *\r\n") }
        let list = CacheStage.list()
        for round in 1...3 {
            let answer = scene.send(list.replacing("Accept:", with: Self.app + "Accept:"))
            expectReadable(answer, "round \(round)")
            let other = scene.send(list.replacing("Accept:", with: Self.evil + "Accept:"))
            #expect(other.status == 200 && other["access-control-allow-origin"] == nil, "round \(round)")
        }
        #expect(scene.asked == 2, "an answer is kept by origin: servers may tell them apart")
        scene.stage.expectNoLeaks()
    }

    @Test("pipelined requests of several pages keep apart")
    func pipelined() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(Self.listed)
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let client = stage.connect()
        for fields in [Self.app, Self.evil, "", Self.app] { client.ask(.get(extra: fields)) }
        stage.run { client.responses.count == 4 }
        #expect(
            client.responses.map { $0["access-control-allow-origin"] }
                == ["https://app.test", nil, nil, "https://app.test"])
        client.leave()
        stage.expectNoLeaks()
    }
}
