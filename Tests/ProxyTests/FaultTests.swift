import Kernel
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

@Suite("Servers and clients that fail")
struct FaultTests {
    static let seeds: ClosedRange<UInt64> = 1...10

    // MARK: Connecting

    @Test("a refused connection costs no request while another server is there", arguments: seeds)
    func refusedOnce(seed: UInt64) {
        let stage = ProxyStage(seed: seed, servers: 2)
        stage.plan.healthCheck.fall = 3
        let server = ScriptedServer(stage, 1) { .reply($0.text) }
        let client = stage.connect()
        for number in 0..<6 {
            client.ask(.post(.call(number)))
            stage.run { client.responses.count > number }
        }
        #expect(client.responses.map(\.status) == [200, 200, 200, 200, 200, 200], "seed \(seed)")
        #expect(server.requests.count == 6)
        #expect(stage.isHealthy == [false, true])
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("with no server at all the client is told so, with its id", arguments: seeds)
    func allRefused(seed: UInt64) {
        let stage = ProxyStage(seed: seed, servers: 2)
        let client = stage.connect()
        for number in 0..<8 {
            client.ask(.post(.call(70 + number)))
            stage.run { client.responses.count > number }
        }
        #expect(client.responses.count == 8, "seed \(seed)")
        #expect(client.responses.allSatisfy { $0.status == 502 || $0.status == 503 })
        for (number, response) in client.responses.enumerated() {
            #expect(response.text.contains(#""id":\#(70 + number),"#), "seed \(seed)")
            #expect(response.text.contains("-32603"))
        }
        let last = client.responses.last
        #expect(last?.status == 503, "once all are known to be down, seed \(seed)")
        #expect(last?["retry-after"] == "1")
        #expect(last?["content-type"] == "application/json")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a server that does not answer the SYN is given up after connect_timeout", arguments: seeds)
    func swallowed(seed: UInt64) {
        let stage = ProxyStage(seed: seed, servers: 2)
        stage.network.swallow(at: ProxyStage.server(0))
        let server = ScriptedServer(stage, 1) { .reply($0.text) }
        let client = stage.connect()
        let began = stage.network.now
        client.ask(.post(.call(0)))
        stage.run { client.responses.count == 1 }
        #expect(client.responses.map(\.status) == [200], "seed \(seed)")
        #expect(server.requests.count == 1)
        #expect(client.lastReceived.nanoseconds - began.nanoseconds < 6_000_000_000, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("running out of descriptors is our fault, not the servers', and ends no session", arguments: seeds)
    func outOfDescriptors(seed: UInt64) {
        var conditions = Conditions.varied
        conditions.descriptorLimit = 4
        let stage = ProxyStage(seed: seed, conditions)
        let server = SessionServer(stage, 0)
        let first = stage.connect()
        first.ask(.post(.call(0, "initialize")))
        stage.run { first.responses.count == 1 }
        let session = first.responses.first?["mcp-session-id"] ?? ""
        // The listener, the first client, its parked connection, and this one: the next dial finds no descriptor.
        let second = stage.connect()
        server.holds = true
        first.ask(.post(.call(1), session: session))
        stage.run { server.calls == 1 }
        second.ask(.post(.call(2), session: session))
        stage.run { second.responses.count == 1 }

        #expect(second.responses.first?.status != 404, "the session lives, seed \(seed)")
        #expect((second.responses.first?.status ?? 0) >= 500, "seed \(seed)")
        #expect(stage.isHealthy == [true], "seed \(seed)")
        first.leave()
        second.leave()
        stage.expectNoLeaks()
    }

    // MARK: Before the head

    @Test("a server that resets before its head costs 502, and the call is not made twice", arguments: seeds)
    func resetBeforeHead(seed: UInt64) {
        for finishes in [false, true] {
            let stage = ProxyStage(seed: seed, servers: 2)
            let servers = (0..<2).map { ScriptedServer(stage, $0) { _ in [finishes ? .close : .reset] } }
            let client = stage.connect()
            client.ask(.post(.call(9)))
            stage.run { client.responses.count == 1 }

            #expect(client.responses.first?.status == 502, "seed \(seed)")
            #expect(client.responses.first?.text.contains(#""id":9"#) == true)
            #expect(servers.reduce(0) { $0 + $1.requests.count } == 1, "seed \(seed)")
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("a connection that the server closed while it was parked loses no request", arguments: seeds)
    func closedWhileParked(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { .reply($0.text) + [.pause(.seconds(2)), .close] }
        let client = stage.connect()
        for number in 0..<4 {
            client.ask(.post(.call(number)))
            stage.run { client.responses.count > number }
            stage.run(for: .seconds(3))
        }
        #expect(client.responses.map(\.status) == [200, 200, 200, 200], "seed \(seed)")
        #expect(server.requests.count == 4)
        client.leave()
        stage.expectNoLeaks()
    }

    /// The server closes its parked connection within the same fractions of a millisecond in which the next request
    /// goes out: over many seeds every order of FIN, request and reset comes about.
    @Test("a parked connection that closes as a request goes out loses none", arguments: 1...60)
    func closedAsRequestGoesOut(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { .reply($0.text) }
        let client = stage.connect()
        client.ask(.post(.call(0)))
        stage.run { client.responses.count == 1 }
        var generator = SeededGenerator(seed: seed)
        let lead = Interval(nanoseconds: generator.next() % 900_000)
        let parked = server.connections[0]
        client.peer.perform(.pause(lead))
        client.ask(.post(.call(1)))
        parked.perform(.close)
        stage.run { client.responses.count == 2 }

        #expect(client.responses.map(\.status) == [200, 200], "seed \(seed)")
        #expect(server.requests.count == 2, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a call whose bytes the server's kernel has acknowledged is not sent again", arguments: seeds)
    func acknowledgedIsNotReplayed(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { message in
            message.target == "/mcp/first" ? .reply("1") : [.pause(.milliseconds(50)), .close]
        }
        let client = stage.connect()
        client.ask(.post(.call(0), to: "/mcp/first"))
        stage.run { client.responses.count == 1 }
        client.ask(.post(.call(1)))
        stage.run { client.responses.count == 2 }

        #expect(client.responses.map(\.status) == [200, 502], "seed \(seed)")
        #expect(server.requests.count == 2, "seed \(seed)")
        // What may be done twice is.
        client.ask(.get("/mcp/first"))
        stage.run { client.responses.count == 3 }
        client.ask(.get("/mcp/drop"))
        stage.run { client.responses.count == 4 }
        #expect(server.requests.filter { $0.target == "/mcp/drop" }.count == 2, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("garbage instead of a response is 502", arguments: seeds)
    func garbage(seed: UInt64) {
        let replies = [
            "\u{16}\u{3}\u{1}garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
            "HTTP/1.1 101 Switching\r\n\r\n",
            "ICY 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", String(repeating: "HTTP/1.1 103 Hints\r\n\r\n", count: 200),
        ]
        for text in replies {
            let stage = ProxyStage(seed: seed)
            let server = ScriptedServer(stage) { _ in [.text(text)] }
            let client = stage.connect()
            client.ask(.post(.call(3)))
            stage.run { client.responses.count == 1 }
            #expect(client.responses.first?.status == 502, "\(text.prefix(30)), seed \(seed)")
            #expect(client.responses.first?.text.contains(#""id":3"#) == true, "\(text.prefix(30)), seed \(seed)")
            stage.run(within: .seconds(1)) { server.openConnections == 0 }
            #expect(server.openConnections == 0, "\(text.prefix(30)), seed \(seed)")
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("a server that speaks before it is asked does not make the client wait", arguments: seeds)
    func speaksFirst(seed: UInt64) {
        for leaves in [false, true] {
            let stage = ProxyStage(seed: seed)
            let server = ScriptedServer(stage) { _ in [] }
            server.onConnection = {
                $0.perform(
                    [.text("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")]
                        + (leaves ? [.finish] : []))
            }
            let client = stage.connect()
            client.ask(.post(.call(3)))
            stage.run(within: .seconds(2)) { client.responses.count == 1 }
            #expect(client.responses.first?.status == 503 || client.responses.first?.status == 502, "seed \(seed)")
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("a server that only half closes at once does not make the client wait", arguments: seeds)
    func finishesAtOnce(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { _ in [] }
        server.onConnection = { $0.perform(.finish) }
        let client = stage.connect()
        client.ask(.post(.call(3)))
        stage.run(within: .seconds(2)) { client.responses.count == 1 }
        #expect(client.responses.first?.status == 502, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a server that does not begin to answer costs 504 after first_byte", arguments: seeds)
    func firstByte(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.firstByteTimeout = .seconds(30)
        let server = ScriptedServer(stage) { _ in [.text("HTTP/1.1 200 O")] }
        let client = stage.connect()
        client.ask(.post(.call(3)))
        stage.run(within: .seconds(29)) { client.responses.count == 1 }
        #expect(client.responses.isEmpty)
        stage.run(within: .seconds(3)) { client.responses.count == 1 && server.openConnections == 0 }

        #expect(client.responses.first?.status == 504, "seed \(seed)")
        #expect(client.responses.first?.text.contains(#""id":3"#) == true)
        #expect(server.openConnections == 0, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    // MARK: After the head

    @Test("a server that dies in mid-body leaves no clean end", arguments: seeds)
    func diesInBody(seed: UInt64) {
        let heads = [
            "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nXYZ\r\n",
        ]
        for head in heads {
            for version in ["1.0", "1.1"] {
                let stage = ProxyStage(seed: seed)
                let server = ScriptedServer(stage) { _ in [.text(head), .pause(.milliseconds(5)), .reset] }
                let client = stage.connect()
                client.ask("GET /x HTTP/\(version)\r\nHost: h\r\n\r\n")
                stage.run { client.isOver }

                #expect(client.isOver, "seed \(seed)")
                let isCut = client.responses.isEmpty || client.peer.failure != nil
                #expect(isCut, "what was cut off must not look whole: \(head), \(version), seed \(seed)")
                #expect(server.requests.count == 1)
                stage.expectNoLeaks()
            }
        }
    }

    // MARK: Slow clients

    @Test("a head that is not whole in time is answered 408, however it drips", arguments: seeds)
    func slowHead(seed: UInt64) {
        for interval in [Interval.milliseconds(100), .seconds(2), .seconds(60)] {
            let stage = ProxyStage(seed: seed)
            let server = ScriptedServer(stage) { .reply($0.text) }
            let client = stage.connect()
            client.ask(.get("/fine"))
            stage.run { client.responses.count == 1 }
            stage.run(for: .seconds(30))
            let began = stage.network.now
            let bytes = Array("GET /slow HTTP/1.1\r\nHost: h\r\nX-Long: \(String(repeating: "a", count: 3000))".utf8)
            client.ask("GET", bytes.flatMap { [.send([$0]), .pause(interval)] })
            stage.run(within: .seconds(30)) { client.responses.count == 2 }

            let took = client.lastReceived.nanoseconds - began.nanoseconds
            #expect(client.responses.last?.status == 408, "seed \(seed)")
            #expect((9_900_000_000...11_000_000_000).contains(took), "\(took) ns, seed \(seed)")
            #expect(server.requests.count == 1)
            client.peer.perform(.reset)
            stage.expectNoLeaks()
        }
    }

    @Test("a body that stops coming is answered 408, small or big", arguments: seeds)
    func slowBody(seed: UInt64) {
        for count in [100, 200_000] {
            let stage = ProxyStage(seed: seed)
            _ = ScriptedServer(stage) { .reply($0.text) }
            let client = stage.connect()
            client.ask("POST", [.text("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: \(count)\r\n\r\nabc")])
            stage.run(within: .seconds(29)) { client.responses.count == 1 }
            #expect(client.responses.isEmpty, "seed \(seed)")
            stage.run(within: .seconds(3)) { client.responses.count == 1 }

            #expect(client.responses.first?.status == 408, "\(count) bytes, seed \(seed)")
            #expect(client.responses.first?.text.contains("body_timeout") == true, "\(count) bytes, seed \(seed)")
            stage.expectNoLeaks()
        }
    }

    @Test("a body that comes slowly but steadily is no fault", arguments: seeds)
    func steadyBody(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { .reply("\($0.body.count)") }
        let client = stage.connect()
        client.ask(
            "POST",
            [.text("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n")]
                + (0..<20).flatMap { _ in
                    [SimulatedPeer.Action.pause(.seconds(3)), .text(String(repeating: "x", count: 3_000))]
                })
        stage.run(within: .seconds(80)) { client.responses.count == 1 }
        #expect(client.responses.first?.status == 200, "seed \(seed)")
        #expect(server.requests.first?.body.count == 60_000)
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a client that asks to continue and then sends nothing does not hold a server for ever", arguments: seeds)
    func continuesWithNothing(seed: UInt64) {
        for conditions in PlainTests.everywhere {
            let stage = ProxyStage(seed: seed, conditions)
            let server = ScriptedServer(stage) { _ in [] }
            server.onHead = { _ in [.text("HTTP/1.1 100 Continue\r\n\r\n")] }
            let client = stage.connect()
            client.ask("POST /mcp HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
            stage.run(within: .seconds(40)) { client.responses.count == 1 }
            #expect(client.responses.first?.status == 408, "seed \(seed)")
            stage.expectNoLeaks()
        }
    }

    @Test(
        "a body that breaks off its framing, or grows too long, after the answer began is no second answer",
        arguments: seeds)
    func brokenBodyAfterAnswer(seed: UInt64) {
        for rest in ["ZZ\r\n", "5\r\nabcdefgh\r\n", "F00000\r\n" + String(repeating: "x", count: 100_000)] {
            let stage = ProxyStage(seed: seed)
            stage.listener.maximumRequestBody = 50_000
            let server = ScriptedServer(stage) { _ in [] }
            server.onHead = { _ in
                [
                    .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), .chunk("one"), .pause(.seconds(2)),
                    .chunk("two"), .lastChunk,
                ]
            }
            let client = stage.connect()
            client.ask(
                "POST",
                [
                    .text("POST /mcp HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"),
                    .text("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), .pause(.seconds(1)), .text(rest),
                ])
            stage.run(within: .seconds(10)) { client.isOver }

            #expect(!client.isBroken, "seed \(seed): \(client.peer.receivedText)")
            #expect(!client.peer.receivedText.contains("HTTP/1.1 4"), "seed \(seed): \(client.peer.receivedText)")
            stage.expectNoLeaks()
        }
    }

    @Test("a client that takes nothing is given up, and its server let go", arguments: seeds)
    func takesNothing(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { _ in .bytes(PlainTests.body(400_000, seed: 1)) }
        let client = stage.connect()
        client.peer.perform(.read(.never))
        client.ask(.get("/big"))
        stage.run(within: .seconds(100)) { client.peer.isDone }
        #expect(client.peer.failure != nil, "seed \(seed)")
        stage.run(within: .seconds(1)) { server.openConnections == 0 }
        #expect(server.openConnections == 0)
        stage.expectNoLeaks()
    }
}
