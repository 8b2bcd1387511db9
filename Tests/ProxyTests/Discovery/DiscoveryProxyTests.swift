import Balancing
import Kernel
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// Servers that appear, vanish and come back while calls and streams are under way.
@Suite("Servers that are found")
struct DiscoveryProxyTests {
    static let seeds: ClosedRange<UInt64> = 1...6

    private func get(_ session: String) -> String {
        "GET /mcp HTTP/1.1\r\nHost: mcp.test\r\nAccept: text/event-stream\r\nMcp-Session-Id: \(session)\r\n\r\n"
    }

    @Test("an upstream without servers answers 503 until one is found", arguments: seeds)
    func none(seed: UInt64) throws {
        for policy in [Policy.roundRobin, .ipHash, .sessionHash, .leastRequests, .powerOfTwo] {
            let found = DiscoveryStage(seed, servers: 2, present: 0) { $0.plan.policy = policy }
            let client = found.stage.connect()
            let answer = found.send(.post(.initialize), on: client)
            #expect(answer.status == 503 && answer["retry-after"] != nil, "seed \(seed) \(policy)")
            try found.find(0...1)
            #expect(found.send(.post(.initialize), on: client).status == 200, "seed \(seed) \(policy)")
            client.leave()
            found.stage.expectNoLeaks()
        }
    }

    @Test("a server that appears gets a small share at first; calls and streams of others go on", arguments: seeds)
    func appears(seed: UInt64) throws {
        let found = DiscoveryStage(seed, servers: 3, present: 2) { $0.plan.healthCheck.slowStart = .seconds(30) }
        let (client, session, owner) = found.open()
        let (reader, stream, _) = found.open()
        reader.ask(get(stream))
        found.stage.run { reader.current.text.contains("hello") }
        found.servers[owner].holds = true
        client.ask(.post(.call(5), session: session))
        found.stage.run(for: .milliseconds(50))

        try found.find(0...2)

        var shares = [0, 0, 0]
        let other = found.stage.connect()
        for number in 0..<60 {
            let answer = found.send(.post(.call(number), version: "2026-07-28"), on: other)
            if let server = found.servers.firstIndex(where: { answer.text.hasPrefix("\($0.name) ") }) {
                shares[server] += 1
            }
        }
        other.leave()
        #expect(shares.reduce(0, +) == 60, "seed \(seed)")
        #expect((1...8).contains(shares[2]), "\(shares) seed \(seed)")
        #expect(!reader.isOver, "seed \(seed)")
        #expect(client.responses.count == 1 && !client.isOver, "the call goes on, seed \(seed)")
        client.leave()
        reader.leave()
        found.stage.expectNoLeaks()
    }

    @Test("a server that vanishes keeps its sessions and streams, and gets no new ones", arguments: seeds)
    func vanishes(seed: UInt64) throws {
        let found = DiscoveryStage(seed, servers: 3, present: 3)
        let sessions = (0..<6).map { _ in found.open() }
        let streaming = sessions[0]
        let reader = found.stage.connect()
        reader.ask(get(streaming.session))
        found.stage.run { reader.current.text.contains("hello") }

        try found.find((0..<3).filter { $0 != streaming.server })

        #expect(found.isLeaving(streaming.server))
        for (client, session, server) in sessions {
            let answer = found.call(session, on: client)
            #expect(answer.status == 200 && answer.text.hasPrefix("replica-\(server) "), "seed \(seed)")
        }
        for _ in 0..<6 {
            let (client, _, server) = found.open()
            #expect(server != streaming.server && server >= 0, "seed \(seed)")
            client.leave()
        }
        #expect(!reader.isOver, "seed \(seed)")
        for (client, _, _) in sessions { client.leave() }
        reader.leave()
        found.stage.expectNoLeaks()
    }

