import Simulation
import TestSupport
import Testing

@testable import Proxy

/// Pages of which origins may ask: the guard against DNS rebinding (MCP, "Security Warning" of Streamable HTTP).
@Suite("origin")
struct OriginGuardTests {
    static let route = """
        [[route]]
        path = "/mcp"
        upstream = "mcp"
        origin = ["https://app.test", "http://localhost:6274"]
        [[route]]
        upstream = "mcp"
        """

    private static func origin(_ values: String...) -> String { values.map { "Origin: \($0)\r\n" }.joined() }

    @Test("a listed origin and a client without one are served, all others get 403 with a null id", arguments: 1...3)
    func guarding(seed: UInt64) throws {
        let stage = ProxyStage(seed: seed)
        try stage.configure(Self.route)
        let server = ScriptedServer(stage) { _ in .reply("ok") }
        let served = [
            "", Self.origin("https://app.test"), Self.origin("HTTPS://APP.test:443"),
            Self.origin("http://localhost:6274"),
        ]
        for fields in served {
            #expect(stage.answer(.post(.call(1), extra: fields)).status == 200, "\(fields), seed \(seed)")
        }
        #expect(server.requests.count == served.count)
        #expect(server.requests[1]["origin"] == "https://app.test", "the server sees it as it came")
        let refused = [
            Self.origin("https://evil.test"), Self.origin("null"), Self.origin(""), Self.origin("http://localhost"),
            Self.origin("https://app.test", "https://app.test"), Self.origin("https://app.test, https://evil.test"),
            Self.origin("https://app.test/"), Self.origin("https://app.test."),
            "Connection: origin\r\n" + Self.origin("https://evil.test"), "oRIGIN: https://evil.test\r\n",
        ]
        for fields in refused {
            let answer = stage.answer(.post(.call(7), extra: fields))
            #expect(answer.status == 403 && answer["content-type"] == "application/json", "\(fields), seed \(seed)")
            #expect(
                answer.text
                    == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Requests from this origin are not served","data":{"reason":"origin_denied"}}}"#
            )
        }
        #expect(server.requests.count == served.count, "what was refused reached no server")
        stage.expectEveryExchangeEndedOnce()
        stage.expectNoLeaks()
    }

    @Test("the connection goes on, and other routes are not guarded")
    func keepsConnection() throws {
        let stage = ProxyStage(seed: 2)
        try stage.configure(Self.route)
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let client = stage.connect()
        client.ask(.post(.call(1), extra: Self.origin("https://evil.test")))
        client.ask(.get("/other", extra: Self.origin("https://evil.test")))
        client.ask(.get(extra: Self.origin("https://evil.test")))
        client.ask(.get())
        stage.run { client.responses.count == 4 }
        #expect(client.responses.map(\.status) == [403, 200, 403, 200])
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("over HTTP/2, streams, sessions and preflights are guarded as well")
    func everyWay() throws {
        let stage = ProxyStage(seed: 3)
        try stage.configure(Self.route)
        let server = ScriptedServer(stage) { _ in .reply("ok") }
        let evil = HeaderField("origin", "https://evil.test")
        #expect(stage.answerHTTP2("POST", "/mcp", [evil], body: Array("{}".utf8)).status == 403)
        #expect(stage.answerHTTP2("GET", "/mcp", [HeaderField("origin", "https://app.test")]).status == 200)
        let fields = Self.origin("https://evil.test")
        #expect(
            stage.answer("GET /mcp HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\(fields)\r\n").status == 403)
        #expect(stage.answer("OPTIONS /mcp HTTP/1.1\r\nHost: a\r\n\(fields)\r\n").status == 403)
        #expect(stage.answer(.post(.call(1), session: "b1.nobody", extra: fields)).status == 403, "and not 404")
        #expect(server.requests.count == 1)
        stage.expectNoLeaks()
    }

    @Test("an upload that is refused is not taken for the next request")
    func upload() throws {
        let stage = ProxyStage(seed: 4)
        try stage.configure(Self.route)
        let server = ScriptedServer(stage) { _ in .reply("ok") }
        let body = String(repeating: "x", count: 200_000)
        let answer = stage.answer(.post(body, extra: Self.origin("https://evil.test")))
        #expect(answer.status == 403 && answer["connection"] == "close")
        #expect(server.requests.isEmpty)
        stage.expectNoLeaks()
    }

    @Test("an empty list keeps all pages out; answers of the configuration are guarded, too")
    func nobody() throws {
        let stage = ProxyStage(seed: 5)
        try stage.configure(
            """
            [[route]]
            path = "/fixed"
            respond = 204
            origin = ["null"]
            [[route]]
            upstream = "mcp"
            origin = []
            """)
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        #expect(stage.answer(.get(extra: Self.origin("https://app.test"))).status == 403)
        #expect(stage.answer(.get()).status == 200)
        #expect(stage.answer(.get("/fixed", extra: Self.origin("https://app.test"))).status == 403)
        #expect(stage.answer(.get("/fixed", extra: Self.origin("null"))).status == 204)
        #expect(stage.answer(.get("/fixed")).status == 204)
        stage.expectNoLeaks()
    }
}
