import Kernel
import Simulation
import TestSupport

@testable import Proxy

/// What `MixedScene` does not have, on one worker: clients over TLS, in HTTP/2 and in both, each with requests for a
/// server in clear and for one that speaks TLS. Each request has a tag that its answer repeats.
final class SecureScene: FaultScene {
    let stage: ProxyStage
    private var clients: [(client: ScriptedClient, texts: [String])] = []
    private var streams: [(client: ScriptedHTTP2Client, stream: UInt32, text: String)] = []

    init(seed: UInt64, _ conditions: Conditions) {
        stage = ProxyStage(seed: seed, conditions)
        stage.addSecureListener()
        stage.addUpstream(servers: 1, isSecure: true)
        for index in [0, 1] {
            stage.snapshot.upstreams[index].pool.maximum = 2
            _ = ScriptedServer(stage, index) { SecureScene.answer($0) }
        }
    }

    private static func answer(_ message: Message) -> [SimulatedPeer.Action] {
        let tag = message["x-tag"] ?? "none"
        switch message.target.split(separator: "/").last {
        case "short":
            return .stream("data: \(tag)\n\n") + [.pause(.milliseconds(2)), .chunk("data: end\n\n"), .lastChunk]
        case "chunked":
            return [
                .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), .chunk(tag),
                .chunk(" \(message.body.count)"), .text("0\r\nX-Sum: 1\r\n\r\n"),
            ]
        default: return .reply("\(tag) \(message.body.count)")
        }
    }

    func begin() {
        for context in [ClientTLS.http1, ClientTLS.oldest] {
            let client = stage.connectSecurely(context)
            client.ask(.post("abc", extra: "X-Tag: one\r\n"))
            client.ask(.post("abcd", to: "/other", extra: "X-Tag: two\r\n"))
            client.ask("GET /other/chunked HTTP/1.1\r\nHost: h\r\nX-Tag: three\r\n\r\n")
            clients.append((client, ["one 3", "two 4", "three 0"]))
        }
        for isSecure in [false, true] {
            let client = stage.connectHTTP2(isSecure: isSecure)
            ask(client, "GET", "/mcp", nil, "get", "get 0")
            ask(client, "POST", "/other", [UInt8](repeating: 120, count: 3000), "post", "post 3000")
            ask(client, "GET", "/other/short", nil, "short", "data: short\n\ndata: end\n\n")
            ask(client, "POST", "/mcp/chunked", [1, 2, 3], "up", "up 3", pieces: 1)
        }
    }

    private func ask(
        _ client: ScriptedHTTP2Client, _ method: String, _ path: String, _ body: [UInt8]?, _ tag: String,
        _ text: String,
        pieces: Int = .max
    ) {
        let stream = client.ask(
            method, path, [HeaderField("x-tag", tag)], body: body, inPiecesOf: pieces, every: .milliseconds(1))
        streams.append((client, stream, text))
    }

    /// Everybody has an answer, ours or the server's, or a connection or a stream that has ended.
    var isAnswered: Bool {
        clients.allSatisfy { $0.client.isOver || $0.client.responses.count >= $0.texts.count }
            && streams.allSatisfy { $0.client.isDone($0.stream) }
    }

    /// What came is right as far as it goes: in order, nobody else's, and whole where it says so.
    var isRight: Bool {
        for (client, texts) in clients {
            if client.isBroken || client.responses.count > texts.count + 1 { return false }
            for (index, response) in client.responses.enumerated() where response.status == 200 {
                if index >= texts.count || response.text != texts[index] { return false }
            }
        }
        return streams.allSatisfy { client, stream, text in
            let response = client[stream].response
            guard response.status == 200 else { return !client.isBroken }
            return !client.isBroken && (response.isComplete ? response.text == text : text.hasPrefix(response.text))
        }
    }

    var isPerfect: Bool {
        clients.allSatisfy { $0.client.responses.map(\.text) == $0.texts }
            && streams.allSatisfy { $0.client[$0.stream].response.text == $0.text }
    }

    func leave() {
        for (client, _) in clients { client.leave() }
        for (client, _, _) in streams { client.leave() }
    }
}
