import Configuration
import Kernel
import MCP
import Simulation
import Telemetry
import Testing

@testable import Proxy

/// `mcp_server_session_duration_seconds`: each session once, when it is over.
@Suite("How long sessions last")
struct SessionDurationTests {
    static let modes = [Proxy.SessionAffinityMode.signed, .learned]

    private func ended(_ stage: ProxyStage) -> [CallSeries] {
        stage.metrics.calls.series().filter { $0.kind == .session }
    }

    private func seconds(_ series: CallSeries?) -> Double { Double(series?.histogram.nanoseconds ?? 0) / 1e9 }

    private func count(_ stage: ProxyStage) -> Int64 { ended(stage).reduce(0) { $0 + $1.histogram.count } }

    /// Over a new connection: one that idles is closed.
    private func send(_ request: String, _ scene: RecoveryStage) -> Message {
        scene.send(request, on: scene.stage.connect())
    }

    private func list(_ scene: RecoveryStage) -> Message {
        send(.post(.call(7, "tools/list"), session: scene.session), scene)
    }

    @Test("a session that its client ends, with its upstream and revision", arguments: modes)
    func deleted(mode: Proxy.SessionAffinityMode) throws {
        let scene = RecoveryStage(1, mode, .clean)
        scene.stage.run(for: .seconds(90))
        #expect(count(scene.stage) == 0)
        #expect(send(.delete(scene.session), scene).status == 200)

        let series = try #require(ended(scene.stage).first)
        #expect(count(scene.stage) == 1)
        #expect(series.upstream == 0 && series.server == nil && series.failure == .none)
        #expect(series.revision.names == ["2025-11-25"])
        #expect(seconds(series) > 90 && seconds(series) < 130, "\(seconds(series))")

        _ = send(.delete(scene.session), scene)
        scene.stage.run(for: .seconds(600))
        #expect(count(scene.stage) == 1)
    }

    @Test("a session that nobody uses any more has lasted to its last use", arguments: modes)
    func idle(mode: Proxy.SessionAffinityMode) throws {
        let scene = RecoveryStage(2, mode) { stage, _ in stage.plan.sessionIdle = .seconds(1_000) }
        scene.stage.run(for: .seconds(400))
        #expect(list(scene).status == 200)
        scene.stage.run(for: .seconds(900))
        #expect(count(scene.stage) == 0)
        scene.stage.run(for: .seconds(2_000))

        #expect(count(scene.stage) == 1)
        let series = try #require(ended(scene.stage).first)
        #expect(seconds(series) > 395 && seconds(series) < 440, "\(seconds(series))")
        #expect(series.failure == .none)
    }

    @Test("a session whose server knows it no more is lost when that is seen")
    func unknownToServer() throws {
        let scene = RecoveryStage(3, .signed, .never) { stage, _ in stage.plan.sessionIdle = .seconds(3_600) }
        scene.stage.run(for: .seconds(50))
        let owner = try #require(scene.owner)
        owner.die()
        owner.restart()
        #expect(list(scene).status == 404)
        #expect(list(scene).status == 404)
        scene.stage.run(for: .seconds(6_000))

        #expect(count(scene.stage) == 1)
        let series = try #require(ended(scene.stage).first)
        #expect(series.failure == .aborted)
        #expect(seconds(series) > 49 && seconds(series) < 90, "\(seconds(series))")
    }

    @Test("a session that is lost with its server counts when its client is told, once", arguments: modes)
    func lost(mode: Proxy.SessionAffinityMode) throws {
        let scene = RecoveryStage(4, mode, .never) { stage, _ in stage.plan.sessionIdle = .seconds(1_000) }
        scene.stage.run(for: .seconds(30))
        let index = try #require(scene.servers.firstIndex { !$0.sessions.isEmpty })
        try scene.stage.reload { $0.servers[index].isDisabled = true }
        for _ in 0..<3 { #expect(list(scene).status == 404) }

        #expect(count(scene.stage) == 1)
        let series = try #require(ended(scene.stage).first)
        #expect(series.failure == .aborted && series.upstream == 0)
        #expect(seconds(series) > 30 && seconds(series) < 40, "\(seconds(series))")
        scene.stage.run(for: .seconds(4_000))
        #expect(count(scene.stage) == 1)
    }

    @Test("a session that went on with another server counts once, from its beginning to its end", arguments: modes)
    func moved(mode: Proxy.SessionAffinityMode) throws {
        let scene = RecoveryStage(5, mode)
        scene.stage.run(for: .seconds(40))
        scene.killOwner()
        #expect(list(scene).status == 200)
        #expect(count(scene.stage) == 0)
        scene.stage.run(for: .seconds(40))
        #expect(send(.delete(scene.session), scene).status == 200)

        #expect(count(scene.stage) == 1)
        let series = try #require(ended(scene.stage).first)
        #expect(series.failure == .none)
        #expect(seconds(series) > 80 && seconds(series) < 90, "\(seconds(series))")
    }

    @Test("a session of HTTP+SSE lasts as long as its stream")
    func legacy() throws {
        let stage = ProxyStage(seed: 6)
        let server = ScriptedServer(stage) { _ in .stream("event: endpoint\ndata: /messages?session_id=1\n\n") }
        let client = stage.connect()
        client.ask(.openStream("/sse"))
        stage.run { !client.current.body.isEmpty }
        stage.run(for: .seconds(20))
        #expect(count(stage) == 0)
        client.leave()
        stage.run(for: .seconds(1))

        let series = try #require(ended(stage).first)
        #expect(series.histogram.count == 1)
        #expect(series.revision.names == ["2024-11-05"])
        #expect(seconds(series) > 19 && seconds(series) < 22)
        withExtendedLifetime(server) {}
    }

    @Test("an end is told to another process, and counted by one of the two")
    func handedOver() throws {
        let old = SessionTable(limit: 100)
        let new = SessionTable(limit: 100)
        let key = SessionKey(high: 1, low: 2)
        let server = ServerID(slot: 0, generation: 1)
        old.open(key, on: server, nil, isLearned: false, now: Instant(nanoseconds: 0), counter: { _, _ in })
        old.trackChanges(true)
        for (key, record) in old.takeChanges() { #expect(record != nil, "\(key)") }
        new.restore(key, try #require(old.record(of: key)), counter: { _, _ in })
        #expect(new.count == 1)

        let end = old.end(key, now: Instant(nanoseconds: 5_000_000_000), counter: { _, _ in })
        #expect(end == EndedSession(duration: .seconds(5), server: server, revision: [], isLost: false))
        let changes = old.takeChanges()
        #expect(changes.map(\.0) == [key] && changes.allSatisfy { $0.1 == nil })
        let message = HandoverMessage.recordEnded(key)
        #expect(HandoverMessage(message.line) == message)
        new.remove(key, counter: { _, _ in })
        #expect(new.count == 0)

        // What is not used any more ends there, and not here as well.
        old.open(key, on: server, nil, isLearned: false, now: Instant(nanoseconds: 0), counter: { _, _ in })
        for _ in 0..<16 {
            #expect(
                old.sweep(now: Instant(nanoseconds: 1 << 50), idle: { _ in .seconds(1) }, counter: { _, _ in }) == [])
        }
        old.trackChanges(false)
        let swept = (0..<16).flatMap { _ in
            old.sweep(now: Instant(nanoseconds: 1 << 50), idle: { _ in .seconds(1) }, counter: { _, _ in })
        }
        #expect(swept.count == 1)
    }
}
