import HTTP
import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

/// Requests whose bodies come slowly, or are not wanted.
@Suite("Uploads")
struct UploadTests {
    static let seeds: ClosedRange<UInt64> = 1...4

    private static func head(_ field: String) -> String { "POST /mcp HTTP/1.1\r\nHost: h\r\n\(field)\r\n\r\n" }

    /// A body of `count` bytes that comes in pieces.
    private static func pieces(_ count: Int, of size: Int, every interval: Interval) -> [SimulatedPeer.Action] {
        (0..<(count / size)).flatMap { _ in
            [.send([UInt8](repeating: 0x61, count: size)), .pause(interval)]
        }
    }

    @Test(
        "an upload that the server stops reading is the server's fault: 504, and not before its time", arguments: seeds)
    func stalledServer(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.listener.bodyTimeout = .seconds(10)
        stage.plan.readTimeout = .seconds(40)
        stage.network.serve(at: ProxyStage.server(0)) { $0.perform(.read(.never)) }
        let client = stage.connect()
        client.ask(Self.head("Content-Length: 6000000"))
        for _ in 0..<60 { client.peer.perform(.send([UInt8](repeating: 0x61, count: 100_000))) }
        stage.run(for: .seconds(30))
        #expect(client.responses.isEmpty, "seed \(seed)")
        stage.run(within: .seconds(30)) { client.responses.count == 1 }
        #expect(client.responses.first?.status == 504, "seed \(seed)")
        #expect(stage.sum(.timedOut) == 1, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a client that stops sending is at fault: 408", arguments: seeds)
    func stalledClient(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.listener.bodyTimeout = .seconds(10)
        _ = ScriptedServer(stage) { .reply($0.text) }
        let client = stage.connect()
        client.ask(Self.head("Content-Length: 200000"))
        client.peer.perform(.send([UInt8](repeating: 0x61, count: 100_000)))
        stage.run(within: .seconds(20)) { client.responses.count == 1 }
        #expect(client.responses.first?.status == 408, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a body that drips, a byte before each timeout, is given up; one at a fair rate is not", arguments: seeds)
    func drip(seed: UInt64) {
        for (size, isServed) in [(1, false), (20_000, true)] {
            let stage = ProxyStage(seed: seed)
            stage.listener.bodyTimeout = .seconds(10)
            _ = ScriptedServer(stage) { .reply("\($0.body.count)") }
            let client = stage.connect()
            client.ask(Self.head("Content-Length: 200000"))
            let drips: [SimulatedPeer.Action] = Self.pieces(10 * size, of: size, every: .seconds(9))
            for action in drips { client.peer.perform(action) }
            stage.run(within: .seconds(200)) { client.responses.count == 1 }
            #expect(client.responses.first?.status == (isServed ? 200 : 408), "\(size), seed \(seed)")
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("a gathered body that drips is given up too, counted or chunked", arguments: seeds)
    func gatheredDrip(seed: UInt64) {
        let bodies: [(field: String, piece: String)] = [
            ("Content-Length: 60000", "x"), ("Transfer-Encoding: chunked", "1\r\nx\r\n"),
        ]
        for (field, piece) in bodies {
            let stage = ProxyStage(seed: seed)
            stage.listener.bodyTimeout = .seconds(4)
            let server = ScriptedServer(stage) { .reply($0.text) }
            let client = stage.connect()
            client.ask(Self.head(field))
            for _ in 0..<30 {
                client.peer.perform(.text(piece))
                client.peer.perform(.pause(.seconds(1)))
            }
            stage.run(within: .seconds(8)) { client.responses.count == 1 }
            #expect(client.responses.first?.status == 408, "\(field), seed \(seed)")
            #expect(server.requests.isEmpty)
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("uploads do not take the last connections to a server: calls go on beside them", arguments: seeds)
    func lastPlaces(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.pool.maximum = 4
        let server = ScriptedServer(stage) { .reply("\($0.body.count)") }
        let uploads = (0..<5).map { _ in stage.connect() }
        for client in uploads {
            client.ask(Self.head("Content-Length: 200000"))
            client.peer.perform(.send([UInt8](repeating: 0x61, count: 70_000)))
        }
        stage.run(for: .seconds(2))
        #expect(server.openConnections == 3, "seed \(seed)")
        let caller = stage.connect()
        caller.ask(.post(.call(1)))
        stage.run(within: .seconds(2)) { caller.responses.count == 1 }
        #expect(caller.responses.first?.status == 200, "seed \(seed)")
        for client in uploads { client.peer.perform(.send([UInt8](repeating: 0x61, count: 130_000))) }
        stage.run(within: .seconds(9)) { uploads.allSatisfy { $0.responses.count == 1 } }
        #expect(uploads.allSatisfy { $0.responses.first?.text == "200000" }, "seed \(seed)")
        for client in uploads + [caller] { client.leave() }
        stage.expectNoLeaks()
        let left = stage.worker?.uploads
        #expect(left == 0, "seed \(seed)")
    }

    @Test("what was admitted goes on when a reload lowers the limit", arguments: seeds, [100_000, 600_000])
    func loweredLimit(seed: UInt64, size: Int) throws {
        let stage = ProxyStage(seed: seed)
        _ = ScriptedServer(stage) { .reply("\($0.body.count)") }
        let client = stage.connect()
        client.ask(Self.head("Content-Length: \(size)"))
        client.peer.perform(.send([UInt8](repeating: 0x61, count: size / 2)))
        stage.run(for: .seconds(1))
        try stage.reload { $0.listeners[0].maximumRequestBody = 1_000 }
        client.peer.perform(.send([UInt8](repeating: 0x61, count: size - size / 2)))
        stage.run(within: .seconds(9)) { client.responses.count == 1 }
        #expect(client.responses.first?.text == "\(size)", "seed \(seed)")
        client.ask(Self.head("Content-Length: 1001"))
        stage.run(within: .seconds(9)) { client.responses.count == 2 }
        #expect(client.responses.last?.status == 413, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a small chunked body takes no server connection before it is complete", arguments: seeds)
    func gatheredChunks(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { .reply($0.text) }
        let client = stage.connect()
        client.ask(Self.head("Transfer-Encoding: chunked"))
        // The blank lines within a chunk end nothing.
        client.peer.perform(.text("9\r\nab\r\n\r\ncde\r\n"))
        stage.run(for: .seconds(5))
        #expect(server.requests.isEmpty && server.openConnections == 0, "seed \(seed)")
        client.peer.perform(.text("3\r\nfgh\r\n0\r\nx-sum: 1\r\n"))
        stage.run(for: .seconds(5))
        #expect(server.requests.isEmpty && server.openConnections == 0, "seed \(seed)")
        client.peer.perform(.text("\r"), .text("\n"))
        stage.run { client.responses.count == 1 }
        #expect(client.responses.first?.text == "ab\r\n\r\ncdefgh", "seed \(seed)")
        // One that is large goes on as it comes.
        client.ask(Self.head("Transfer-Encoding: chunked"))
        client.peer.perform(.text("11170\r\n"), .send([UInt8](repeating: 0x61, count: 70_000)))
        stage.run(within: .seconds(10)) { server.openConnections == 1 }
        #expect(server.openConnections == 1, "seed \(seed)")
        client.peer.perform(.text("\r\n0\r\n\r\n"))
        stage.run { client.responses.count == 2 }
        #expect(client.responses.last?.body.count == 70_000, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a chunked request is followed by the next on its connection", arguments: seeds)
    func pipelinedChunks(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        _ = ScriptedServer(stage) { .reply($0.text) }
        let client = stage.connect()
        for number in 0..<4 { client.ask(Self.head("Transfer-Encoding: chunked") + "2\r\n#\(number)\r\n0\r\n\r\n") }
        stage.run { client.responses.count == 4 }
        #expect(client.responses.map(\.text) == ["#0", "#1", "#2", "#3"], "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("an early answer is not lost to a client that sends on for long, within bounds", arguments: seeds)
    func earlyAnswer(seed: UInt64) {
        // Time for an upload of 10 s; a drip and a flood, both without end, are cut off.
        let cases: [(size: Int, every: Interval, count: Int, isHeardOut: Bool)] = [
            (100_000, .milliseconds(500), 20, true), (1, .milliseconds(1_500), 100, false),
            (1_000_000, .milliseconds(100), 100, false),
        ]
        for (size, interval, count, isHeardOut) in cases {
            let stage = ProxyStage(seed: seed)
            stage.listener.maximumRequestBody = 1_000
            _ = ScriptedServer(stage) { .reply($0.text) }
            let client = stage.connect()
            client.ask(Self.head("Content-Length: 100000000"))
            for action in Self.pieces(size * count, of: size, every: interval) { client.peer.perform(action) }
            stage.run(for: .seconds(9))
            #expect(client.responses.first?.status == 413, "seed \(seed)")
            if isHeardOut {
                #expect(stage.clientCount == 1, "still reading, seed \(seed)")
                stage.run(for: .seconds(5))
                #expect(client.peer.failure == nil, "seed \(seed)")
            } else {
                stage.run(for: .seconds(70))
            }
            #expect(stage.clientCount == 0, "\(size) seed \(seed)")
            stage.expectNoLeaks()
        }
    }

    @Test(
        "over HTTP/2 the rest of a refused upload is read and thrown away, not reset", arguments: seeds, [false, true])
    func earlyAnswerOfStream(seed: UInt64, isSecure: Bool) {
        let stage = ProxyStage(seed: seed)
        stage.addSecureListener()
        stage.snapshot.listeners[isSecure ? 1 : 0].maximumRequestBody = 1_000
        _ = ScriptedServer(stage) { .reply($0.text) }
        let client = stage.connectHTTP2(isSecure: isSecure)
        let body = [UInt8](repeating: 0x61, count: 300_000)
        let upload = client.ask("POST", "/mcp", body: body, inPiecesOf: 10_000, every: .milliseconds(300))
        stage.run(within: .seconds(5)) { client[upload].response.isComplete }
        #expect(client[upload].response.status == 413, "seed \(seed)")
        stage.run(for: .seconds(12))
        #expect(client[upload].reset == nil, "TLS \(isSecure), seed \(seed)")
        #expect(!client.isOver && !client.isBroken, "seed \(seed)")
        let next = client.ask("POST", "/mcp", body: Array("next".utf8))
        stage.run { client.isDone(next) }
        #expect(client[next].response.text == "next", "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }
}

@Suite("Linger budget")
struct LingerBudgetTests {
    @Test("bytes and renewals are bounded, each by itself")
    func bounds() {
        var budget = LingerBudget.full
        var renewals = 0
        while budget.renew() == .granted { renewals += 1 }
        #expect(renewals == 30)
        var pieces = 0
        while budget.spend(bytes: 65_536) == .granted { pieces += 1 }
        #expect(pieces == 1_023)
        #expect(budget.spend(bytes: 0) == .exhausted && budget.renew() == .exhausted)
        budget = .full
        #expect(budget.spend(bytes: .max) == .exhausted)
        budget = .full
        pieces = 0
        while budget.spend(bytes: 1) == .granted { pieces += 1 }
        #expect(pieces == 65_535)
    }
}
