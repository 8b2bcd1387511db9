import HTTP
import Kernel
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// The time that the head of an HTTP/2 request may take: `timeouts.header`.
@Suite("HTTP/2 heads that drip")
struct HTTP2HeadTimeTests {
    static let seeds: ClosedRange<UInt64> = 1...4

    private static var block: [UInt8] {
        HeaderBlock.encode(
            [(":method", "GET"), (":scheme", "http"), (":authority", "mcp.test"), (":path", "/a")].map {
                HeaderField($0.0, $0.1)
            } + [HeaderField("x-long", String(repeating: "x", count: 200))])
    }

    /// What never becomes a whole head or frame in time.
    private static let drips: [(name: String, pieces: [[UInt8]])] = [
        ("a HEADERS frame", HTTP2Frame.head(block, stream: 1, ends: true).map { [$0] }),
        ("CONTINUATION frames", continuations(of: block)),
        ("a PING frame", HTTP2Frame.make(.ping, stream: 0, [UInt8](repeating: 7, count: 8)).map { [$0] }),
        ("a header of a frame", [0, 0, 8, 6, 0, 0, 0, 0].map { [$0] }),
    ]

    private static func continuations(of block: [UInt8]) -> [[UInt8]] {
        let frames = block.prefix(4).enumerated().map { index, byte in
            HTTP2Frame.make(index == 0 ? .headers : .continuation, flags: 0, stream: 1, [byte])
        }
        return frames
    }

    @Test("the connection ends when the head timeout has passed", arguments: seeds)
    func drip(seed: UInt64) {
        for (name, pieces) in Self.drips {
            let stage = ProxyStage(seed: seed)
            stage.listener.headTimeout = .seconds(5)
            _ = ScriptedServer(stage) { _ in .reply("ok") }
            let client = stage.connectHTTP2()
            stage.run(for: .seconds(20))
            for piece in pieces.prefix(30) {
                client.send(piece)
                client.peer.perform(.pause(.seconds(2)))
            }
            stage.run(for: .seconds(4))
            #expect(client.goAways.isEmpty && !client.isOver, "\(name), seed \(seed)")
            stage.run(within: .seconds(3)) { !client.goAways.isEmpty }
            #expect(client.goAways.map(\.code) == [HTTP2ErrorCode.enhanceYourCalm.rawValue], "\(name), seed \(seed)")
            #expect(stage.metrics.view.load(.slowHeads) == 1, "\(name), seed \(seed)")
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("heads that are whole in time are served, wherever the network cuts them", arguments: seeds)
    func cuts(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.listener.headTimeout = .seconds(5)
        let server = ScriptedServer(stage) { _ in .reply("ok") }
        let client = stage.connectHTTP2()
        let heads = (0..<8).flatMap { HTTP2Frame.head(Self.block, stream: 1 + 2 * $0, ends: true, piece: 100) }
        var rest = heads[...]
        while !rest.isEmpty {
            client.send(Array(rest.prefix(130)))
            client.peer.perform(.pause(.seconds(1)))
            rest = rest.dropFirst(130)
        }
        stage.run(within: .seconds(60)) { server.requests.count == 8 }
        #expect(server.requests.count == 8 && client.goAways.isEmpty, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }
}
