import Kernel
import Simulation
import Testing

@testable import Proxy

/// Clients that take their answers slowly.
@Suite("Slow clients")
struct SlowClientTests {
    static let seeds: ClosedRange<UInt64> = 1...4

    private static func stage(_ seed: UInt64, _ kind: String, bytes: Int) -> ProxyStage {
        var conditions = Conditions.varied
        // What is in no buffer of the network is what the proxy sees.
        conditions.sendBufferBytes = 64...512
        conditions.peerReceiveBufferBytes = 64...512
        let stage = ProxyStage(seed: seed, conditions)
        stage.listener.idleTimeout = .seconds(10)
        stage.plan.readTimeout = .seconds(3_600)
        let body = String(repeating: kind.hasPrefix("text/") ? ":\n\n\n" : "    ", count: bytes / 4)
        _ = ScriptedServer(stage) { _ in
            [.text("HTTP/1.1 200 OK\r\nContent-Type: \(kind)\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)]
        }
        return stage
    }

    @Test("an answer that is taken in drips is broken off; one at a fair rate is not", arguments: seeds)
    func drip(seed: UInt64) {
        for (rate, isServed) in [(100, false), (4_000, true)] {
            let stage = Self.stage(seed, "application/json", bytes: 200_000)
            let client = stage.connect()
            client.peer.perform(.read(.slowly(bytes: rate / 100, every: .milliseconds(10))))
            client.ask(.post(.call(1)))
            stage.run { stage.worker?.clients.count == 1 }
            stage.run(within: .seconds(90)) { stage.worker?.clients.count == 0 || client.responses.count == 1 }
            #expect(client.responses.count == (isServed ? 1 : 0), "\(rate), seed \(seed)")
            #expect((stage.worker?.clients.count == 0) == !isServed, "\(rate), seed \(seed)")
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("an event stream may be taken as slowly as its client likes", arguments: seeds)
    func events(seed: UInt64) {
        let stage = Self.stage(seed, "text/event-stream", bytes: 200_000)
        let client = stage.connect()
        client.peer.perform(.read(.slowly(bytes: 25, every: .milliseconds(250))))
        client.ask(.post(.call(1)))
        stage.run(for: .seconds(90))
        #expect(stage.worker?.clients.count == 1, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("the same of HTTP/2 streams", arguments: seeds)
    func streams(seed: UInt64) {
        for (kind, rate, isServed) in [
            ("application/json", 100, false), ("application/json", 4_000, true), ("text/event-stream", 100, true),
        ] {
            let stage = Self.stage(seed, kind, bytes: 200_000)
            let client = stage.connectHTTP2(settings: [(.initialWindow, 100)])
            let stream = client.ask("POST", "/mcp", [], body: Array("{}".utf8))
            client.stalled = [stream]
            for _ in 0..<80 where !client.isDone(stream) {
                client.openWindow(stream, by: rate)
                stage.run(for: .seconds(1))
            }
            #expect((client[stream].reset == nil) == isServed, "\(kind) \(rate), seed \(seed)")
            client.leave()
            stage.expectNoLeaks()
        }
    }
}
