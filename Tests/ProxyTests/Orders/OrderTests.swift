import Balancing
import Configuration
import Kernel
import Reactor
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// What operators order of servers and sessions, and what clients notice of it.
@Suite("Orders of operators")
struct OrderTests {
    static let seeds: ClosedRange<UInt64> = 1...3
    static let modes = [Proxy.SessionAffinityMode.signed, .learned]

    @Test(
        "sessions of a disabled server go on with another, and come back to nobody when it is enabled",
        arguments: seeds, modes)
    func disabled(seed: UInt64, mode: Proxy.SessionAffinityMode) throws {
        let scene = RecoveryStage(seed, mode)
        let first = try #require(scene.owner)
        #expect(scene.list().status == 200)

        let index = try #require(scene.servers.firstIndex { $0 === first })
        try scene.stage.reload { $0.servers[index].isDisabled = true }
        let before = first.server.requests.count
        for id in 2...4 { #expect(scene.list(id).status == 200, "seed \(seed)") }
        #expect(first.server.requests.count == before, "a disabled server gets no work at all, seed \(seed)")
        #expect(scene.count(.recovered) == 1, "seed \(seed)")

        try scene.stage.reload { $0.servers[index].isDisabled = false }
        #expect(scene.list(5).status == 200, "seed \(seed)")
        #expect(first.server.requests.count == before, "the session stays where it is now, seed \(seed)")
    }

    @Test("where sessions are not recovered their clients are told that they are gone", arguments: modes)
    func disabledWithoutRecovery(mode: Proxy.SessionAffinityMode) throws {
        let scene = RecoveryStage(1, mode, .never)
        let index = try #require(scene.servers.firstIndex { !$0.sessions.isEmpty })
        try scene.stage.reload { $0.servers[index].isDisabled = true }
        #expect(scene.list().status == 404)

        try scene.stage.reload { $0.servers[index].isDisabled = false }
        #expect(scene.list().status == 200, "the session was never ended")
    }

    @Test("a session that was recovered on a server goes on again when that one is disabled", arguments: seeds)
    func disabledAfterRecovery(seed: UInt64) throws {
        let scene = RecoveryStage(seed, .signed)
        scene.killOwner()
        #expect(scene.list().status == 200)
        let second = try #require(scene.servers.firstIndex { !$0.sessions.isEmpty })
        try scene.stage.reload { $0.servers[second].isDisabled = true }
        #expect(scene.list().status == 200, "seed \(seed)")
        #expect(scene.count(.recovered) == 2, "seed \(seed)")
    }

    /// Makes calls one after the other: how many each server got.
    private static func calls(
        _ count: Int, of client: ScriptedClient, _ stage: ProxyStage, _ servers: [ScriptedServer]
    ) -> [Int] {
        let before = servers.map(\.requests.count)
        for _ in 0..<count {
            let answers = client.responses.count
            client.ask(.post(.call(1)))
            stage.awaitResponses(answers + 1, to: client)
        }
        return zip(servers, before).map { $0.requests.count - $1 }
    }

    @Test("an ordered weight counts in place of the configuration's until it is taken back")
    func weight() throws {
        let stage = ProxyStage(seed: 3, servers: 2)
        let servers = (0..<2).map { index in ScriptedServer(stage, index) { _ in .reply("\(index)") } }
        let client = stage.connect()
        func call(_ count: Int) -> [Int] { Self.calls(count, of: client, stage, servers) }
        #expect(call(10) == [5, 5])

        var orders = ServerOrders()
        orders.weights["mcp/mcp-1:3001"] = 4
        try stage.reload { $0.apply(orders) }
        #expect(call(50) == [10, 40])

        try stage.reload { $0.apply(ServerOrders()) }
        #expect(call(10) == [5, 5])
    }

    @Test("an ordered ejection holds without outlier detection, ends in time, and can be ended before")
    func ejection() throws {
        let stage = ProxyStage(seed: 5, servers: 2)
        let servers = (0..<2).map { index in ScriptedServer(stage, index) { _ in .reply("\(index)") } }
        stage.start(healthChecks: true)
        let client = stage.connect()
        func call(_ count: Int) -> [Int] { Self.calls(count, of: client, stage, servers) }
        func order(until end: Instant?) {
            var detector = OutlierDetector()
            if let end { detector.eject(until: end.nanoseconds) }
            stage.metrics.view.store(.outlier, server: 0, Int64(bitPattern: detector.packed))
            stage.post(.ejectionOrdered(stage.snapshot.servers[0].id, until: end))
            stage.run(for: .milliseconds(5))
        }
        #expect(call(4) == [2, 2])

        order(until: stage.network.now + .seconds(10))
        #expect(call(4) == [0, 4])
        stage.run(for: .seconds(11))
        #expect(call(4) == [2, 2])

        order(until: stage.network.now + .seconds(10))
        #expect(call(4) == [0, 4])
        order(until: nil)
        #expect(call(4) == [2, 2])
    }

    @Test("the client of a forgotten session gets 404, and the others go on", arguments: seeds, modes)
    func forgotten(seed: UInt64, mode: Proxy.SessionAffinityMode) throws {
        let scene = RecoveryStage(seed, mode)
        let other = scene.stage.connect()
        let opened = scene.send(.post(.initialize), on: other)
        let otherSession = opened["mcp-session-id"] ?? ""
        #expect(scene.list().status == 200)
        let snapshot = scene.stage.snapshot
        let table = try #require(snapshot.sessionTable)
        let key = try key(of: scene.session, scene.stage)
        let counter: SessionTable.Counter = { server, change in
            scene.stage.metrics.view.add(.sessions, server: Int(server.slot), change)
        }
        let before = scene.stage.shared(.sessions)

        _ = table.forget(key, now: scene.stage.network.now, counter: counter)
        snapshot.learned?.forget(key, counter: counter)
        scene.stage.metrics.view.noteRecovery()

        let answer = scene.list()
        #expect(answer.status == 404 && answer.text.contains("-32001"), "seed \(seed)")
        #expect(scene.list().status == 404, "seed \(seed)")
        #expect(scene.stage.shared(.sessions) == before - 1, "seed \(seed)")
        #expect(
            scene.send(.post(.call(3, "tools/list"), session: otherSession), on: other).status == 200, "seed \(seed)")
    }

