import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// Responses that break a rule without leaving a doubt of what they mean.
@Suite("Responses that are read liberally")
struct LiberalResponseTests {
    struct Case: CustomTestStringConvertible {
        let response: String
        var status = 200
        var body = ""
        /// Fields that the client must get exactly so, in this order; others do not count.
        var fields: [String] = []
        /// Names of fields that it must not get.
        var dropped: [String] = []
        /// The connection to the server can be used again.
        var isReusable = true

        var testDescription: String { response.debugDescription }
    }

    static let cases = [
        Case(
            response: "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n", status: 204, dropped: ["content-length"],
            isReusable: false),
        Case(
            response: "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", status: 204,
            dropped: ["transfer-encoding"], isReusable: false),
        Case(
            response: "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\netag: x\r\n\r\n", status: 304,
            fields: ["content-length: 5", "etag: x"]),
        Case(
            response: "HTTP/1.1 304 Not Modified\r\ncontent-length: 5, x\r\n\r\n", status: 304,
            dropped: ["content-length"]),
        Case(
            response: "HTTP/1.1 200 OK\r\nx : a\r\nset-cookie\t: b\r\nset-cookie: c\r\ncontent-length : 2\r\n\r\nok",
            body: "ok",
            fields: ["x: a", "set-cookie: b", "set-cookie: c", "content-length: 2"]),
        Case(
            response: "HTTP/1.1 200 OK\r\nconnection : x\r\nx: a\r\ncontent-length: 2\r\n\r\nok", body: "ok",
            dropped: ["x", "connection"]),
        Case(
            response: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx: a\r\nContent-Length: 2\r\n\r\nok", body: "ok",
            fields: ["content-length: 2", "x: a"]),
        Case(response: "HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nok", body: "ok", fields: ["content-length: 2"]),
        Case(
            response:
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n 2 \r\nok\r\n\t1\t; a\r\n!\r\n0 \r\nx : y\r\n\r\n",
            body: "ok!", dropped: ["x"]),
        Case(response: "HTTP/1.2 200 OK\r\ncontent-length: 2\r\n\r\nok", body: "ok"),
        Case(
            response: "HTTP/1.1 200 OK\r\nmcp-session-id: a\r\nmcp-session-id: a\r\ncontent-length: 2\r\n\r\nok",
            body: "ok",
            fields: ["mcp-session-id: a"]),
        Case(
            response:
                "HTTP/1.1 100 Continue\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
            body: "ok"),
    ]

