import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

@Suite("Health and draining")
struct HealthTests {
    static let seeds: ClosedRange<UInt64> = 1...8

    private func answers(_ stage: ProxyStage, _ count: Int) -> [Message] {
        let client = stage.connect()
        for number in 0..<count {
            client.ask(.post(.call(number)))
            stage.run { client.responses.count > number }
        }
        client.leave()
        return client.responses
    }

    @Test(
        "http checks take a server out after fall failures and back after rise, and never touch /mcp", arguments: seeds)
    func http(seed: UInt64) {
        let stage = ProxyStage(seed: seed, servers: 2)
        stage.plan.healthCheck.kind = .http
        stage.plan.healthCheck.interval = .seconds(2)
        stage.plan.healthCheck.rise = 2
        stage.plan.healthCheck.fall = 3
        var isWell = true
        let servers = (0..<2).map { index in
            ScriptedServer(stage, index) { message in
                message.target == "/healthz"
                    ? .reply("", status: isWell || index == 1 ? "200 OK" : "503 No") : .reply("\(index)")
            }
        }
        stage.start(healthChecks: true)
        stage.run(for: .seconds(5))
        #expect(stage.isHealthy == [true, true])
        isWell = false
        stage.run(for: .seconds(3))
        #expect(stage.isHealthy == [true, true], "one failure or two are not fall, seed \(seed)")
        stage.run(for: .seconds(6))
        #expect(stage.isHealthy == [false, true], "seed \(seed)")
        #expect(answers(stage, 6).map(\.text) == Array(repeating: "1", count: 6), "seed \(seed)")
        isWell = true
        stage.run(for: .seconds(7))
        #expect(stage.isHealthy == [true, true], "seed \(seed)")
        #expect(Set(answers(stage, 6).map(\.text)) == ["0", "1"], "seed \(seed)")
        let healthChecks = servers[0].requests.filter { $0.target == "/healthz" }
        #expect(healthChecks.count >= 8 && healthChecks.allSatisfy { $0.method == "GET" && $0["host"] == "mcp-0:3001" })
        #expect(servers[0].requests.allSatisfy { $0.target == "/healthz" || $0.text.contains("tools/call") })
    }

    @Test("tcp checks notice a server that refuses, and one that does not answer", arguments: seeds)
    func tcp(seed: UInt64) {
        let stage = ProxyStage(seed: seed, servers: 3)
        stage.plan.healthCheck.fall = 2
        _ = ScriptedServer(stage, 0) { .reply($0.text) }
        stage.network.swallow(at: ProxyStage.server(1))
        stage.start(healthChecks: true)
        stage.run(for: .seconds(9))
        #expect(stage.isHealthy == [true, false, false], "seed \(seed)")
        #expect(answers(stage, 5).allSatisfy { $0.status == 200 }, "seed \(seed)")
    }

