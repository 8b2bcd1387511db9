import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

@Suite("HTTP/2 and TLS on the simulated network")
struct HTTP2ClientTests {
    static let seeds: ClosedRange<UInt64> = 1...6
    static let everywhere: [Conditions] = [.varied, .calm, .cramped]

    private static func stage(_ seed: UInt64) -> ProxyStage {
        let stage = ProxyStage(seed: seed, everywhere[Int(seed % 3)])
        stage.addSecureListener()
        stage.addUpstream(servers: 1, isSecure: true)
        return stage
    }

    @Test(
        "a TLS client is served as a plain one is, by servers in clear and by servers that speak TLS", arguments: seeds)
    func secureClient(seed: UInt64) {
        let stage = HTTP2ClientTests.stage(seed)
        let servers = [0, 1].map { index in ScriptedServer(stage, index) { .reply("\(index) \($0.text)") } }
        for context in [ClientTLS.http1, ClientTLS.oldest] {
            let client = stage.connectSecurely(context)
            client.ask(.post(.call(1)))
            client.ask(.post(.call(2), to: "/other"))
            stage.run { client.responses.count == 2 || client.isOver }
            #expect(client.responses.map(\.text) == ["0 \(String.call(1))", "1 \(String.call(2))"], "seed \(seed)")
            client.leave()
        }
        #expect(servers[1].requests.count == 2, "seed \(seed)")
        #expect(servers[1].requests.last?["x-forwarded-proto"] == "https", "seed \(seed)")
        stage.expectNoLeaks()
    }

    @Test("streams side by side are each answered, in clear and over TLS", arguments: seeds)
    func streams(seed: UInt64) {
        for isSecure in [false, true] {
            let stage = HTTP2ClientTests.stage(seed)
            let big = PlainTests.body(40_000, seed: seed)
            for index in [0, 1] {
                _ = ScriptedServer(stage, index) {
                    $0.target.hasSuffix("big") ? .bytes(big) : .reply("\(index) \($0.text)")
                }
            }
            let client = stage.connectHTTP2(isSecure: isSecure)
            var small: [UInt32] = []
            for number in 0..<4 {
                let path = number % 2 == 0 ? "/mcp" : "/other"
                small.append(client.ask("POST", path, body: Array(String.call(number).utf8), inPiecesOf: 7))
            }
            let large = client.ask("GET", "/other/big")
            client.ping()
            stage.run(within: .seconds(60)) { client.isOver || (small + [large]).allSatisfy { client.isDone($0) } }

            let texts = small.map { client[$0].response.text }
            #expect(texts == (0..<4).map { "\($0 % 2) \(String.call($0))" }, "TLS \(isSecure), seed \(seed)")
            #expect(client[large].response.body == big, "TLS \(isSecure), seed \(seed)")
            #expect(!client.isBroken && client.pongs == 1, "TLS \(isSecure), seed \(seed)")
            stage.expectGaugesMatch()
            client.leave()
            stage.expectNoLeaks()
        }
    }
}
