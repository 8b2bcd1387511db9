import Kernel
import Simulation
import Testing

@testable import Proxy

@Suite("Sessions of HTTP+SSE")
struct LegacyTests {
    /// What the server announces, and where a message to it must arrive.
    static let forms: [(announced: String, target: String)] = [
        ("/messages/?session_id=abc", "/messages/?session_id=abc"),
        ("messages?sessionId=abc", "/messages?sessionId=abc"),
        ("?sessionid=abc", "/sse?sessionid=abc"),
        ("http://127.0.0.1:3001/messages?sessionId=abc", "/messages?sessionId=abc"),
        ("/prefix/messages/abc", "/prefix/messages/abc"),
        ("/m?tenant=7&session_id=abc", "/m?tenant=7&session_id=abc"),
    ]
    static let shapes: [@Sendable (String) -> String] = [
        { "event: endpoint\ndata: \($0)\n\n" }, { "event: endpoint\r\ndata: \($0)\r\n\r\n" },
        { ": hi\n\nevent:endpoint\ndata:\($0)\n\n" }, { "event: endpoint\rdata: \($0)\r\r" },
    ]

    private func announced(_ client: ScriptedClient) -> String {
        let lines = client.current.text.split { $0 == "\n" || $0 == "\r" || $0 == "\r\n" }
        guard let line = lines.first(where: { $0.hasPrefix("data:") }) else { return "" }
        return String(line.dropFirst(5).drop { $0 == " " })
    }