    @Test("with all down, 503 and Retry-After; below panic_threshold, all are tried", arguments: seeds)
    func panic(seed: UInt64) {
        for threshold in [0, 50] {
            let stage = ProxyStage(seed: seed, servers: 2)
            stage.plan.panicThreshold = threshold
            let servers = (0..<2).map { ScriptedServer(stage, $0) { .reply($0.text) } }
            stage.start()
            stage.markUnhealthy(0)
            stage.markUnhealthy(1)
            let answers = answers(stage, 4)
            #expect(answers.count == 4)
            #expect(answers.allSatisfy { $0.status == (threshold == 0 ? 503 : 200) }, "seed \(seed)")
            if threshold == 0 { #expect(answers.allSatisfy { $0["retry-after"] == "1" && $0.text.contains("-32603") }) }
            #expect(servers.reduce(0) { $0 + $1.requests.count } == (threshold == 0 ? 0 : 4))
            stage.expectNoLeaks()
        }
    }

    @Test("a backup is used only while the others are down", arguments: seeds)
    func backup(seed: UInt64) {
        let stage = ProxyStage(seed: seed, servers: 3)
        stage.snapshot.servers[2].isBackup = true
        let servers = (0..<3).map { index in ScriptedServer(stage, index) { _ in .reply("\(index)") } }
        #expect(Set(answers(stage, 6).map(\.text)) == ["0", "1"], "seed \(seed)")
        stage.markUnhealthy(0)
        #expect(Set(answers(stage, 4).map(\.text)) == ["1"], "seed \(seed)")
        stage.markUnhealthy(1)
        #expect(Set(answers(stage, 4).map(\.text)) == ["2"], "seed \(seed)")
        #expect(servers.count == 3)
        stage.expectNoLeaks()
    }

    @Test("a draining server keeps its sessions and gets no new ones", arguments: seeds)
    func drainingServer(seed: UInt64) {
        let stage = ProxyStage(seed: seed, servers: 2)
        let servers = (0..<2).map { SessionServer(stage, $0) }
        let parties = (0..<4).map { _ in SessionTests.open(stage) }
        stage.stop()
        stage.snapshot.servers[0].isDraining = true
        let later = (0..<4).map { _ in SessionTests.open(stage) }
        #expect(later.allSatisfy { $0.owner == "replica-1" }, "seed \(seed)")
        let client = stage.connect()
        for party in parties + later {
            let answer = SessionTests.call(stage, party.session, on: client)
            #expect(answer.status == 200 && answer.text.hasPrefix(party.owner), "seed \(seed)")
        }
        #expect(servers.count == 2)
    }

    @Test("one server left of three that refuse: no request is lost on the way to it", arguments: seeds)
    func oneLeft(seed: UInt64) {
        for left in 0..<4 {
            let stage = ProxyStage(seed: seed, servers: 4)
            stage.plan.healthCheck.fall = 100
            let server = ScriptedServer(stage, left) { .reply($0.text) }
            #expect(answers(stage, 8).allSatisfy { $0.status == 200 }, "seed \(seed)")
            #expect(server.requests.count == 8)
            stage.expectNoLeaks()
        }
    }

    // MARK: Draining the worker

    @Test("connections that the kernel had accepted when a drain began are served", arguments: seeds)
    func backlog(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        _ = ScriptedServer(stage) { .reply($0.text) }
        stage.start()
        stage.run(for: .seconds(1))
        let clients = (0..<40).map { _ in stage.connect() }
        for client in clients.prefix(20) { client.ask(.post(.call(1))) }
        // They are in the backlog, or nearly, and the worker has not looked.
        stage.network.advance(by: .milliseconds(30))
        for client in clients.suffix(20) { client.ask("POST", [.pause(.milliseconds(100)), .text(.post(.call(2)))]) }
        let accepted = clients.filter(\.peer.wasOpened)
        #expect(accepted.count > 10, "seed \(seed)")
        stage.worker?.drain()
        stage.run(within: .seconds(5)) { accepted.allSatisfy { $0.responses.count == 1 } }
        #expect(accepted.allSatisfy { $0.responses.first?.status == 200 }, "seed \(seed)")
        stage.run(within: .seconds(20)) { stage.worker?.isDone == true }
        let isDone = stage.worker?.isDone
        #expect(isDone == true, "seed \(seed)")
    }

    @Test("a draining worker accepts nobody, finishes calls, ends streams properly and leaves", arguments: seeds)
    func drain(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { message in
            message.method == "GET" ? .stream("data: x\n\n") : [.pause(.seconds(3))] + .reply(message.text)
        }
        let (idle, caller, stream, half) = (stage.connect(), stage.connect(), stage.connect(), stage.connect())
        idle.ask(.post("0"))
        stage.run(within: .seconds(4)) { idle.responses.count == 1 }
        caller.ask(.post("1"))
        stream.ask(.openStream())
        half.peer.perform(.text("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Le"))
        stage.run(for: .seconds(1))
        stage.worker?.drain()
        stage.run(for: .milliseconds(500))
        // What is on its way when the drain begins does not meet a closed connection.
        #expect(!idle.isOver, "seed \(seed)")
        idle.ask(.post("2"))
        #expect(!caller.isOver && !stream.isOver && !half.isOver, "seed \(seed)")
        #expect(stage.worker?.isDone == false)
        let late = ScriptedClient(stage.network.connect(to: ProxyStage.front))
        half.expect("POST")
        half.peer.perform(.text("ngth: 2\r\n\r\nab"))
        stage.run(within: .seconds(20)) { stage.worker?.isDone == true }
        #expect(stage.worker?.isDone == true, "seed \(seed)")
        stage.stop()
        stage.network.advance(by: .seconds(1))

        #expect(late.peer.failure != nil, "seed \(seed)")
        #expect(
            caller.responses.map(\.text) == ["1"] && caller.responses.first?["connection"] == "close", "seed \(seed)")
        #expect(half.responses.map(\.text) == ["ab"], "seed \(seed)")
        #expect(idle.responses.map(\.text) == ["0", "2"], "seed \(seed)")
        #expect(idle.responses.last?["connection"] == "close" && idle.isOver, "seed \(seed)")
        #expect(stream.responses.count == 1 && stream.isOver, "the stream's body ends properly, seed \(seed)")
        #expect(server.openConnections == 0)
        #expect(stage.network.violations == [])
    }

