import Kernel
import Simulation
import Testing

@testable import Proxy

/// Peers that from some moment on neither answer nor close nor acknowledge anything.
@Suite("Peers that vanish")
struct VanishTests {
    static let seeds: ClosedRange<UInt64> = 1...6

    /// In clear, over TLS, in HTTP/2 and in HTTP/2 over TLS.
    enum Way: CaseIterable { case http1, tls, http2, http2OverTLS }

    private static func stage(_ seed: UInt64) -> ProxyStage {
        let stage = ProxyStage(seed: seed, PlainTests.everywhere[Int(seed % 3)])
        stage.addSecureListener()
        stage.addUpstream(servers: 1, isSecure: true)
        for index in stage.snapshot.upstreams.indices {
            stage.snapshot.upstreams[index].firstByteTimeout = .seconds(20)
            stage.snapshot.upstreams[index].streamIdleTimeout = .seconds(40)
        }
        return stage
    }

    /// A client that asks for `path`, and what became of it: its response, and whether its connection or stream is over.
    private func ask(_ stage: ProxyStage, _ way: Way, _ path: String) -> (
        peer: SimulatedPeer, outcome: () -> (response: Message, isOver: Bool)
    ) {
        switch way {
        case .http1, .tls:
            let client = way == .tls ? stage.connectSecurely() : stage.connect()
            client.ask(.post(.call(1), to: path))
            return (client.peer, { (client.responses.first ?? client.current, client.isOver) })
        case .http2, .http2OverTLS:
            let client = stage.connectHTTP2(isSecure: way == .http2OverTLS)
            let stream = client.ask("POST", path, body: Array(String.call(1).utf8))
            return (client.peer, { (client[stream].response, client.isDone(stream)) })
        }
    }

    @Test("a server that vanishes with a request costs 504", arguments: seeds, Way.allCases)
    func beforeTheHead(seed: UInt64, way: Way) {
        for path in ["/mcp", "/other"] {
            let stage = VanishTests.stage(seed)
            for index in [0, 1] { _ = ScriptedServer(stage, index) { _ in [.vanish] } }
            let (peer, outcome) = ask(stage, way, path)
            stage.run(within: .seconds(30)) { outcome().response.isComplete }
            #expect(outcome().response.status == 504, "\(path), seed \(seed)")
            peer.perform(.close)
            stage.expectNoLeaks("\(way) \(path)")
        }
    }

    @Test("a server that vanishes in the handshake is given up after connect_timeout", arguments: seeds, Way.allCases)
    func inTheHandshake(seed: UInt64, way: Way) {
        let stage = VanishTests.stage(seed)
        stage.network.serve(
            at: ProxyStage.server(1),
            as: BrokenHandshake(.vanish, client: ClientTLS.http1, server: ServerTLS.trusted))
        let (peer, outcome) = ask(stage, way, "/other")
        stage.run(within: .seconds(30)) { outcome().response.isComplete }
        #expect([502, 503, 504].contains(outcome().response.status), "\(outcome().response.startLine), seed \(seed)")
        peer.perform(.close)
        stage.expectNoLeaks("\(way)")
    }

    @Test("a server that vanishes in mid-stream is given up after stream_idle", arguments: seeds, Way.allCases)
    func inTheStream(seed: UInt64, way: Way) {
        for path in ["/mcp", "/other"] {
            let stage = VanishTests.stage(seed)
            for index in [0, 1] {
                _ = ScriptedServer(stage, index) { _ in .stream("data: one\n\n") + [.pause(.seconds(5)), .vanish] }
            }
            let (peer, outcome) = ask(stage, way, path)
            stage.run(within: .seconds(60)) { outcome().isOver || outcome().response.isComplete }
            #expect(outcome().response.text.contains("data: one"), "\(path), seed \(seed)")
            let isOver = outcome().isOver || outcome().response.isComplete
            #expect(isOver, "\(path), seed \(seed)")
            peer.perform(.close)
            stage.expectNoLeaks("\(way) \(path)")
        }
    }

    @Test("a server that vanishes in mid-body is given up within a minute", arguments: seeds, Way.allCases)
    func inTheBody(seed: UInt64, way: Way) {
        for path in ["/mcp", "/other"] {
            let stage = VanishTests.stage(seed)
            for index in [0, 1] {
                _ = ScriptedServer(stage, index) { _ in
                    [.text("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), .pause(.seconds(5)), .vanish]
                }
            }
            let (peer, outcome) = ask(stage, way, path)
            stage.run(within: .seconds(70)) { outcome().isOver }
            let isOver = outcome().isOver
            #expect(isOver, "\(way) \(path)")
            peer.perform(.close)
            stage.expectNoLeaks("\(way) \(path)")
        }
    }

    @Test(
        "a client that vanishes with its request, or in mid-answer, leaves nothing behind", arguments: seeds,
        Way.allCases)
    func client(seed: UInt64, way: Way) {
        for path in ["/mcp", "/other", "/mcp/stream"] {
            for delay in [0, 1, 5, 300] as [UInt64] {
                let stage = VanishTests.stage(seed)
                for index in [0, 1] {
                    _ = ScriptedServer(stage, index) { message in
                        if message.target.hasSuffix("stream") { return .stream("data: one\n\n", "data: two\n\n") }
                        return [.pause(.milliseconds(5))] + .bytes([UInt8](repeating: 7, count: 50_000))
                    }
                }
                let (peer, _) = ask(stage, way, path)
                stage.network.after(.milliseconds(delay)) { peer.perform(.vanish) }
                stage.run(for: .seconds(200))
                stage.expectNoLeaks("\(way) \(path) after \(delay) ms")
            }
        }
    }
}
