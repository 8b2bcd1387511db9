import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// Header fields that routes put into responses, and leave out.
@Suite("response_headers")
struct ResponseFieldsTests {
    static let headers =
        #"response_headers = { set = { "Strict-Transport-Security" = "max-age=1", "X-Frame-Options" = "DENY" }, "#
        + #"remove = ["Server", "X-Powered-By"] }"#
    static let route = "[[route]]\npath = \"/mcp\"\nupstream = \"mcp\"\n\(headers)\n"

    private static let said =
        "Server: uvicorn\r\nSTRICT-transport-security: max-age=0\r\nX-Powered-By: a\r\nx-powered-by: b\r\nX-Kept: 1\r\n"
        + "X-Frame-Options2: kept\r\n"

    private func expectEdited(_ answer: Message, _ comment: String) {
        #expect(answer.all("strict-transport-security") == ["max-age=1"], "\(comment)")
        #expect(answer.all("x-frame-options") == ["DENY"], "\(comment)")
        #expect(answer.all("server").isEmpty && answer.all("x-powered-by").isEmpty, "\(comment)")
    }

    @Test("a server's response has what is set and lacks what is removed", arguments: 1...4)
    func responses(seed: UInt64) throws {
        let stage = ProxyStage(seed: seed)
        try stage.configure(Self.route)
        _ = ScriptedServer(stage) { message in
            message["accept"] == "text/event-stream"
                ? .stream("data: 1\n\n", extra: Self.said) + [.lastChunk] : .reply("{}", extra: Self.said)
        }
        let plain = stage.answer(.post(.call(1)))
        let stream = stage.answer(.openStream())
        let modern = stage.answerHTTP2("GET", "/mcp")
        let events = stage.answerHTTP2("GET", "/mcp", [HeaderField("accept", "text/event-stream")])
        for (answer, text) in [(plain, "{}"), (stream, "data: 1\n\n"), (modern, "{}"), (events, "data: 1\n\n")] {
            expectEdited(answer, "\(text), seed \(seed)")
            #expect(answer.text == text && answer.status == 200, "seed \(seed)")
            #expect(answer["x-kept"] == "1" && answer["x-frame-options2"] == "kept", "seed \(seed)")
            #expect(answer.all("date").count == 1, "seed \(seed)")
        }
        stage.expectNoLeaks()
    }

    @Test("Berth's own errors have them too")
    func errors() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(Self.route)
        stage.network.refuse(at: ProxyStage.server(0))
        for answer in [stage.answer(.post(.call(7))), stage.answerHTTP2("POST", "/mcp", body: Array("{}".utf8))] {
            expectEdited(answer, "an error")
            #expect(answer.status == 503)
            #expect(answer["content-type"] == "application/json" && answer.text.contains("no_server_available"))
        }
        let gone = stage.answer(.post(.call(1), session: "b1.nobody"))
        expectEdited(gone, "a session that is gone")
        #expect(gone.status == 404 && gone.text.contains("session_gone"))
        // What no route matches has no route's fields.
        #expect(stage.answer(.get("/other"))["server"] == "berth")
        stage.expectNoLeaks()
    }

    @Test("interim responses are left alone, HEAD has the fields, a body of unusual lines is written anew")
    func others() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(Self.route)
        _ = ScriptedServer(stage) { message in
            if message.method == "HEAD" { return [.text("HTTP/1.1 200 OK\r\n\(Self.said)Content-Length: 5\r\n\r\n")] }
            return [
                .text(
                    "HTTP/1.1 103 Early Hints\r\nServer: early\r\n\r\nHTTP/1.1 200 OK\r\n\(Self.said)"
                        + "Content-Length: 2, 2\r\n\r\nok")
            ]
        }
        let head = stage.answer("HEAD /mcp HTTP/1.1\r\nHost: x\r\n\r\n")
        expectEdited(head, "HEAD")
        #expect(head["content-length"] == "5")
        let answer = stage.answer(.get())
        expectEdited(answer, "a list of lengths")
        #expect(answer.informationalCount == [103])
        #expect(answer.text == "ok" && answer["content-length"] == "2")
        stage.expectNoLeaks()
    }

    @Test("pipelined responses of two routes keep apart")
    func pipelined() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(Self.route + "[[route]]\nupstream = \"mcp\"\n")
        _ = ScriptedServer(stage) { _ in .reply("ok", extra: Self.said) }
        let client = stage.connect()
        for target in ["/mcp", "/x", "/mcp", "/y"] { client.ask(.get(target)) }
        stage.run { client.responses.count == 4 }
        #expect(client.responses.map { $0["server"] } == [nil, "uvicorn", nil, "uvicorn"])
        #expect(client.responses.map { $0["x-frame-options"] } == ["DENY", nil, "DENY", nil])
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("an answer of the cache has the fields of the route that it goes out by")
    func cached() throws {
        let scene = CacheStage(1)
        try scene.stage.configure(
            Self.route + "[[route]]\npath = \"/plain\"\nupstream = \"mcp\"\n")
        scene.handler = { scene.answer($0, extra: Self.said + "Access-Control-Allow-Origin: *\r\n") }
        let list = CacheStage.list()
        for round in 1...3 {
            let answer = scene.send(list)
            expectEdited(answer, "round \(round)")
            #expect(answer["access-control-allow-origin"] == "*" && answer.number == 1)
            let plain = scene.send(list.replacing("POST /mcp", with: "POST /plain"))
            #expect(plain["x-frame-options"] == nil && plain.number == 2)
        }
        #expect(scene.asked == 2)
        scene.stage.expectNoLeaks()
    }
}