    @Test("at the end of a drain, calls that were not answered are told so, and streams end properly", arguments: seeds)
    func lastCall(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.snapshot.drainTimeout = .seconds(5)
        _ = ScriptedServer(stage) { $0.method == "GET" ? .stream("data: x\n\n") : [] }
        let (caller, stream) = (stage.connect(), stage.connect())
        caller.ask(.post(.call(7)))
        stream.ask(.openStream())
        stage.run(for: .seconds(1))
        stage.worker?.drain()
        stage.run(within: .seconds(5)) { stage.worker?.isDone == true }
        let isDone = stage.worker?.isDone
        #expect(isDone == true, "in time, seed \(seed)")
        stage.stop()
        stage.network.advance(by: .seconds(1))
        #expect(caller.responses.first?.status == 503, "seed \(seed)")
        #expect(caller.responses.first?.text.contains("shutting_down") == true, "seed \(seed)")
        #expect(caller.responses.first?.text.contains(#""id":7"#) == true, "seed \(seed)")
        #expect(stream.responses.count == 1 && stream.isOver, "seed \(seed)")
    }

    @Test(
        "an HTTP/2 connection is told to go when it has no call, and late in the drain if it always has one",
        arguments: seeds)
    func goAway(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.snapshot.drainTimeout = .seconds(40)
        _ = ScriptedServer(stage) { $0.text == "slow" ? [.pause(.seconds(5))] + .reply("late") : .reply("ok") }
        let (idle, busy, endless) = (stage.connectHTTP2(), stage.connectHTTP2(), stage.connectHTTP2())
        func ask(_ client: ScriptedHTTP2Client, _ text: String) { client.ask("POST", "/mcp", body: Array(text.utf8)) }
        func answers(_ client: ScriptedHTTP2Client) -> Int {
            client.streams.values.count { $0.response.isComplete && $0.response.status == 200 }
        }
        for client in [idle, busy, endless] { ask(client, "x") }
        stage.run { [idle, busy, endless].allSatisfy { answers($0) == 1 } }
        ask(busy, "slow")
        ask(endless, "slow")
        stage.run(for: .seconds(1))
        stage.worker?.drain()
        for round in 1...8 {
            stage.run(for: .seconds(1))
            if round % 4 == 1 { ask(endless, "slow") }
            if round == 2 { #expect(!idle.goAways.isEmpty && busy.goAways.isEmpty, "seed \(seed)") }
        }
        #expect(answers(busy) == 2 && !busy.goAways.isEmpty, "seed \(seed)")
        #expect(endless.goAways.isEmpty, "seed \(seed)")
        for round in 1...24 {
            stage.run(for: .seconds(1))
            if round % 4 == 1 { ask(endless, "slow") }
        }
        #expect(!endless.goAways.isEmpty, "seed \(seed)")
        let isDone = stage.run(within: .seconds(12)) { stage.worker?.isDone == true }
        #expect(isDone, "seed \(seed)")
        #expect(endless.streams.values.allSatisfy { $0.response.isComplete || $0.reset == 7 }, "seed \(seed)")
    }

    @Test(
        "endless streams end with last words: when to come back, or that a subscription is complete", arguments: seeds)
    func lastWords(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        _ = ScriptedServer(stage) { _ in .stream("data: x\n\n") }
        let (listener, standing) = (stage.connect(), stage.connect())
        let body = #"{"jsonrpc":"2.0","id":"s-1","method":"subscriptions/listen","params":{}}"#
        listener.ask(.post(body, version: "2026-07-28"))
        standing.ask(.openStream())
        // Long enough for a heartbeat, after which only the id is kept.
        stage.run(for: .seconds(40))
        let fresh = stage.connect()
        fresh.ask(.post(body, version: "2026-07-28"))
        stage.run(for: .seconds(1))
        stage.worker?.drain()
        let isDone = stage.run(within: .seconds(10)) { stage.worker?.isDone == true }
        #expect(isDone, "none of them counts as a call, seed \(seed)")
        stage.stop()
        stage.network.advance(by: .seconds(1))
        let result = #"data: {"jsonrpc":"2.0","id":"s-1","result":{"resultType":"complete"}}\#n\#n"#
        for (name, client) in [("kept", listener), ("fresh", fresh)] {
            #expect(client.responses.count == 1, "\(name) ended properly, seed \(seed): \(client.current.text)")
            #expect(client.responses.first?.text.hasSuffix(result) == true, "seed \(seed)")
        }
        let hint = standing.responses.first?.text.firstMatch(of: /retry: (\d+)\n\n$/).flatMap { Int($0.1) }
        #expect((1_000...2_000).contains(hint ?? 0), "seed \(seed)")
    }
}
