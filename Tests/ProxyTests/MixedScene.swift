import Kernel
import Simulation

@testable import Proxy

/// A bit of everything on one worker: plain calls, pipelining, sessions, event streams, uploads. Each request has a tag
/// that its answer repeats, so an answer that went astray shows.
final class MixedScene: FaultScene {
    let stage: ProxyStage
    private(set) var clients: [ScriptedClient] = []
    private(set) var expected: [[String]] = []
    private(set) var streams: [ScriptedClient] = []
    let servers: [ScriptedServer]

    init(seed: UInt64, _ conditions: Conditions = .varied) {
        stage = ProxyStage(seed: seed, servers: 2, conditions)
        stage.plan.pool.maximum = 2
        servers = [
            ScriptedServer(stage, 0) { MixedScene.answer($0, 0) },
            ScriptedServer(stage, 1) { MixedScene.answer($0, 1) },
        ]
    }

    private static func answer(_ message: Message, _ index: Int) -> [SimulatedPeer.Action] {
        let tag = message["x-tag"] ?? "none"
        switch message.target {
        case "/stream": return .stream("data: \(tag)\n\n", "data: more\n\n")
        case "/short":
            return .stream("data: \(tag)\n\n") + [.pause(.milliseconds(2)), .chunk("data: end\n\n"), .lastChunk]
        case "/chunked":
            return [
                .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), .chunk(tag),
                .chunk(" \(message.body.count)"), .lastChunk,
            ]
        case "/sse": return .stream("event: endpoint\ndata: /messages?session_id=\(tag)\n\n")
        default:
            let session = message.text.contains("initialize") ? "Mcp-Session-Id: s\(index)-\(tag)\r\n" : ""
            return .reply("\(tag) \(message.body.count)", extra: session)
        }
    }

    func begin() {
        plain()
        pipelined()
        uploading()
        opening()
        let legacy = stage.connect()
        legacy.ask("GET /sse HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\nX-Tag: legacy\r\n\r\n")
        let stream = stage.connect()
        stream.ask("GET /stream HTTP/1.1\r\nHost: h\r\nX-Tag: stream\r\n\r\n")
        streams = [legacy, stream]
    }

    private func plain() {
        let client = stage.connect()
        client.ask(.post("abc", extra: "X-Tag: plain\r\n"))
        add(client, ["plain 3"])
    }

    private func pipelined() {
        let client = stage.connect()
        client.ask(.post("abcd", extra: "X-Tag: one\r\n"))
        client.ask("GET /chunked HTTP/1.1\r\nHost: h\r\nX-Tag: two\r\n\r\n")
        client.ask("GET /short HTTP/1.1\r\nHost: h\r\nX-Tag: three\r\n\r\n")
        client.ask(.post("", extra: "X-Tag: four\r\n"))
        add(client, ["one 4", "two 0", "data: three\n\ndata: end\n\n", "four 0"])
    }

    private func uploading() {
        let client = stage.connect()
        client.ask(
            "POST",
            [
                .text("POST /chunked HTTP/1.1\r\nHost: h\r\nX-Tag: up\r\nTransfer-Encoding: chunked\r\n\r\n"),
                .chunk("12345"), .pause(.milliseconds(1)), .chunk(String(repeating: "x", count: 3000)), .lastChunk,
            ])
        add(client, ["up 3005"])
    }

    private func opening() {
        let client = stage.connect()
        client.ask(.post("initialize", extra: "X-Tag: open\r\n"))
        add(client, ["open 10"])
    }

    private func add(_ client: ScriptedClient, _ texts: [String]) {
        clients.append(client)
        expected.append(texts)
    }

    /// Everybody has an answer, ours or the server's, or a closed connection.
    var isAnswered: Bool {
        zip(clients, expected).allSatisfy { $0.isOver || $0.responses.count >= $1.count }
            && streams.allSatisfy { $0.isOver || $0.current.body.count > 5 || $0.responses.count > 0 }
    }

    /// What came is right as far as it goes: in order, nobody else's, and whole where it says so.
    var isRight: Bool {
        for (client, texts) in zip(clients, expected) {
            if client.isBroken || client.responses.count > texts.count + 1 { return false }
            for (index, response) in client.responses.enumerated() where response.status == 200 {
                if index >= texts.count || response.text != texts[index] { return false }
            }
        }
        return true
    }

    var isPerfect: Bool {
        zip(clients, expected).allSatisfy { $0.responses.map(\.text) == $1 }
            && streams.allSatisfy { $0.current.status == 200 }
    }

    func leave() {
        for client in clients + streams { client.leave() }
    }
}
