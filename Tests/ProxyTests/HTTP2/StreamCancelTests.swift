import HTTP
import Kernel
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

@Suite("Streams that are cancelled")
struct StreamCancelTests {
    /// How far the request has come when it is cancelled.
    enum Point: String, CaseIterable {
        case queued, connecting, uploading, waiting, partialHead, relaying, streaming, legacyPending
    }

    enum Manner: CaseIterable { case reset, connectionLost }

    /// For requests of 2026-07-28 this is how a call is cancelled; for older ones the server must know that the stream is
    /// free.
    @Test("the server learns of it within 20 ms, however far the request has come", arguments: Point.allCases)
    func cancelled(at point: Point) {
        for manner in Manner.allCases {
            for seed in UInt64(1)...4 { check(point, manner, seed) }
        }
    }

    private func check(_ point: Point, _ manner: Manner, _ seed: UInt64) {
        let stage = ProxyStage(seed: seed, .calm)
        stage.plan.pool.maximum = 1
        let server = ScriptedServer(stage) { message in
            message.text.contains("block") ? [.pause(.seconds(30))] + .reply("late") : Self.answer(at: point)
        }
        if point == .connecting { stage.network.swallow(at: server.address) }
        var blocker: ScriptedClient?
        if point == .queued {
            blocker = stage.connect()
            blocker?.ask(.post("block"))
            stage.run { server.requests.count == 1 }
        }
        let client = stage.connectHTTP2()
        let stream = ask(client, at: point)
        stage.run(for: .seconds(2))
        #expect(stage.exchangeCount == (blocker == nil ? 1 : 2), "\(point), seed \(seed)")
        #expect(stage.sum(.waiting) == (point == .queued ? 1 : 0), "\(point), seed \(seed)")
        let before = server.requests.count
        switch manner {
        case .reset: client.cancel(stream)
        case .connectionLost: client.peer.perform(.reset)
        }
        let isGone = stage.run(within: .milliseconds(20)) {
            stage.exchangeCount == (blocker == nil ? 0 : 1)
                && (blocker != nil || server.openConnections == 0)
        }
        #expect(isGone, "\(point), \(manner), seed \(seed): \(stage.inventory)")
        #expect(stage.sum(.waiting) == 0 && stage.waitingExchanges == 0, "\(point), \(manner), seed \(seed)")
        // Nobody executes what nobody waits for.
        if point == .connecting { server.listen() }
        blocker?.leave()
        stage.run(for: .seconds(3))
        #expect(server.requests.count == before, "\(point), \(manner), seed \(seed)")
        client.leave()
        stage.expectNoLeaks("\(point), \(manner)")
    }

    private func ask(_ client: ScriptedHTTP2Client, at point: Point) -> UInt32 {
        switch point {
        case .streaming, .legacyPending:
            client.ask("GET", "/sse", [HeaderField("accept", "text/event-stream")])
        case .uploading:
            client.ask(
                "POST", "/mcp", body: [UInt8](repeating: 120, count: 4_000_000), inPiecesOf: 20_000,
                every: .milliseconds(100))
        default:
            client.ask(
                "POST", "/mcp", [HeaderField("mcp-protocol-version", "2026-07-28")], body: Array(String.call(1).utf8))
        }
    }

    private static func answer(at point: Point) -> [SimulatedPeer.Action] {
        switch point {
        case .partialHead: [.text("HTTP/1.1 200 OK\r\nConte")]
        case .relaying: [.text("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome")]
        case .streaming: .stream("data: 1\n\n")
        case .legacyPending: .stream("event: endpo")
        default: []
        }
    }
}
