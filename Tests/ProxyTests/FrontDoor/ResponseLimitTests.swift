import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// Responses that are larger than a route allows: `response_limit`.
@Suite("response_limit")
struct ResponseLimitTests {
    private static let route = "[[route]]\nupstream = \"mcp\"\nresponse_limit = \"2KiB\"\n"

    private static func body(_ count: Int) -> String { String(repeating: "x", count: count) }

    private static func chunked(_ count: Int, pieces: Int) -> [SimulatedPeer.Action] {
        let size = count / pieces
        let piece = String(size, radix: 16) + "\r\n" + body(size) + "\r\n"
        return [.text("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")]
            + Array(repeating: .text(piece), count: pieces) + [.lastChunk]
    }

    @Test("one that says its length is refused with the limit, before its head goes out", arguments: 1...3)
    func announced(seed: UInt64) throws {
        let stage = ProxyStage(seed: seed)
        try stage.configure(Self.route)
        _ = ScriptedServer(stage) { .reply(Self.body($0.target == "/large" ? 2_049 : 2_048)) }
        #expect(stage.answer(.get("/small")).text.utf8.count == 2_048, "seed \(seed)")
        for answer in [
            stage.answer(.post(.call(7), to: "/large")),
            stage.answerHTTP2("POST", "/large", body: Array(String.call(7).utf8)),
        ] {
            #expect(answer.status == 502, "seed \(seed)")
            #expect(
                answer.text
                    == #"{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"The server's response is larger than response_limit","data":{"reason":"response_too_large","limit":2048}}}"#
            )
        }
        #expect(stage.answer("HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n").status == 200, "there is no body")
        #expect(stage.sum(.badGateway) == 2)
        stage.expectEveryExchangeEndedOnce()
        stage.expectNoLeaks()
    }

    @Test("one that grows is broken off, so that nobody takes it for the whole", arguments: 1...3)
    func growing(seed: UInt64) throws {
        let stage = ProxyStage(seed: seed)
        try stage.configure(Self.route)
        _ = ScriptedServer(stage) { Self.chunked($0.target == "/large" ? 4_000 : 2_000, pieces: 8) }
        #expect(stage.answer(.get("/small")).text.utf8.count == 2_000, "seed \(seed)")
        let client = stage.connect()
        client.ask(.get("/large"))
        stage.run { client.isOver }
        #expect(client.responses.isEmpty, "seed \(seed)")
        #expect(client.current.body.count <= 2_048, "seed \(seed)")
        let modern = stage.connectHTTP2()
        let stream = modern.ask("GET", "/large")
        stage.run { modern.isDone(stream) }
        #expect(!modern[stream].response.isComplete, "seed \(seed)")
        modern.leave()
        #expect(stage.metrics.sum(.responsesAborted) == 2, "seed \(seed)")
        stage.expectNoLeaks()
    }

    @Test("a body that ends with the connection is broken off as well")
    func untilClose() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(Self.route)
        _ = ScriptedServer(stage) { _ in [.text("HTTP/1.1 200 OK\r\n\r\n" + Self.body(5_000)), .close] }
        let client = stage.connect()
        client.ask(.get())
        stage.run { client.isOver }
        #expect(client.responses.isEmpty)
        stage.expectNoLeaks()
    }

    @Test("event streams, and other routes, have no such bound")
    func streams() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(
            "[[route]]\npath = \"/mcp\"\nupstream = \"mcp\"\nresponse_limit = \"1KiB\"\n[[route]]\nupstream = \"mcp\"\n"
        )
        let events = String(repeating: "data: 0123456789\n\n", count: 500)
        _ = ScriptedServer(stage) { message in
            message["accept"] == "text/event-stream" ? .stream(events) + [.lastChunk] : .reply(Self.body(5_000))
        }
        #expect(stage.answer(.openStream()).text == events)
        #expect(stage.answer(.get("/other")).text.utf8.count == 5_000)
        #expect(stage.answer(.get()).status == 502)
        stage.expectNoLeaks()
    }

    @Test("a client of an old revision may be told by status 200")
    func inBand() throws {
        let stage = ProxyStage(seed: 1)
        stage.plan.legacyErrors = .rpc200
        try stage.configure(Self.route)
        _ = ScriptedServer(stage) { _ in .reply(Self.body(3_000)) }
        let answer = stage.answer(.post(.call(1)))
        #expect(answer.status == 200 && answer["x-berth-error"] == "response_too_large")
        stage.expectNoLeaks()
    }
}