    @Test("a stream is one by its response: the endpoint is signed for a client that names no type it accepts")
    func withoutAccept() {
        let stage = ProxyStage(seed: 5)
        let server = ScriptedServer(stage) { message in
            message.method == "POST"
                ? .reply("Accepted", status: "202 Accepted")
                : .stream("event: endpoint\ndata: /messages?session_id=abc\n\n", "data: next\n\n")
        }
        let client = stage.connect()
        client.ask(.get("/sse", extra: "Accept: */*\r\n"))
        stage.run { client.current.text.contains("next") }
        let endpoint = announced(client)
        #expect(endpoint.hasPrefix("/messages?session_id=abc&_berth="))
        #expect(SessionTests.once(stage, .post(.call(1), to: endpoint)).status == 202)
        // What is added behind the signature is not covered by it.
        #expect(SessionTests.once(stage, .post(.call(1), to: endpoint + "&admin=1")).status == 404)
        #expect(server.requests.filter { $0.method == "POST" }.map(\.target) == ["/messages?session_id=abc"])
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a coded event stream passes as it is, and where one may not be coded no coding is accepted")
    func codedStreams() {
        let stage = ProxyStage(seed: 6)
        let events = "event: endpoint\ndata: /messages?session_id=abc\n\n"
        let server = ScriptedServer(stage) { message in
            .stream(events, extra: message.method == "GET" ? "" : "Content-Encoding: gzip\r\n")
        }
        let poster = stage.connect()
        poster.ask(.post(.call(1), extra: "Accept-Encoding: gzip\r\n"))
        let getter = stage.connect()
        getter.ask(.get("/sse", extra: "Accept-Encoding: gzip, br\r\nAccept: text/event-stream\r\nX-Last: 1\r\n"))
        stage.run { getter.current.text.contains("endpoint") && poster.current.text.contains("endpoint") }
        stage.run(for: .seconds(100))
        #expect(poster.current.text == events, "nothing is put between bytes that mean something else")
        #expect(getter.current.text.contains("_berth=") && getter.current.text.contains(":\n\n"))
        let asked = Dictionary(grouping: server.requests, by: \.method).mapValues { $0[0] }
        #expect(asked["POST"]?["accept-encoding"] == "gzip")
        #expect(asked["GET"]?["accept-encoding"] == nil && asked["GET"]?["x-last"] == "1")
        for client in [poster, getter] { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("the endpoint is rewritten and its messages find their server", arguments: 0..<6)
    func rewritten(form: Int) {
        for identity in [SessionAffinityMode.signed, .learned] {
            for (number, shape) in LegacyTests.shapes.enumerated() {
                let seed = UInt64(form * 10 + number + 1)
                if identity == .learned, form == 4 { continue }
                let stage = ProxyStage(seed: seed, servers: 3)
                stage.plan.affinity = identity
                if identity == .learned { stage.snapshot.learned = LearnedSessions(limit: 100) }
                let servers = (0..<3).map { index in
                    ScriptedServer(stage, index) { message in
                        if message.method == "POST" { return .reply("Accepted", status: "202 Accepted") }
                        return .stream(shape(LegacyTests.forms[form].announced), "data: from \(index)\n\n")
                    }
                }
                let client = stage.connect()
                client.ask(.openStream("/sse"))
                stage.run { client.current.text.contains("from") }
                let endpoint = announced(client)
                #expect(endpoint.hasPrefix("/"), "\(client.current.text.debugDescription), seed \(seed)")
                #expect(endpoint.contains("_berth=") == (identity == .signed))
                let owner = servers.firstIndex { !$0.requests.isEmpty } ?? -1
                for _ in 0..<4 {
                    let answer = SessionTests.once(stage, .post(.call(1), to: endpoint))
                    #expect(answer.status == 202, "seed \(seed)")
                }
                let posts = servers.map { $0.requests.filter { $0.method == "POST" } }
                #expect(
                    posts.indices.allSatisfy { posts[$0].count == ($0 == owner ? 4 : 0) }, "\(endpoint), seed \(seed)")
                #expect(posts[max(0, owner)].allSatisfy { $0.target == LegacyTests.forms[form].target }, "seed \(seed)")
                client.leave()
                stage.expectNoLeaks()
            }
        }
    }

    @Test("the endpoint is found however it is split", arguments: 0..<4)
    func split(shape: Int) {
        let whole = Array((LegacyTests.shapes[shape]("/messages/?session_id=abc") + "data: next\n\n").utf8)
        for offset in 1..<whole.count {
            let stage = ProxyStage(seed: UInt64(offset), .calm)
            _ = ScriptedServer(stage) { _ in
                .stream() + [
                    .chunk(Array(whole[..<offset])), .pause(.milliseconds(5)), .chunk(Array(whole[offset...])),
                ]
            }
            let client = stage.connect()
            client.ask(.openStream("/sse"))
            stage.run(within: .milliseconds(100)) { client.current.text.contains("next\n\n") }
            let endpoint = announced(client)
            #expect(endpoint.hasPrefix("/messages/?session_id=abc&_berth="), "offset \(offset)")
            #expect(client.current.text.hasSuffix("data: next\n\n"), "offset \(offset)")
            client.leave()
            stage.run(for: .milliseconds(200))
            #expect(stage.clientCount == 0 && stage.exchangeCount == 0)
        }
    }

    @Test("tampered signatures and unknown sessions are 404 in plain text", arguments: 1...4)
    func tampered(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { message in
            message.method == "POST" ? .reply("ok") : .stream("event: endpoint\ndata: /m?session_id=abc\n\n")
        }
        let client = stage.connect()
        client.ask(.openStream("/sse"))
        stage.run { client.current.text.hasSuffix("\n\n") }
        let endpoint = announced(client)
        var bad = ["/m?session_id=abc", "/m?session_id=abd&" + endpoint.dropFirst("/m?session_id=abc&".count)]
        for index in 0..<"/m?session_id=abc&_berth=".count where index > 14 && index < 17 {
            var bytes = Array(endpoint.utf8)
            bytes[index] = UInt8(ascii: "z")
            bad.append(String(decoding: bytes, as: UTF8.self))
        }
        for index in "/m?session_id=abc&_berth=".count..<endpoint.utf8.count {
            var bytes = Array(endpoint.utf8)
            bytes[index] = bytes[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            bad.append(String(decoding: bytes, as: UTF8.self))
        }
        for target in bad {
            let answer = SessionTests.once(stage, .post(.call(1), to: target))
            #expect(answer.status == 404 && answer["content-type"] == "text/plain", "\(target), seed \(seed)")
        }
        #expect(server.requests.count == 1)
        #expect(SessionTests.once(stage, .post(.call(1), to: endpoint)).status == 200)
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("the stream of a server that dies ends, and messages to it are 404", arguments: 1...4)
    func serverDies(seed: UInt64) {
        let stage = ProxyStage(seed: seed, servers: 2)
        let servers = (0..<2).map { index in
            ScriptedServer(stage, index) { message in
                message.method == "POST"
                    ? .reply("Accepted", status: "202 Accepted")
                    : .stream("event: endpoint\ndata: /m?session_id=abc\n\n")
            }
        }
        let clients = (0..<2).map { _ in stage.connect() }
        for client in clients {
            client.ask(.openStream("/sse"))
            stage.run { client.current.text.hasSuffix("\n\n") }
        }
        let endpoints = clients.map { announced($0) }
        servers[0].die()
        stage.run(for: .seconds(1))
        let lost = clients.firstIndex { $0.isOver } ?? 0
        #expect(clients.map(\.isOver).filter { $0 }.count == 1, "one stream ends, the other does not, seed \(seed)")
        #expect(clients[lost].responses.isEmpty, "and not as if it were complete")
        let gone = SessionTests.once(stage, .post(.call(1), to: endpoints[lost]))
        #expect(gone.status == 404 && gone["content-type"] == "text/plain", "seed \(seed)")
        #expect(SessionTests.once(stage, .post(.call(1), to: endpoints[1 - lost])).status == 202, "seed \(seed)")
        for client in clients { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("other streams pass untouched, however their first event looks", arguments: 1...4)
    func others(seed: UInt64) {
        let texts = [
            "data: {}\n\n", ": comment\n\ndata: x\n\n", "event: message\ndata: /not?session_id=an-endpoint\n\n",
            "event: endpoint\n\ndata: none\n\n", "retry: 5\n\ndata: x\n\n",
            "event: endpoint\ndata: /" + String(repeating: "x", count: 9000) + "\n\n", "\u{FEFF}data: x\n\n",
        ]
        for text in texts {
            let stage = ProxyStage(seed: seed)
            _ = ScriptedServer(stage) { _ in .stream(text, "data: last\n\n") + [.lastChunk] }
            let client = stage.connect()
            client.ask(.openStream("/sse"))
            stage.run { client.responses.count == 1 }
            #expect(
                client.responses.first?.body == Array((text + "data: last\n\n").utf8),
                "\(text.prefix(60)), seed \(seed)")
            client.leave()
            stage.expectNoLeaks()
        }
    }
}
