import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

@Suite("HTTP/2 and TLS on the simulated network")
struct HTTP2ClientTests {
    static let seeds: ClosedRange<UInt64> = 1...6
    /// Each of the conditions once, for what moves much.
    static let fewSeeds: ClosedRange<UInt64> = 1...3
    /// More than the client's window and the proxy's buffer take together.
    static let big = PlainTests.body(160_000, seed: 1)
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

    /// A connection with `count` streams on which big answers are under way.
    private static func busy(
        _ stage: ProxyStage, isSecure: Bool, count: UInt32 = 3
    ) -> (client: ScriptedHTTP2Client, streams: [UInt32]) {
        for index in [0, 1] {
            _ = ScriptedServer(stage, index) { message in
                message.target.hasSuffix("small") ? .reply("small") : .bytes(big)
            }
        }
        let client = stage.connectHTTP2(isSecure: isSecure)
        client.holdsWindows = true
        let streams = (0..<count).map { client.ask("GET", $0 % 2 == 0 ? "/mcp" : "/other") }
        stage.run(for: .seconds(2))
        return (client, streams)
    }

    @Test("windows that stay shut cost the stream after the idle timeout, and no other stream", arguments: fewSeeds)
    func shutWindows(seed: UInt64) {
        for isSecure in [false, true] {
            let stage = HTTP2ClientTests.stage(seed)
            let (client, streams) = HTTP2ClientTests.busy(stage, isSecure: isSecure)
            #expect(streams.allSatisfy { client[$0].response.hasHead && !client.isDone($0) }, "seed \(seed)")
            let small = client.ask("GET", "/mcp/small")
            stage.run { client.isDone(small) }
            #expect(client[small].response.text == "small", "while others stand still, seed \(seed)")
            // Twice the timeout: a stream that has taken something since its deadline was set gets another.
            stage.run(within: .seconds(170)) { streams.allSatisfy { client.isDone($0) } }
            let resets = streams.map { client[$0].reset }
            #expect(resets == [8, 8, 8], "TLS \(isSecure), seed \(seed): \(stage.inventory)")
            #expect(!client.isOver && !client.isBroken, "the connection stays, seed \(seed)")
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("windows that open again let all of the answers through", arguments: fewSeeds)
    func openedWindows(seed: UInt64) {
        let stage = HTTP2ClientTests.stage(seed)
        let (client, streams) = HTTP2ClientTests.busy(stage, isSecure: true)
        stage.run(for: .seconds(50))
        client.releaseWindows()
        stage.run(within: .seconds(100)) { streams.allSatisfy { client.isDone($0) } }
        #expect(
            streams.allSatisfy { client[$0].response.isComplete && client[$0].response.body == HTTP2ClientTests.big },
            "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test(
        "a body that goes on behind an answer that cannot be sent is thrown away, and nothing spins", arguments: seeds)
    func uploadBehindAnswer(seed: UInt64) {
        for isSecure in [false, true] {
            let stage = HTTP2ClientTests.stage(seed)
            stage.snapshot.listeners[isSecure ? 1 : 0].maximumRequestBody = 1000
            _ = ScriptedServer(stage) { .reply($0.text) }
            let client = stage.connectHTTP2(isSecure: isSecure, settings: [(.initialWindow, 0)])
            let body = [UInt8](repeating: 120, count: 4000)
            let upload = client.ask("POST", "/mcp", body: body, inPiecesOf: 500, every: .milliseconds(100))
            stage.run { client[upload].response.hasHead }
            let before = stage.turns
            stage.run(for: .seconds(10))
            #expect(stage.turns - before < 5000, "TLS \(isSecure), seed \(seed)")
            #expect(stage.bufferedBytes == 0, "TLS \(isSecure), seed \(seed)")
            client.releaseWindows()
            stage.run { client.isDone(upload) }
            let response = client[upload].response
            #expect(response.status == 413 && response.isComplete, "TLS \(isSecure), seed \(seed)")
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("a stream that is reset in mid-answer lets its server go, and the others go on", arguments: fewSeeds)
    func cancelling(seed: UInt64) {
        for isSecure in [false, true] {
            let stage = HTTP2ClientTests.stage(seed)
            let (client, streams) = HTTP2ClientTests.busy(stage, isSecure: isSecure)
            client.cancel(streams[0])
            client.cancel(streams[1])
            stage.run(within: .seconds(5)) { stage.exchangeCount == 1 }
            #expect(stage.exchangeCount == 1, "TLS \(isSecure), seed \(seed): \(stage.inventory)")
            client.releaseWindows()
            stage.run(within: .seconds(60)) { client.isDone(streams[2]) }
            #expect(client[streams[2]].response.isComplete, "TLS \(isSecure), seed \(seed)")
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("a connection that is lost with streams open lets all servers go", arguments: fewSeeds)
    func lostConnection(seed: UInt64) {
        for (isSecure, end) in [(false, SimulatedPeer.Action.reset), (true, .reset), (false, .close), (true, .close)] {
            let stage = HTTP2ClientTests.stage(seed)
            let (client, _) = HTTP2ClientTests.busy(stage, isSecure: isSecure, count: 8)
            client.peer.perform(end)
            stage.run(within: .seconds(5)) { stage.exchangeCount == 0 && stage.clientCount == 0 }
            #expect(stage.exchangeCount == 0, "TLS \(isSecure), seed \(seed): \(stage.inventory)")
            stage.expectNoLeaks()
        }
    }

    @Test("a quiet connection is told to go, then closed", arguments: seeds)
    func goAway(seed: UInt64) {
        for isSecure in [false, true] {
            let stage = HTTP2ClientTests.stage(seed)
            _ = ScriptedServer(stage) { .reply($0.text) }
            let client = stage.connectHTTP2(isSecure: isSecure)
            let first = client.ask("GET", "/mcp")
            // What crosses the notice on its way is served.
            var late: UInt32 = 0
            client.onGoAway = { if late == 0 { late = client.ask("GET", "/mcp") } }
            stage.run(within: .seconds(200)) { client.isOver }
            #expect(client[first].response.status == 200 && client.goAways.first?.code == 0, "seed \(seed)")
            #expect(client[late].response.status == 200, "TLS \(isSecure), seed \(seed)")
            #expect(client.isOver && client.goAways.count == 2, "TLS \(isSecure), seed \(seed)")
            #expect(client.goAways.last?.lastStream == late, "seed \(seed)")
            stage.expectNoLeaks()
        }
    }
}
