import Kernel
import Simulation
import Testing

@testable import Proxy

@Suite("Clients that leave")
struct ClientCloseTests {
    /// How far the request has come when its client goes.
    enum Stage: String, CaseIterable {
        case idle, head, body, connecting, queued, uploading, waiting, partialHead, relaying, streaming, legacyPending,
            blocked
    }

    enum Manner: CaseIterable { case close, reset }

    @Test("the server's side is closed within 100 ms, whatever was under way", arguments: Stage.allCases)
    func leaves(at point: Stage) {
        for manner in Manner.allCases {
            for seed in UInt64(1)...6 {
                let stage = ProxyStage(seed: seed)
                stage.plan.pool.maximum = 1
                let server = ScriptedServer(stage) { _ in ClientCloseTests.answer(at: point) }
                if point == .connecting { stage.network.swallow(at: server.address) }
                var blocker: ScriptedClient?
                if point == .queued {
                    blocker = stage.connect()
                    blocker?.ask(.post(.call(0)))
                    stage.run { server.requests.count == 1 }
                }
                let client = stage.connect()
                client.peer.perform(ClientCloseTests.request(at: point))
                stage.run(for: .seconds(3))
                #expect(stage.clientCount == (blocker == nil ? 1 : 2), "\(point), seed \(seed)")
                blocker?.leave()
                if blocker != nil { stage.run { stage.exchangeCount == 0 } }
                client.peer.perform(manner == .close ? .close : .reset)
                stage.run(within: .milliseconds(100)) {
                    stage.clientCount == 0 && stage.exchangeCount == 0
                        && (server.openConnections == 0 || point == .idle)
                }
                #expect(stage.exchangeCount == 0, "\(point), \(manner), seed \(seed)")
                #expect(stage.clientCount == 0, "\(point), \(manner), seed \(seed)")
                if point != .idle { #expect(server.openConnections == 0, "\(point), \(manner), seed \(seed)") }
                stage.expectNoLeaks("\(point)")
            }
        }
    }

    private static func request(at point: Stage) -> [SimulatedPeer.Action] {
        switch point {
        case .idle: []
        case .head: [.text("POST /mcp HT")]
        case .body: [.text("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")]
        case .uploading: [.text("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\nab")]
        case .blocked: [.read(.never), .text(.get("/big"))]
        case .legacyPending, .streaming: [.text(.openStream("/sse"))]
        case .connecting, .queued, .waiting, .partialHead, .relaying: [.text(.post(.call(1)))]
        }
    }

    private static func answer(at point: Stage) -> [SimulatedPeer.Action] {
        switch point {
        case .partialHead: [.text("HTTP/1.1 200 OK\r\nConte")]
        case .relaying: [.text("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome")]
        case .streaming: .stream("data: 1\n\n")
        case .legacyPending: .stream("event: endpo")
        case .blocked: .bytes(PlainTests.body(300_000, seed: 1))
        default: []
        }
    }

    @Test("a client that asks and leaves in one breath is gone all the same", arguments: 1...20)
    func asksAndLeaves(seed: UInt64) {
        for conditions in [Conditions.varied, .calm] {
            let stage = ProxyStage(seed: seed, conditions)
            let server = ScriptedServer(stage) { _ in [] }
            let client = stage.connect()
            client.peer.perform(.text(.post(.call(1))), .close)
            stage.run(for: .milliseconds(200))
            #expect(stage.exchangeCount == 0, "seed \(seed)")
            #expect(server.openConnections == 0, "seed \(seed)")
            stage.expectNoLeaks()
        }
    }
}
