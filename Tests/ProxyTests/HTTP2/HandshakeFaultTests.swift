import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

@Suite("TLS handshakes that come to nothing")
struct HandshakeFaultTests {
    static let seeds: ClosedRange<UInt64> = 1...6

    private static func stage(_ seed: UInt64) -> ProxyStage {
        let stage = ProxyStage(seed: seed, PlainTests.everywhere[Int(seed % 3)])
        stage.addSecureListener()
        stage.addUpstream(servers: 1, isSecure: true)
        return stage
    }

    private static func broken(_ fault: BrokenHandshake.Fault) -> BrokenHandshake {
        BrokenHandshake(fault, client: ClientTLS.http1, server: ServerTLS.trusted)
    }

    @Test("a client's leaves nothing behind and is counted", arguments: seeds, BrokenHandshake.Fault.allCases)
    func client(seed: UInt64, fault: BrokenHandshake.Fault) {
        let stage = HandshakeFaultTests.stage(seed)
        stage.start()
        let peer = stage.network.connect(to: ProxyStage.secureFront, as: HandshakeFaultTests.broken(fault))
        stage.run(for: .seconds(15))
        #expect(stage.clientCount == 0, "after tls_timeout, seed \(seed): \(stage.inventory)")
        #expect(stage.metrics.view.load(.failedHandshakes) == 1, "seed \(seed)")
        peer.perform(.close)
        stage.expectNoLeaks("\(fault)")
    }

    @Test("a client that does not accept our certificate is heard and counted", arguments: seeds)
    func distrustful(seed: UInt64) {
        let stage = HandshakeFaultTests.stage(seed)
        let client = stage.connectSecurely(ClientTLS.distrustful)
        client.ask(.get())
        stage.run(within: .seconds(5)) { client.isOver && stage.clientCount == 0 }
        #expect(client.isOver && client.responses.isEmpty, "seed \(seed)")
        #expect(stage.metrics.view.load(.failedHandshakes) == 1, "seed \(seed)")
        stage.expectNoLeaks()
    }

    @Test("a server's costs an answer of 5xx in time", arguments: seeds, BrokenHandshake.Fault.allCases)
    func server(seed: UInt64, fault: BrokenHandshake.Fault) {
        let stage = HandshakeFaultTests.stage(seed)
        stage.network.serve(at: ProxyStage.server(1), as: HandshakeFaultTests.broken(fault))
        let client = stage.connect()
        client.ask(.post(.call(4), to: "/other"))
        stage.run(within: .seconds(30)) { client.responses.count == 1 }
        #expect([502, 503, 504].contains(client.responses.first?.status ?? 0), "seed \(seed)")
        #expect(client.responses.first?.text.contains(#""id":4,"#) == true, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks("\(fault)")
    }

    @Test("a server whose certificate does not verify is never asked", arguments: seeds)
    func untrusted(seed: UInt64) {
        let stage = HandshakeFaultTests.stage(seed)
        let server = ScriptedServer(stage, 1) { .reply($0.text) }
        server.tls = ServerTLS.untrusted
        let client = stage.connectHTTP2(isSecure: true)
        let stream = client.ask("POST", "/other", body: Array(String.call(4).utf8))
        stage.run(within: .seconds(30)) { client.isDone(stream) }
        #expect([502, 503].contains(client[stream].response.status), "seed \(seed)")
        #expect(server.requests.isEmpty, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }
}