    @Test("one that comes back while it drains is the same server, with its sessions and connections", arguments: seeds)
    func returns(seed: UInt64) throws {
        let found = DiscoveryStage(seed, servers: 2, present: 2)
        let (client, session, server) = found.open()
        let id = found.id(server)
        let connections = found.servers[server].server.connections.count
        try found.find([1 - server])
        #expect(found.call(session, on: client).status == 200 && found.id(server) == id, "seed \(seed)")

        try found.find(0...1)

        #expect(found.id(server) == id && !found.isLeaving(server), "seed \(seed)")
        #expect(found.call(session, on: client, 2).text.hasPrefix("replica-\(server) "), "seed \(seed)")
        #expect(found.servers[server].server.connections.count == connections, "seed \(seed)")
        let owners = Set(
            (0..<6).map { _ in
                let (client, _, server) = found.open()
                client.leave()
                return server
            })
        #expect(owners == [0, 1], "seed \(seed)")
        client.leave()
        found.stage.expectNoLeaks()
    }

    @Test("when the drain is over, what is left of its sessions goes on with another server", arguments: seeds)
    func recovers(seed: UInt64) throws {
        let scene = RecoveryStage(seed, .signed, servers: 2) { stage, _ in stage.snapshot.drainTimeout = .seconds(60) }
        let all = scene.stage.snapshot.servers
        let owner = try #require(scene.servers.firstIndex { !$0.sessions.isEmpty })
        var removed = RemovedServers()
        try scene.stage.reload(with: [all[1 - owner]], &removed)
        #expect(scene.list().text.contains(scene.servers[owner].name), "seed \(seed)")
        scene.stage.run(for: .seconds(61))

        // The reloader looks again when the time is up.
        try scene.stage.reload(with: [all[1 - owner]], &removed)

        #expect(scene.stage.snapshot.servers.count == 1 && removed.isEmpty, "seed \(seed)")
        let answer = scene.list()
        #expect(answer.status == 200 && answer.text.contains(scene.servers[1 - owner].name), "seed \(seed)")
        #expect(scene.count(.recovered) == 1, "seed \(seed)")
        scene.expectNoLeaks()
    }

    @Test("one that vanishes because it died loses no session that can be recovered", arguments: seeds)
    func dies(seed: UInt64) throws {
        let scene = RecoveryStage(seed, .signed, servers: 2)
        let all = scene.stage.snapshot.servers
        let owner = try #require(scene.servers.firstIndex { !$0.sessions.isEmpty })
        var removed = RemovedServers()
        scene.killOwner()
        try scene.stage.reload(with: [all[1 - owner]], &removed)
        let answer = scene.list()
        #expect(answer.status == 200 && answer.text.contains(scene.servers[1 - owner].name), "seed \(seed)")
        scene.expectNoLeaks()
    }

    @Test("servers come and go at random: no call fails, and every session stays with its server", arguments: 1...12)
    func random(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let count = 8
        let found = DiscoveryStage(seed, servers: count, present: 3) { stage in
            stage.plan.policy = [Policy.roundRobin, .leastRequests, .powerOfTwo, .sessionHash][Int(seed) % 4]
            if seed % 2 == 0 { stage.plan.healthCheck.slowStart = .seconds(10) }
        }
        var sessions: [(client: ScriptedClient, session: String, server: Int)] = []
        var present = Set(0..<3)
        for step in 0..<60 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                present = Set((0..<count).filter { _ in random.oneIn(2) })
                if present.isEmpty { present = [0] }
                try found.find(present.sorted())
            case 1 where sessions.count < 20:
                let opened = found.open()
                #expect(present.contains(opened.server), "seed \(seed), step \(step)")
                sessions.append(opened)
            case 2 where !sessions.isEmpty:
                let gone = sessions.remove(at: Int.random(in: sessions.indices, using: &random))
                #expect(found.send(.delete(gone.session), on: gone.client).status == 200)
                gone.client.leave()
            default:
                guard !sessions.isEmpty else { continue }
                let (client, session, server) = random.element(of: sessions)
                let answer = found.call(session, on: client, step)
                let isRight = answer.status == 200 && answer.text.hasPrefix("replica-\(server) ")
                #expect(isRight, "\(answer.status) \(answer.text), seed \(seed), step \(step)")
            }
        }
        for (client, _, _) in sessions { client.leave() }
        found.stage.expectNoLeaks()
        found.stage.expectEveryExchangeEndedOnce()
    }
}