    @Test(
        "the streams that a forgotten session's client listens on end, and those of others go on", arguments: seeds,
        modes)
    func forgottenStream(seed: UInt64, mode: Proxy.SessionAffinityMode) throws {
        let scene = RecoveryStage(seed, mode)
        let stage = scene.stage
        let other = stage.connect()
        let otherSession = scene.send(.post(.initialize), on: other)["mcp-session-id"] ?? ""
        let clients = [scene.session, scene.session, otherSession].map { session in
            let client = stage.connect()
            client.ask(.openStream(session: session))
            stage.run { client.current.body.count > 3 }
            return client
        }
        #expect(stage.sum(.streaming) == 3, "seed \(seed)")
        let key = try key(of: scene.session, stage)
        let counter: SessionTable.Counter = { _, _ in }

        let ended = stage.snapshot.sessionTable?.forget(key, now: stage.network.now, counter: counter)
        stage.snapshot.learned?.forget(key, counter: counter)
        stage.metrics.view.noteRecovery()
        stage.post(.sessionForgotten(ForgottenSession(key: key, ended: ended)))
        stage.run(within: .seconds(2)) { clients[0].responses.count + clients[1].responses.count == 2 }

        #expect(clients.map(\.responses.count) == [1, 1, 0], "they end properly, seed \(seed)")
        #expect(stage.sum(.streaming) == 1, "seed \(seed)")
        #expect(scene.list().status == 404, "seed \(seed)")
        let again = stage.connect()
        #expect(scene.send(.openStream(session: scene.session), on: again).status == 404, "seed \(seed)")
        let series = stage.metrics.calls.series().filter { $0.kind == .session }
        #expect(series.count == 1 && series[0].histogram.count == 1 && series[0].failure == .none, "seed \(seed)")
    }

    private func key(of session: String, _ stage: ProxyStage) throws -> SessionKey {
        let affinity = SessionAffinity(stage.snapshot, stage.metrics.view)
        var buffer = ByteBuffer()
        buffer.append(session)
        let owner = affinity.owner(ofSession: buffer, 0..<buffer.count, in: 0, now: stage.network.now)
        guard case .server(_, let key) = owner else { throw NoKey() }
        return key
    }

    private struct NoKey: Error {}
}
