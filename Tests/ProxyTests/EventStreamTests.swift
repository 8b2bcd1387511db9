import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

@Suite("Event streams")
struct EventStreamTests {
    static let seeds: ClosedRange<UInt64> = 1...10

    @Test("the head goes out before any event, and every event as it comes", arguments: seeds)
    func atOnce(seed: UInt64) {
        for method in ["GET", "POST"] {
            let stage = ProxyStage(seed: seed, .calm)
            let server = ScriptedServer(stage) { _ in .stream() }
            let client = stage.connect()
            client.ask(method == "GET" ? .openStream() : .post(.call(1)))
            stage.run(within: .milliseconds(5)) { client.current.hasHead }
            #expect(client.current.status == 200, "seed \(seed)")
            #expect(client.current["content-type"] == "text/event-stream")
            #expect(client.current["cache-control"] == "no-store")
            #expect(client.current["connection"] == nil)
            for number in 0..<20 {
                let sent = stage.network.now
                server.connections[0].perform(.chunk("data: \(number)\n\n"))
                stage.run(for: .milliseconds(2))
                let took = client.lastReceived - sent
                // Two trips of 100 us: not even a tick of ours in between.
                #expect(took.nanoseconds <= 200_000, "\(took.nanoseconds) ns, seed \(seed)")
            }
            #expect(client.current.text == (0..<20).map { "data: \($0)\n\n" }.joined(), "seed \(seed)")
            stage.expectGaugesMatch()
            #expect(stage.sum(.streaming) == 1 && stage.sum(.active) == 0)
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("silence is filled with comments, between events only", arguments: seeds)
    func heartbeat(seed: UInt64) {
        let event = "id: 7\ndata: first\ndata: second\n\n"
        for offset in 0...event.utf8.count {
            let stage = ProxyStage(seed: seed, .calm)
            let server = ScriptedServer(stage) { _ in .stream() }
            let client = stage.connect()
            client.ask(.post(.call(1)))
            stage.run { client.current.hasHead }
            let (one, two) = (Array(event.utf8.prefix(offset)), Array(event.utf8.dropFirst(offset)))
            if !one.isEmpty { server.connections[0].perform(.chunk(one)) }
            stage.run(for: .seconds(50))
            let inside = offset > 0 && offset < event.utf8.count
            let comments = inside ? "" : ":\n\n:\n\n:\n\n"
            #expect(client.current.text == String(event.prefix(offset)) + comments, "offset \(offset), seed \(seed)")
            if !two.isEmpty { server.connections[0].perform(.chunk(two)) }
            stage.run(for: .seconds(16))
            let body = client.current.text
            #expect(body.hasSuffix(":\n\n"), "offset \(offset), seed \(seed)")
            #expect(body.replacing(":\n\n", with: "") == event, "offset \(offset), seed \(seed): \(body)")
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("a stream that may be a legacy session's is kept alive before its first event", arguments: seeds)
    func heartbeatBeforeEndpoint(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { _ in .stream() + [.pause(.seconds(40)), .chunk("event: endp")] }
        let client = stage.connect()
        client.ask(.openStream("/sse"))
        stage.run(for: .seconds(80))
        #expect(client.current.text == String(repeating: ":\n\n", count: 4), "seed \(seed)")
        server.connections[0].perform(.chunk("oint\ndata: /m?session_id=1\n\n"))
        stage.run(for: .seconds(1))
        #expect(client.current.text.contains("\n\nevent: endpoint\ndata: /m?session_id=1&_berth="), "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a stream that says something now and then lives for a day", arguments: [1, 2])
    func day(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { _ in .stream() }
        let client = stage.connect()
        client.ask(.openStream())
        stage.run { client.current.hasHead }
        for hour in 0..<24 {
            stage.run(for: .seconds(3600))
            server.connections[0].perform(.chunk("data: \(hour)\n\n"))
        }
        stage.run(for: .seconds(1))
        #expect(client.peer.isOpen, "seed \(seed)")
        let text = client.current.text
        #expect(text.replacing(":\n\n", with: "") == (0..<24).map { "data: \($0)\n\n" }.joined())
        #expect(text.split(separator: ":\n\n").count > 20)
        #expect(stage.turns < 24 * 3600 / 15 * 4, "\(stage.turns) turns")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("stream_idle ends a stream whose server is silent, whatever comments the client got", arguments: seeds)
    func idle(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.streamIdleTimeout = .seconds(100)
        let server = ScriptedServer(stage) { _ in .stream() }
        let client = stage.connect()
        client.ask(.openStream())
        stage.run { client.current.hasHead }
        stage.run(for: .seconds(60))
        server.connections[0].perform(.chunk("data: x\n\n"))
        stage.run(for: .seconds(98))
        #expect(client.responses.isEmpty, "seed \(seed)")
        stage.run(within: .seconds(5)) { server.openConnections == 0 && client.responses.count == 1 }
        #expect(client.responses.count == 1, "the body ends properly, seed \(seed)")
        #expect(server.openConnections == 0)
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a server that ends its stream ends the client's cleanly; one that dies does not", arguments: seeds)
    func serverEnds(seed: UInt64) {
        for ends in [true, false] {
            let stage = ProxyStage(seed: seed)
            let server = ScriptedServer(stage) { _ in
                .stream("id: 1\ndata: a\n\n")
                    + (ends ? [.pause(.seconds(1)), .lastChunk] : [.pause(.seconds(1)), .reset])
            }
            let client = stage.connect()
            client.ask(.post(.call(1)))
            stage.run(within: .seconds(5)) { client.responses.count == 1 || client.isOver }
            #expect(client.responses.count == (ends ? 1 : 0), "seed \(seed)")
            #expect(client.isOver == !ends, "seed \(seed)")
            if ends {
                client.ask(.post(.call(2)))
                stage.run { client.responses.count == 2 }
                #expect(server.connections.count == 1, "the connection goes back to the pool, seed \(seed)")
            }
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("a stream with a Content-Length is passed on byte for byte", arguments: seeds)
    func counted(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        _ = ScriptedServer(stage) { _ in
            [
                .text("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 18\r\n\r\ndata: 1\n\n"),
                .pause(.seconds(40)), .text("data: 2\n\n"),
            ]
        }
        let client = stage.connect()
        client.ask(.openStream())
        stage.run(within: .seconds(60)) { client.responses.count == 1 }
        #expect(client.responses.first?.text == "data: 1\n\ndata: 2\n\n", "seed \(seed)")
        client.ask(.openStream())
        stage.run(within: .seconds(60)) { client.responses.count == 2 }
        #expect(client.responses.last?.text == "data: 1\n\ndata: 2\n\n", "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("streams are counted apart from calls, and bounded apart", arguments: seeds)
    func bounds(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.pool.maximum = 1
        stage.plan.pool.maximumStreams = 3
        let server = ScriptedServer(stage) { $0.method == "GET" ? .stream("data: x\n\n") : .reply("ok") }
        var clients: [ScriptedClient] = []
        for _ in 0..<5 {
            let client = stage.connect()
            client.ask(.openStream())
            stage.run { client.current.hasHead || client.responses.count == 1 }
            clients.append(client)
        }
        #expect(clients.map { $0.responses.first?.status ?? 200 } == [200, 200, 200, 503, 503], "seed \(seed)")
        #expect(clients.last?.responses.first?["retry-after"] == "5")
        #expect(clients.last?.responses.first?.text.contains("too_many_streams") == true)
        // Streams leave the one place for calls to calls.
        let caller = stage.connect()
        caller.ask(.post(.call(1)))
        stage.run(within: .seconds(1)) { caller.responses.count == 1 }
        #expect(caller.responses.first?.status == 200, "seed \(seed)")
        stage.expectGaugesMatch()
        #expect(stage.sum(.streaming) == 3)
        clients[0].leave()
        stage.run(for: .seconds(1))
        clients[4].ask(.openStream())
        stage.run { clients[4].current.hasHead }
        #expect(clients[4].current.status == 200, "seed \(seed)")
        #expect(server.openConnections >= 3)
        for client in clients + [caller] { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("a client that reads slowly slows its server down and is sent no comments", arguments: seeds)
    func slowReader(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let events = (0..<3000).map { "data: \($0)\n\n" }
        let server = ScriptedServer(stage) { _ in .stream() + events.map { .chunk($0) } }
        let client = stage.connect()
        client.peer.perform(.read(.slowly(bytes: 50, every: .milliseconds(20))))
        client.ask(.openStream())
        var most = 0
        stage.run(within: .seconds(300)) {
            most = max(most, stage.bufferedBytes)
            return client.current.body.count >= events.joined().utf8.count
        }
        #expect(client.current.text.replacing(":\n\n", with: "") == events.joined(), "seed \(seed)")
        #expect(most < 150_000, "held \(most) bytes")
        #expect(server.requests.count == 1)
        client.leave()
        stage.expectNoLeaks()
    }
}