    @Test("their one meaning reaches the client, well said", arguments: cases)
    func liberal(expected: Case) throws {
        for isModern in [false, true] {
            let stage = ProxyStage(seed: 1, .calm)
            stage.plan.affinity = .off
            let server = ScriptedServer(stage) { $0.target == "/next" ? .reply("next") : [.text(expected.response)] }
            var responses: [Message]
            if isModern {
                let client = stage.connectHTTP2()
                let first = client.ask("GET", "/odd")
                #expect(stage.run { client.isDone(first) })
                let second = client.ask("GET", "/next")
                #expect(stage.run { client.isDone(second) })
                responses = [client[first].response, client[second].response]
                client.leave()
            } else {
                let client = stage.connect()
                client.ask("GET /odd HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(stage.run { client.responses.count == 1 })
                client.ask("GET /next HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(stage.run { client.responses.count == 2 })
                responses = client.responses
                client.leave()
            }
            try #require(responses.count == 2)
            #expect(responses[0].status == expected.status)
            #expect(responses[0].text == expected.body)
            #expect(responses[1].text == "next")
            let fields = responses[0].fields.map { "\($0.name.lowercased()): \($0.value)" }
            let names = Set(expected.fields.map { String($0.prefix { $0 != ":" }) })
            #expect(fields.filter { names.contains(String($0.prefix { $0 != ":" })) } == expected.fields)
            #expect(Set(responses[0].fields.map { $0.name.lowercased() }).isDisjoint(with: expected.dropped))
            #expect(responses[0].trailers.isEmpty)
            #expect(server.connections.count == (expected.isReusable ? 1 : 2))
            stage.expectNoLeaks()
        }
    }

    @Test("each bad response is logged with its reason, a flood of them is not")
    func logged() {
        for (response, reason) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", "Content-Length is no number, or two different ones"),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
                "both Content-Length and Transfer-Encoding"
            ),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n", "Transfer-Encoding is not \"chunked\""),
            ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "a field line is malformed"),
            ("HTTP/1.1 2000 OK\r\n\r\n", "the status line is malformed"),
            ("SSH-2.0-OpenSSH\r\n", "the status line is malformed"),
            ("HTTP/1.1 099 OK\r\n\r\n", "the status is not 100 to 599"),
            ("HTTP/2.0 200 OK\r\n\r\n", "it is not HTTP/1.x"),
            ("HTTP/1.1 101 Go\r\n\r\n", "101 without an Upgrade in the request"),
            ("HTTP/1.1 200 OK\r\nmcp-session-id: a\r\nmcp-session-id: b\r\n\r\n", "two different Mcp-Session-Id"),
            ("HTTP/1.1 200 OK\r\nconnection: a b\r\n\r\n", "Connection is malformed or too long"),
            ("HTTP/1.1 200 OK\r\nx: \(String(repeating: "y", count: 70_000))\r\n\r\n", "the head is too large"),
            ("HTTP/1.1 200 OK\r\n\(String(repeating: "x: y\r\n", count: 120))\r\n", "the head has too many fields"),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5x\r\nhello\r\n", "a chunk or trailer is malformed"),
            (Self.hints(200), "too many interim responses"),
        ] {
            let stage = ProxyStage(seed: 1, .calm)
            let recorder = LogRecorder()
            stage.log = recorder.logger
            let server = ScriptedServer(stage) { _ in [.text(response)] }
            let clients = (0..<15).map { _ in stage.connect() }
            for client in clients { client.ask(.get()) }
            #expect(stage.run { clients.allSatisfy { $0.isOver || $0.responses.count == 1 } }, "\(reason)")
            let line = "warning: server mcp-0:3001 of upstream mcp: invalid response: \(reason)"
            #expect(recorder.lines == [String](repeating: line, count: 10))
            for client in clients { client.leave() }
            stage.run(for: .seconds(2))
            let client = stage.connect()
            client.ask(.get())
            #expect(stage.run { client.isOver || client.responses.count == 1 })
            #expect(recorder.lines.last == "\(line) (5 more of these were not logged)")
            #expect(!server.connections.isEmpty)
            client.leave()
        }
    }

    static func hints(_ count: Int) -> String {
        String(repeating: "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", count: count)
    }

    @Test("a call with many interim responses is answered, however long it takes")
    func manyInterim() {
        let stage = ProxyStage(seed: 1, .calm)
        let server = ScriptedServer(stage) { _ in
            [.text(Self.hints(100))] + (0..<600).flatMap { _ in [.pause(.milliseconds(500)), .text(Self.hints(1))] }
                + .reply("done")
        }
        let client = stage.connect()
        client.ask(.get())
        #expect(stage.run(within: .seconds(400)) { client.responses.count == 1 })
        #expect(client.responses.first?.text == "done")
        #expect(client.responses.first?.informationalCount.count == 700)
        #expect(server.requests.count == 1)
        client.leave()
    }

    @Test("a server that sends interim responses without end is given up", arguments: [false, true])
    func endlessInterim(isLarge: Bool) {
        let stage = ProxyStage(seed: 1, .calm)
        let piece =
            isLarge
            ? "HTTP/1.1 103 Early Hints\r\nlink: \(String(repeating: "x", count: 30_000))\r\n\r\n" : Self.hints(1)
        let server = ScriptedServer(stage) { _ in
            (0..<2_000).flatMap { _ in [.text(piece), .pause(.milliseconds(10))] } + .reply("done")
        }
        let client = stage.connect()
        client.ask(.get())
        #expect(stage.run { client.responses.count == 1 })
        #expect(client.responses.first?.status == 502)
        #expect(server.requests.count == 1)
        client.leave()
    }
}
