import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

@Suite("Requests and responses")
struct PlainTests {
    static let seeds: ClosedRange<UInt64> = 1...12
    static let everywhere: [Conditions] = [.varied, .calm, .cramped]

    /// A body that differs at every place, so that bytes lost, doubled or moved show.
    static func body(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed ^ 0xb0d7)
        return generator.bytes(count)
    }

    static func chunked(_ body: [UInt8], seed: UInt64, trailers: String = "") -> [SimulatedPeer.Action] {
        var generator = SeededGenerator(seed: seed)
        var actions: [SimulatedPeer.Action] = []
        var rest = body[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...5000, using: &generator))
            actions.append(.chunk(Array(piece)))
            rest = rest.dropFirst(piece.count)
        }
        return actions + [.text("0\r\n\(trailers)\r\n")]
    }

    @Test("a request and its response arrive whole, and the connections are kept", arguments: seeds)
    func roundTrip(seed: UInt64) {
        for conditions in PlainTests.everywhere {
            let stage = ProxyStage(seed: seed, conditions)
            let server = ScriptedServer(stage) { .reply("pong \($0.text)") }
            let client = stage.connect()
            for number in 0..<3 {
                client.ask(.post(.call(number)))
                stage.run { client.responses.count > number }
                #expect(client.responses.last?.text == "pong \(String.call(number))", "seed \(seed)")
            }
            #expect(client.responses.map(\.status) == [200, 200, 200], "seed \(seed)")
            #expect(server.requests.count == 3)
            #expect(server.connections.count == 1, "the connection is reused, seed \(seed)")
            #expect(server.requests.first?["host"] == "mcp.test")
            #expect(server.requests.first?["x-forwarded-for"] == "127.0.0.1")
            stage.expectGaugesMatch()
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("bodies are exact whatever their framing, both ways", arguments: seeds)
    func bodies(seed: UInt64) {
        for (count, conditions) in zip([0, 1, 4000, 70_000, 150_000], PlainTests.everywhere + [.varied, .calm]) {
            for isChunked in [false, true] {
                let sent = PlainTests.body(count, seed: seed)
                let returned = PlainTests.body(count, seed: seed &+ 77)
                let stage = ProxyStage(seed: seed, conditions)
                let server = ScriptedServer(stage) { _ in
                    guard isChunked else { return .bytes(returned) }
                    return [.text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")]
                        + PlainTests.chunked(returned, seed: seed, trailers: "X-Sum: 7\r\nContent-Length: 5\r\n")
                }
                let client = stage.connect()
                let head = "POST /mcp HTTP/1.1\r\nHost: mcp.test\r\n"
                if isChunked {
                    client.ask(
                        "POST",
                        [.text(head + "Transfer-Encoding: chunked\r\n\r\n")]
                            + PlainTests.chunked(sent, seed: seed, trailers: "X-Check: 9\r\nHost: evil\r\n"))
                } else {
                    client.ask("POST", [.text(head + "Content-Length: \(count)\r\n\r\n"), .send(sent)])
                }
                stage.run(within: .seconds(300)) { client.responses.count == 1 }

                #expect(server.requests.first?.body == sent, "\(count) bytes, chunked \(isChunked), seed \(seed)")
                #expect(client.responses.first?.body == returned, "\(count) bytes, chunked \(isChunked), seed \(seed)")
                if isChunked {
                    #expect(server.requests.first?.trailers.map(\.name) == ["X-Check"], "seed \(seed)")
                    #expect(client.responses.first?.trailers.map(\.name) == ["X-Sum"], "seed \(seed)")
                }
                client.leave()
                stage.expectNoLeaks()
            }
        }
    }

    @Test("one byte at a time, in both directions", arguments: seeds)
    func oneByte(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { message in
            Array("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\(message.text.prefix(5))".utf8).map { .send([$0]) }
        }
        server.onConnection = { $0.segmentBytes = 1...1 }
        let client = stage.connect()
        client.peer.segmentBytes = 1...1
        for number in 0..<2 {
            client.ask(.post("hello \(number)"))
            stage.run { client.responses.count > number }
        }
        #expect(client.responses.map(\.text) == ["hello", "hello"], "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("HEAD, 204 and 304 have no body, and what follows is read as the next response", arguments: seeds)
    func bodiless(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { message in
            switch message.target {
            case "/head": return [.text("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")]
            case "/204": return [.text("HTTP/1.1 204 No Content\r\n\r\n")]
            case "/304": return [.text("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 44\r\n\r\n")]
            default: return .reply("end")
            }
        }
        let client = stage.connect()
        client.ask("HEAD /head HTTP/1.1\r\nHost: h\r\n\r\n")
        client.ask(.get("/204"))
        client.ask(.get("/304"))
        client.ask(.get("/last"))
        stage.run { client.responses.count == 4 }

        #expect(client.responses.map(\.status) == [200, 204, 304, 200], "seed \(seed)")
        #expect(client.responses.map(\.text) == ["", "", "", "end"], "seed \(seed)")
        #expect(client.responses.first?["content-length"] == "1000")
        #expect(server.requests.map(\.target) == ["/head", "/204", "/304", "/last"])
        #expect(server.connections.count == 1)
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("HTTP/1.0 clients get what they understand", arguments: seeds)
    func oldClient(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { message in
            message.target == "/chunked"
                ? [
                    .text("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                    .chunk("abc"), .pause(.milliseconds(3)), .chunk("def"), .lastChunk,
                ] : .reply("counted")
        }
        let closing = stage.connect()
        closing.ask("GET /chunked HTTP/1.0\r\nHost: h\r\n\r\n")
        let keeping = stage.connect()
        keeping.ask("GET /a HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n")
        stage.run { keeping.responses.count == 1 }
        keeping.ask("GET /b HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n")
        stage.run { closing.isOver && keeping.responses.count == 2 }

        #expect(closing.responses.map(\.text) == ["abcdef"], "seed \(seed)")
        #expect(closing.responses.first?.informationalCount == [])
        #expect(closing.responses.first?["transfer-encoding"] == nil)
        #expect(closing.peer.hasEnded && closing.peer.failure == nil)
        #expect(keeping.responses.map(\.text) == ["counted", "counted"])
        #expect(keeping.responses.first?["connection"] == "keep-alive")
        #expect(!server.requests.isEmpty && server.requests.allSatisfy { $0.startLine.hasSuffix("HTTP/1.1") })
        keeping.leave()
        stage.expectNoLeaks()
    }

    @Test("pipelined requests are answered in order, however long each takes", arguments: seeds)
    func pipelined(seed: UInt64) {
        for conditions in PlainTests.everywhere {
            let stage = ProxyStage(seed: seed, servers: 3, conditions)
            var generator = SeededGenerator(seed: seed)
            let servers = (0..<3).map { index in
                ScriptedServer(stage, index) { message in
                    [.pause(.milliseconds(generator.next() % 50))] + .reply(message.text + message.target)
                }
            }
            let client = stage.connect()
            for number in 0..<10 {
                client.ask(number % 2 == 0 ? .get("/\(number)") : .post("body-", to: "/\(number)"))
            }
            stage.run { client.responses.count == 10 }

            let expected = (0..<10).map { ($0 % 2 == 0 ? "" : "body-") + "/\($0)" }
            #expect(client.responses.map(\.text) == expected, "seed \(seed)")
            #expect(servers.reduce(0) { $0 + $1.requests.count } == 10)
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("Expect: 100-continue reaches the server before the body, and 1xx responses come back", arguments: seeds)
    func continues(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { .reply("got \($0.text)") }
        server.onHead = { head in
            head["expect"] == nil
                ? [] : [.text("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")]
        }
        let client = stage.connect()
        client.ask(
            "POST /mcp HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        stage.run { client.current.informationalCount == [103, 100] }
        #expect(client.current.informationalCount == [103, 100], "seed \(seed)")
        client.peer.perform(.text("body"))
        stage.run { client.responses.count == 1 }

        #expect(client.responses.first?.text == "got body", "seed \(seed)")
        client.ask(.get("/again"))
        stage.run { client.responses.count == 2 }
        #expect(client.responses.count == 2)
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("an answer before the body was sent is passed on, and the connection closes after it", arguments: seeds)
    func earlyAnswer(seed: UInt64) {
        for closes in [false, true] {
            let stage = ProxyStage(seed: seed)
            let server = ScriptedServer(stage) { _ in [] }
            server.onHead = { _ in .reply("too much", status: "413 Content Too Large") + (closes ? [.close] : []) }
            let client = stage.connect()
            client.ask(
                "POST", [.text("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n"), .text("begin")])
            stage.run { client.responses.count == 1 && client.isOver }

            #expect(client.responses.first?.status == 413, "seed \(seed)")
            #expect(client.responses.first?.text == "too much", "seed \(seed)")
            #expect(client.isOver, "the rest of the body would be taken for a request")
            stage.expectNoLeaks()
        }
    }

    @Test("a response that ends with its connection arrives whole and is reframed", arguments: seeds)
    func closeDelimited(seed: UInt64) {
        let body = PlainTests.body(50_000, seed: seed)
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { _ in [.text("HTTP/1.0 200 OK\r\n\r\n"), .send(body), .close] }
        let client = stage.connect()
        client.ask(.get("/a"))
        stage.run { client.responses.count == 1 }
        client.ask(.get("/b"))
        stage.run { client.responses.count == 2 }

        #expect(client.responses.map(\.body) == [body, body], "seed \(seed)")
        #expect(server.connections.count == 2)
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a slow reader of a big body does not make the worker hold it", arguments: [1, 2, 3, 4])
    func slowReader(seed: UInt64) {
        let body = PlainTests.body(700_000, seed: seed)
        for isChunked in [false, true] {
            let stage = ProxyStage(seed: seed)
            let server = ScriptedServer(stage) { _ in
                guard isChunked else { return .bytes(body) }
                return [.text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")]
                    + PlainTests.chunked(body, seed: seed)
            }
            let client = stage.connect()
            client.peer.perform(.read(.slowly(bytes: 20_000, every: .milliseconds(10))))
            client.ask(.get("/big"))
            var most = 0
            stage.run(within: .seconds(600)) {
                most = max(most, stage.bufferedBytes)
                return client.peer.received.count >= body.count && client.responses.count == 1
            }
            #expect(client.responses.first?.body == body, "seed \(seed)")
            #expect(most < 200_000, "held \(most) bytes, seed \(seed)")
            #expect(server.requests.count == 1)
            // A counted body goes past the worker's memory, and yet its connection is known to be clean behind it.
            #expect((stage.network.passages > 0) == !isChunked, "seed \(seed)")
            client.ask(.get("/again"))
            stage.run(within: .seconds(600)) { client.responses.count == 2 }
            #expect(client.responses.last?.body == body, "seed \(seed)")
            #expect(server.connections.count == 1, "seed \(seed)")
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("a slow server that takes a big upload does not make the worker hold it", arguments: [1, 2, 3, 4])
    func slowServer(seed: UInt64) {
        let body = PlainTests.body(600_000, seed: seed)
        for isChunked in [false, true] {
            let stage = ProxyStage(seed: seed)
            let server = ScriptedServer(stage) { _ in .reply("thanks") }
            server.onConnection = { $0.perform(.read(.slowly(bytes: 20_000, every: .milliseconds(10)))) }
            let client = stage.connect()
            let field = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(body.count)"
            client.ask(
                "POST",
                [.text("POST /up HTTP/1.1\r\nHost: h\r\n\(field)\r\n\r\n")]
                    + (isChunked ? PlainTests.chunked(body, seed: seed) : [.send(body)]))
            // The next request stands right behind the body.
            client.ask(.get("/next"))
            var most = 0
            stage.run(within: .seconds(600)) {
                most = max(most, stage.bufferedBytes)
                return client.responses.count == 2
            }
            #expect(server.requests.first?.body == body, "seed \(seed)")
            #expect(server.requests.last?.body == [] && server.requests.count == 2, "seed \(seed)")
            #expect(client.responses.allSatisfy { $0.text == "thanks" }, "seed \(seed)")
            #expect(most < 200_000, "held \(most) bytes, seed \(seed)")
            // A counted body goes past the worker's memory.
            #expect((stage.network.passages > 0) == !isChunked, "seed \(seed)")
            client.leave()
            stage.expectNoLeaks()
        }
    }
}
