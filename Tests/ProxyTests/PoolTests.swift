import Balancing
import Kernel
import Reactor
import Simulation
import Telemetry
import Testing

@testable import Proxy

@Suite("Pool and queue")
struct PoolTests {
    static let seeds: ClosedRange<UInt64> = 1...10

    private func clients(_ stage: ProxyStage, _ count: Int) -> [ScriptedClient] {
        (0..<count).map { _ in stage.connect() }
    }

    @Test("no more connections than pool.max, and first come, first served", arguments: seeds)
    func fifo(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.pool.maximum = 2
        let server = ScriptedServer(stage) { [.pause(.milliseconds(100))] + .reply($0.text) }
        let clients = clients(stage, 12)
        stage.run(for: .milliseconds(5))
        for (number, client) in clients.enumerated() {
            client.ask(.post("\(number)"))
            // One after the other, so that there is an order to keep.
            stage.run(for: .milliseconds(3))
            stage.expectGaugesMatch()
        }
        #expect(stage.sum(.active) == 2 && stage.sum(.waiting) == 10, "seed \(seed)")
        stage.run { clients.allSatisfy { $0.responses.count == 1 } }
        #expect(clients.allSatisfy { $0.responses.first?.status == 200 }, "seed \(seed)")
        #expect(server.connections.count == 2, "seed \(seed)")
        let order = server.requests.compactMap { Int($0.text) }
        // Of two that are served together either may be read first.
        #expect(order.enumerated().allSatisfy { abs($0.offset - $0.element) <= 1 }, "\(order), seed \(seed)")
        for client in clients { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("who waits longer than queue.timeout is told 503, with the id", arguments: seeds)
    func timeout(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.pool.maximum = 1
        stage.plan.queueTimeout = .seconds(3)
        let server = ScriptedServer(stage) { _ in [] }
        let clients = clients(stage, 3)
        for (number, client) in clients.enumerated() { client.ask(.post(.call(40 + number))) }
        stage.run(for: .milliseconds(2900))
        #expect(clients.allSatisfy { $0.responses.isEmpty }, "seed \(seed)")
        stage.run(for: .milliseconds(200))
        let late = clients.filter { $0.responses.count == 1 }
        #expect(late.count == 2, "seed \(seed)")
        for client in late {
            let response = client.responses[0]
            #expect(response.status == 503 && response["retry-after"] == "3")
            #expect(response.text.contains("queue_timeout") && response.text.contains(#""id":4"#))
        }
        #expect(server.requests.count == 1)
        for client in clients { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("a full queue refuses at once", arguments: seeds)
    func full(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.pool.maximum = 1
        stage.plan.queueLimit = 2
        _ = ScriptedServer(stage) { _ in [] }
        let clients = clients(stage, 6)
        for client in clients { client.ask(.post(.call(1))) }
        stage.run(for: .milliseconds(50))
        let refused = clients.filter { $0.responses.first?.status == 503 }
        #expect(refused.count == 3, "seed \(seed)")
        #expect(refused.allSatisfy { $0.responses[0].text.contains("queue_full") })
        for client in clients { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("waiting ends with the first server that has capacity, not with one that is down", arguments: seeds)
    func waitsForTheLiving(seed: UInt64) {
        let stage = ProxyStage(seed: seed, servers: 2)
        stage.plan.pool.maximum = 1
        stage.plan.queueTimeout = .seconds(5)
        let server = ScriptedServer(stage, 1) { [.pause(.milliseconds(400))] + .reply($0.text) }
        stage.start()
        stage.markUnhealthy(0)
        let clients = clients(stage, 20)
        for (number, client) in clients.enumerated() {
            client.ask(.post("\(number)"))
            stage.run(for: .milliseconds(2))
        }
        stage.run(for: .seconds(12))
        let answered = clients.enumerated().filter { $0.element.responses.first?.status == 200 }.map(\.offset)
        #expect(answered.count >= 12 && answered == Array(0..<answered.count), "\(answered), seed \(seed)")
        #expect(clients.allSatisfy { $0.responses.count == 1 }, "nobody waits for ever, seed \(seed)")
        #expect(server.connections.count == 1)
        for client in clients { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("an upload that had to wait keeps its time once it is under way", arguments: seeds)
    func waitingUpload(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.pool.maximum = 1
        _ = ScriptedServer(stage) {
            $0.text == "first" ? [.pause(.seconds(6))] + .reply("1") : .reply("\($0.body.count)")
        }
        let first = stage.connect()
        first.ask(.post("first"))
        stage.run(for: .milliseconds(10))
        let second = stage.connect()
        second.ask(
            "POST",
            [.text("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"), .chunk("a")]
                + (0..<8).flatMap { _ in [SimulatedPeer.Action.pause(.seconds(2)), .chunk("b")] } + [.lastChunk])
        stage.run(within: .seconds(40)) { second.responses.count == 1 }
        #expect(second.responses.first?.status == 200 && second.responses.first?.text == "9", "seed \(seed)")
        first.leave()
        second.leave()
        stage.expectNoLeaks()
    }

    @Test("the pool shrinks to min when it idles, and min is kept warm", arguments: seeds)
    func minimum(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.pool.minimum = 3
        let server = ScriptedServer(stage) { [.pause(.milliseconds(50))] + .reply($0.text) }
        stage.run(for: .seconds(1))
        #expect(server.openConnections == 3 && stage.sum(.parked) == 3, "before any request, seed \(seed)")
        let clients = clients(stage, 8)
        for client in clients { client.ask(.post("x")) }
        stage.run { clients.allSatisfy { $0.responses.count == 1 } }
        #expect(server.connections.count == 8, "seed \(seed)")
        stage.run(for: .seconds(40))
        #expect(server.openConnections == 3, "seed \(seed)")
        stage.expectGaugesMatch()
        for peer in server.connections where peer.isOpen { peer.perform(.close) }
        stage.run(for: .seconds(2))
        #expect(server.openConnections == 3, "what the server closed is replaced, seed \(seed)")
        let turns = stage.turns
        stage.run(for: .seconds(300))
        #expect(stage.turns - turns < 300 * 5, "\(stage.turns - turns) turns in 300 s")
        for client in clients { client.leave() }
    }

    @Test("a connection is retired after max_uses and after max_age", arguments: seeds)
    func wear(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.pool.maximumUses = 3
        stage.plan.pool.maximumAge = .seconds(100)
        let server = ScriptedServer(stage) { .reply($0.text) }
        let client = stage.connect()
        for number in 0..<7 {
            client.ask(.post("x"))
            stage.run { client.responses.count > number }
        }
        #expect(server.connections.count == 3, "seed \(seed)")
        for number in 7..<13 {
            client.ask(.post("x"))
            stage.run { client.responses.count > number }
            stage.run(for: .seconds(20))
        }
        let sizes = server.connections.map { $0.receivedText.split(separator: "POST ").count }
        #expect(sizes.allSatisfy { $0 <= 3 }, "\(sizes), seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("an idle pool keeps no connection longer than idle_timeout", arguments: seeds)
    func idle(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.pool.idleTimeout = .seconds(10)
        let server = ScriptedServer(stage) { .reply($0.text) }
        let client = stage.connect()
        client.ask(.post("x"))
        stage.run { client.responses.count == 1 }
        stage.run(for: .seconds(9))
        #expect(server.openConnections == 1 && stage.sum(.parked) == 1, "seed \(seed)")
        stage.run(for: .seconds(2))
        #expect(server.openConnections == 0 && stage.sum(.parked) == 0, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("connections that idle with another worker are asked for, and given")
    func otherWorkers() throws {
        let stage = ProxyStage(seed: 1, servers: 2)
        stage.plan.pool.maximum = 2
        let servers = (0..<2).map { ScriptedServer(stage, $0) { .reply($0.text) } }
        let neighbour = try Mailbox<WorkerMessage>(limit: 8)
        stage.start(peers: [neighbour])
        // The other worker holds all there may be, idle.
        for server in 0..<2 {
            stage.metrics.view.add(.parked, worker: 1, server: server, 2)
            stage.metrics.view.add(.connections, server: server, 2)
        }
        let client = stage.connect()
        client.ask(.post("x"))
        stage.run(for: .milliseconds(100))
        #expect(client.responses.isEmpty && stage.sum(.waiting) == 1)
        let wanted = neighbour.collect().compactMap {
            if case .idleEvictionRequested(let server) = $0 { server } else { nil }
        }
        #expect(wanted.count == 1)
        // It gives one, and says so.
        let server = wanted.first ?? 0
        stage.metrics.view.add(.parked, worker: 1, server: server, -1)
        stage.metrics.view.add(.connections, server: server, -1)
        stage.worker?.servers.hasFreedCapacity = true
        stage.run { client.responses.count == 1 }
        #expect(client.responses.first?.status == 200)
        #expect(servers[server].requests.count == 1)
        // And the other way round.
        #expect(stage.metrics.view.read(.parked, worker: 0, server: server) == 1)
        stage.worker?.evictIdle(server)
        stage.worker?.evictIdle(server)
        stage.run(for: .milliseconds(10))
        #expect(stage.metrics.view.read(.parked, worker: 0, server: server) == 0)
        #expect(stage.metrics.view.load(.connections, server: server) == 1)
        #expect(servers[server].openConnections == 0)
        client.leave()
    }

    @Test("a backlog that had to wait for descriptors starts no second round", arguments: seeds)
    func rounds(seed: UInt64) {
        var conditions = Conditions.varied
        conditions.descriptorLimit = 6
        let stage = ProxyStage(seed: seed, conditions)
        stage.plan.pool.minimum = 1
        _ = ScriptedServer(stage) { .reply($0.text) }
        for _ in 0..<30 {
            let clients = clients(stage, 8)
            stage.run(for: .seconds(1))
            for client in clients { client.peer.perform(.reset) }
            stage.run(for: .milliseconds(300))
        }
        stage.run(for: .seconds(200))
        let turns = stage.turns
        stage.run(for: .seconds(100))
        #expect(stage.turns - turns < 600, "\(stage.turns - turns) turns in 100 s, seed \(seed)")
    }

    @Test("weights are kept, and least-requests and power-of-two look at calls, not streams", arguments: seeds)
    func balance(seed: UInt64) {
        for policy in [Policy.roundRobin, .leastRequests, .powerOfTwo, .ipHash] {
            let stage = ProxyStage(seed: seed, servers: 3)
            stage.plan.policy = policy
            stage.snapshot.servers[0].weight = policy == .roundRobin ? 4 : 1
            let servers = (0..<3).map {
                ScriptedServer(stage, $0) { $0.method == "GET" ? .stream("data: x\n\n") : .reply("ok") }
            }
            let client = stage.connect()
            for number in 0..<60 {
                client.ask(.post("x"))
                stage.run { client.responses.count > number }
            }
            let counts = servers.map(\.requests.count)
            switch policy {
            case .roundRobin: #expect(counts == [40, 10, 10], "seed \(seed)")
            case .ipHash: #expect(counts.filter { $0 == 60 }.count == 1, "one client, one server: \(counts)")
            default: #expect(counts.allSatisfy { $0 > 5 }, "\(policy): \(counts), seed \(seed)")
            }
            client.leave()
            stage.expectNoLeaks()
        }
    }
}
