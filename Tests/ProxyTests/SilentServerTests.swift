import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

/// Servers that stop talking in the middle of something, and clients that stop reading.
@Suite("Silent servers")
struct SilentServerTests {
    static let seeds: ClosedRange<UInt64> = 1...3
    private static let head = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"

    @Test("a body that stands still for the read timeout is broken off, and its connection is closed", arguments: seeds)
    func stalledBody(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.readTimeout = .seconds(60)
        let server = ScriptedServer(stage) { _ in [.text(Self.head + "half")] }
        let client = stage.connect()
        client.ask(.post(.call(1)))
        stage.run(for: .seconds(55))
        #expect(!client.isOver && client.current.text == "half", "seed \(seed)")
        stage.run(within: .seconds(10)) { client.isOver && server.openConnections == 0 }
        #expect(client.isOver && client.responses.isEmpty, "the client cannot take it for the whole, seed \(seed)")
        #expect(server.openConnections == 0, "seed \(seed)")
        #expect(stage.sum(.badGateway) == 1 && stage.sum(.timedOut) == 0, "counted once, seed \(seed)")
        stage.expectNoLeaks()
    }

    @Test("a body that comes slowly, a piece before each timeout, comes whole", arguments: seeds)
    func slowBody(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.readTimeout = .seconds(60)
        _ = ScriptedServer(stage) { _ in
            [.text(Self.head)] + (0..<4).flatMap { [.pause(.seconds(50)), .text("\($0)\($0)")] }
        }
        let client = stage.connect()
        client.ask(.post(.call(1)))
        stage.run(within: .seconds(300)) { client.responses.count == 1 || client.isOver }
        #expect(client.responses.first?.text == "00112233", "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("the time in which the client takes nothing is not the server's", arguments: seeds)
    func slowClient(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.readTimeout = .seconds(10)
        stage.listener.idleTimeout = .seconds(100)
        let body = PlainTests.body(2_000_000, seed: seed)
        _ = ScriptedServer(stage) { _ in .bytes(body) }
        let client = stage.connect()
        client.peer.perform(.read(.never))
        client.ask(.post(.call(1)))
        stage.run(for: .seconds(60))
        client.peer.perform(.read(.atOnce))
        stage.run(within: .seconds(60)) { client.responses.count == 1 || client.isOver }
        #expect(client.responses.first?.body == body, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("an event stream is silent for as long as it likes, but one whose server vanished ends", arguments: seeds)
    func eventStream(seed: UInt64) {
        for vanishes in [false, true] {
            let stage = ProxyStage(seed: seed)
            stage.plan.readTimeout = .seconds(20)
            let server = ScriptedServer(stage) { _ in .stream("data: one\n\n") }
            let client = stage.connect()
            client.ask(.openStream())
            stage.run { client.current.text.contains("one") }
            if vanishes { server.connections[0].perform(.vanish) }
            stage.run(for: .seconds(70))
            #expect(client.isOver == vanishes, "seed \(seed)")
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("no comment is sent for a server that is down, and they come again with it", arguments: seeds)
    func heartbeats(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { _ in .stream("data: one\n\n") }
        let client = stage.connect()
        client.ask(.openStream())
        stage.run { client.current.text.contains("one") }
        func comments(in interval: Interval) -> Int {
            let before = client.current.text.utf8.count
            stage.run(for: interval)
            return (client.current.text.utf8.count - before) / 3
        }
        #expect(comments(in: .seconds(50)) == 3, "seed \(seed)")
        stage.markUnhealthy(0)
        #expect(comments(in: .seconds(50)) == 0, "seed \(seed)")
        #expect(client.peer.isOpen && server.openConnections == 1, "the stream goes on, seed \(seed)")
        stage.markHealthy(0)
        #expect(comments(in: .seconds(50)) == 3, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("calls and streams of a server that goes down go on, or end at once, as on_down says", arguments: seeds)
    func onDown(seed: UInt64) {
        for ends in [false, true] {
            let stage = ProxyStage(seed: seed, servers: 2)
            stage.plan.healthCheck.onDown = ends ? .close : .keep
            stage.plan.healthCheck.kind = .http
            var isHung = false
            for index in [0, 1] {
                _ = ScriptedServer(stage, index) { message in
                    if message.target == "/healthz" { return isHung && index == 0 ? [] : .reply("") }
                    return message.method == "GET"
                        ? .stream("data: \(index)\n\n") : [.pause(.seconds(30))] + .reply("late")
                }
            }
            stage.start(healthChecks: true)
            let streams = (0..<4).map { _ in stage.connect() }
            for client in streams { client.ask(.openStream()) }
            stage.run { streams.allSatisfy { $0.current.text.contains("data") } }
            let calls = (0..<2).map { _ in stage.connect() }
            for client in calls { client.ask(.post(.call(1))) }
            isHung = true
            stage.run(for: .seconds(12))
            let ofTheHung = streams.filter { $0.current.text.contains("data: 0") }
            #expect(stage.isHealthy == [false, true] && ofTheHung.count == 2, "seed \(seed)")
            #expect(streams.filter(\.isOver).count == (ends ? 2 : 0), "seed \(seed)")
            #expect(ofTheHung.allSatisfy { $0.isOver == ends }, "seed \(seed)")
            stage.run(for: .seconds(30))
            let answers = calls.flatMap(\.responses).map(\.status).sorted()
            #expect(answers == (ends ? [200, 502] : [200, 200]), "seed \(seed)")
            for client in streams + calls { client.leave() }
            stage.run(for: .seconds(1))
            #expect(stage.exchangeCount == 0 && stage.clientCount == 0, "seed \(seed)")
            stage.expectGaugesMatch()
        }
    }
}
