import Balancing
import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

/// A second snapshot is posted to a worker that carries sessions, calls and event streams.
@Suite("Snapshots")
struct SnapshotTests {
    /// Opens sessions until every server has one; the client of each by the server's index, and the session's id.
    private func sessions(_ stage: ProxyStage, _ servers: Int) -> [Int: (client: ScriptedClient, id: String)] {
        var found: [Int: (client: ScriptedClient, id: String)] = [:]
        for _ in 0..<10 where found.count < servers {
            let client = stage.connect()
            client.ask(.post(.call(1, "initialize")))
            stage.run { client.responses.count == 1 }
            guard let response = client.responses.first, let id = response["mcp-session-id"],
                let index = (0..<servers).first(where: { response.text.hasPrefix("replica-\($0) ") })
            else { continue }
            found[index] = (client, id)
        }
        return found
    }

    private func server(_ index: Int) -> ServerPlan {
        ServerPlan(address: ProxyStage.server(index), name: "mcp-\(index):3001", upstream: 0)
    }

    @Test(
        "unchanged servers keep sessions, pools, health, streams and counters, wherever they stand in the list",
        arguments: 1...8)
    func unchanged(seed: UInt64) throws {
        let stage = ProxyStage(seed: seed, servers: 3)
        let servers = (0..<4).map { SessionServer(stage, $0) }
        let held = sessions(stage, 3)
        let (first, second) = (try #require(held[0]), try #require(held[1]))
        let stream = stage.connect()
        stream.ask(.openStream("/mcp", session: second.id))
        stage.run { stream.current.text.contains("hello from replica-1") }
        // A connection to server 1 is parked, beside the stream's.
        second.client.ask(.post(.call(9), session: second.id))
        stage.run { second.client.responses.count == 2 }
        stage.markUnhealthy(2)
        let opened = stage.metrics.sum(.connectionsOpened, server: 1)
        let requests = stage.metrics.sum(.requests, server: 1)

        try stage.reload { snapshot in
            snapshot.servers = [server(3), server(2), server(1)]
            snapshot.upstreams[0].servers = 0..<3
        }

        let slots = stage.snapshot.servers.map { Int($0.id.slot) }
        #expect(slots == [3, 2, 1], "identity is no position, seed \(seed)")
        #expect(!stream.isOver, "seed \(seed)")
        second.client.ask(.post(.call(1), session: second.id))
        stage.run { second.client.responses.count == 3 }
        #expect(second.client.responses.last?.text.hasPrefix("replica-1 ") == true, "seed \(seed)")
        #expect(
            stage.metrics.sum(.connectionsOpened, server: 1) == opened, "its parked connection is used, seed \(seed)")
        #expect(stage.metrics.sum(.requests, server: 1) == requests + 1, "seed \(seed)")
        #expect(stage.isHealthy(slot: 2) == false, "a reload is no recovery, seed \(seed)")
        // The removed server's session is gone, and its idle connections with it.
        first.client.ask(.post(.call(2), session: first.id))
        stage.run { first.client.responses.count == 2 }
        #expect(first.client.responses.last?.status == 404, "seed \(seed)")
        #expect(servers[0].server.openConnections == 0, "seed \(seed)")
        // New sessions go to the servers that are there and healthy.
        let found = sessions(stage, 4)
        #expect(found[0] == nil && found[2] == nil && found[3] != nil, "seed \(seed)")
        for client in held.values.map(\.client) + found.values.map(\.client) + [stream] { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("calls at a server that is removed are finished; its slot is given to others when they are", arguments: 1...8)
    func removed(seed: UInt64) throws {
        let stage = ProxyStage(seed: seed, servers: 2)
        _ = ScriptedServer(stage, 0) { _ in [.pause(.seconds(2))] + .reply("slow") }
        _ = ScriptedServer(stage, 1) { _ in [.pause(.seconds(2))] + .reply("slow") }
        let clients = (0..<4).map { _ in stage.connect() }
        for client in clients { client.ask(.post("x")) }
        stage.run { stage.sum(.active) == 4 }

        try stage.reload { snapshot in
            snapshot.servers = [server(1)]
            snapshot.upstreams[0].servers = 0..<1
        }
        #expect(stage.registeredServers == 2, "the worker keeps the lease, seed \(seed)")
        stage.run { clients.allSatisfy { $0.responses.count == 1 } }
        #expect(clients.allSatisfy { $0.responses.first?.status == 200 }, "seed \(seed)")
        stage.run(for: .seconds(1))
        #expect(stage.registeredServers == 1, "seed \(seed)")
        #expect(stage.metrics.sum(.active, server: 0) == 0, "seed \(seed)")
        for client in clients { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("a server's new address gets its next calls; what runs at the old one is finished", arguments: 1...8)
    func moved(seed: UInt64) throws {
        let stage = ProxyStage(seed: seed)
        let old = ScriptedServer(stage, 0) { _ in [.pause(.seconds(1))] + .reply("old") }
        let new = ScriptedServer(stage, 1) { _ in .reply("new") }
        let clients = (0..<2).map { _ in stage.connect() }
        clients[0].ask(.post("parks a connection"))
        stage.run { clients[0].responses.count == 1 }
        clients[1].ask(.post("under way"))
        stage.run { old.requests.count == 2 }

        try stage.reload { $0.servers[0].address = ProxyStage.server(1) }
        clients[0].ask(.post("after it"))
        stage.run { clients.allSatisfy { !$0.responses.isEmpty } && clients[0].responses.count == 2 }

        #expect(clients[0].responses.last?.text == "new", "seed \(seed)")
        #expect(clients[1].responses.last?.text == "old", "seed \(seed)")
        #expect(new.requests.count == 1 && old.openConnections == 0, "seed \(seed)")
        for client in clients { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("what waits for a connection goes to a server that a snapshot adds", arguments: 1...8)
    func added(seed: UInt64) throws {
        let stage = ProxyStage(seed: seed)
        stage.plan.pool.maximum = 1
        _ = ScriptedServer(stage, 0) { _ in [] }
        let other = ScriptedServer(stage, 1) { .reply($0.text) }
        let clients = (0..<2).map { _ in stage.connect() }
        for client in clients { client.ask(.post("x")) }
        stage.run { stage.sum(.waiting) == 1 }

        try stage.reload { snapshot in
            snapshot.servers = [server(0), server(1)]
            snapshot.upstreams[0].servers = 0..<2
        }
        stage.run { other.requests.count == 1 }
        #expect(other.requests.count == 1, "seed \(seed)")
        for client in clients { client.leave() }
        stage.expectNoLeaks()
    }

    @Test(
        "a listener that is removed serves what has connected, and takes no more; its place is used again",
        arguments: 1...8)
    func listeners(seed: UInt64) throws {
        let stage = ProxyStage(seed: seed)
        _ = ScriptedServer(stage, 0) { _ in .reply("ok") }
        let kept = stage.connect()
        kept.ask(.post("one"))
        stage.run { kept.responses.count == 1 }
        let address = SocketAddress.loopback(port: 8081)

        for round in 0..<3 {
            let next = round % 2 == 0 ? address : ProxyStage.front
            let descriptor = stage.network.listen(on: next)
            try stage.reload(sockets: [descriptor]) { $0.listeners = [ListenerPlan(address: next)] }
            stage.run(for: .seconds(1))
            #expect(stage.network.openListeners == 1, "the other's socket is closed, seed \(seed)")
        }
        kept.ask(.post("three"))
        stage.run { kept.responses.count == 2 }
        #expect(kept.responses.last?.status == 200, "seed \(seed)")
        let late = stage.connect()
        late.ask(.post("four"))
        let fresh = ScriptedClient(stage.network.connect(to: address))
        fresh.ask(.post("five"))
        stage.run { !fresh.responses.isEmpty }
        #expect(fresh.responses.first?.status == 200 && late.responses.isEmpty, "seed \(seed)")
        #expect(stage.worker?.clients.listeners.count ?? 9 <= 4, "seed \(seed)")
        for client in [kept, late, fresh] { client.leave() }
        stage.expectNoLeaks()
        #expect(stage.metrics.view.clientCount == 0, "seed \(seed)")
    }

    @Test("a policy that counts calls knows those that were under way before a server was added", arguments: 1...8)
    func calls(seed: UInt64) throws {
        let stage = ProxyStage(seed: seed, servers: 2)
        stage.plan.policy = .leastRequests
        _ = ScriptedServer(stage, 0) { _ in [.pause(.seconds(3))] + .reply("0") }
        _ = ScriptedServer(stage, 1) { _ in [.pause(.seconds(3))] + .reply("1") }
        let third = ScriptedServer(stage, 2) { _ in [.pause(.seconds(3))] + .reply("2") }
        let clients = (0..<7).map { _ in stage.connect() }
        for client in clients[..<4] { client.ask(.post("x")) }
        stage.run { stage.sum(.active) == 4 }
        try stage.reload { snapshot in
            snapshot.servers.append(server(2))
            snapshot.upstreams[0].servers = 0..<3
        }
        for client in clients[4..<6] { client.ask(.post("x")) }
        stage.run { third.requests.count == 2 }
        #expect(third.requests.count == 2, "both go where nothing is under way, seed \(seed)")
        stage.run { clients[..<6].allSatisfy { $0.responses.count == 1 } }
        clients[6].ask(.post("x"))
        stage.run { clients[6].responses.count == 1 }
        for client in clients { client.leave() }
        stage.expectNoLeaks()
    }
}
