import Kernel
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// When a session counts as lost. Most clients never initialize again, so a false 404 is for ever.
@Suite("Lost sessions")
struct LostSessionTests {
    static let seeds: ClosedRange<UInt64> = 1...6
    static let modes = [SessionAffinityMode.signed, .learned]

    private static func scene(
        _ seed: UInt64, _ mode: SessionAffinityMode
    ) -> (stage: ProxyStage, server: SessionServer, party: SessionTests.Party) {
        let stage = ProxyStage(seed: seed)
        stage.plan.affinity = mode
        stage.plan.pool.idleTimeout = .seconds(2)
        if mode == .learned { stage.snapshot.learned = LearnedSessions(limit: 100) }
        let server = SessionServer(stage, 0)
        return (stage, server, SessionTests.open(stage))
    }

    /// Waits until the pool has let its idle connection go.
    private static func emptyPool(_ stage: ProxyStage, _ server: SessionServer) {
        stage.run(within: .seconds(20)) { server.server.openConnections == 0 }
    }

    /// The process ends, and the proxy has heard of it.
    private static func die(_ server: SessionServer, _ stage: ProxyStage) {
        server.server.die()
        stage.run(for: .milliseconds(50))
    }

    @Test("a server that refuses for a moment keeps its sessions, and the call is answered", arguments: seeds, modes)
    func momentaryRefusal(seed: UInt64, mode: SessionAffinityMode) {
        let (stage, server, party) = Self.scene(seed, mode)
        Self.emptyPool(stage, server)
        stage.network.refuse(at: ProxyStage.server(0))
        stage.network.after(.milliseconds(300)) { server.server.listen() }
        let answer = SessionTests.call(stage, party.session, on: party.client)
        #expect(answer.status == 200 && answer.text.hasPrefix(party.owner), "seed \(seed)")
        party.client.leave()
        stage.expectNoLeaks()
    }

    @Test("a server that refuses every dial for half a second has lost its sessions", arguments: seeds, modes)
    func dead(seed: UInt64, mode: SessionAffinityMode) {
        let (stage, server, party) = Self.scene(seed, mode)
        Self.die(server, stage)
        let began = stage.network.now
        party.client.ask(.post(.call(1), session: party.session))
        party.client.ask(.post(.call(2), session: party.session))
        stage.run { party.client.responses.count == 3 }
        let answers = party.client.responses.suffix(2)
        #expect(answers.map(\.status) == [404, 404], "seed \(seed)")
        #expect(answers.allSatisfy { $0.text.contains("-32001") }, "seed \(seed)")
        // The second need not wait for what is known.
        let waited = (party.client.peer.lastRead ?? began) - began
        #expect(waited >= .milliseconds(500) && waited < .milliseconds(900), "\(waited), seed \(seed)")
        party.client.leave()
        stage.expectNoLeaks()
    }

    @Test("once it is back it is asked, whatever was refused before, and its answer counts", arguments: seeds, modes)
    func comesBack(seed: UInt64, mode: SessionAffinityMode) {
        for keepsSessions in [true, false] {
            let (stage, server, party) = Self.scene(seed, mode)
            Self.die(server, stage)
            #expect(SessionTests.call(stage, party.session, on: party.client).status == 404, "seed \(seed)")
            stage.run(for: .seconds(30))
            if keepsSessions { server.server.listen() } else { server.restart() }
            let client = stage.connect()
            let status = SessionTests.call(stage, party.session, on: client).status
            #expect(status == (keepsSessions ? 200 : 404), "\(mode), seed \(seed)")
            for client in [party.client, client] { client.leave() }
            stage.expectNoLeaks()
        }
    }

    @Test("a server that refuses newcomers while a stream to it is open lives: 503", arguments: seeds, modes)
    func refusesNewcomers(seed: UInt64, mode: SessionAffinityMode) {
        let (stage, server, party) = Self.scene(seed, mode)
        let stream = stage.connect()
        stream.ask(.openStream(session: party.session))
        stage.run { stream.current.text.contains("hello") }
        stage.run(for: .seconds(5))
        #expect(server.server.openConnections == 1, "seed \(seed)")
        stage.network.refuse(at: ProxyStage.server(0))
        let answer = SessionTests.call(stage, party.session, on: party.client)
        #expect(answer.status == 503 && answer["retry-after"] == "1", "seed \(seed)")
        #expect(answer.text.contains("session_server_unavailable"), "seed \(seed)")
        server.server.listen()
        #expect(SessionTests.call(stage, party.session, on: party.client).status == 200, "seed \(seed)")
        for client in [party.client, stream] { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("a server that cannot be reached may still have its sessions: 503", arguments: seeds, modes)
    func unreachable(seed: UInt64, mode: SessionAffinityMode) {
        let (stage, server, party) = Self.scene(seed, mode)
        Self.emptyPool(stage, server)
        stage.network.swallow(at: ProxyStage.server(0))
        let answer = SessionTests.call(stage, party.session, on: party.client)
        #expect(answer.status == 503 && answer["retry-after"] == "1", "seed \(seed)")
        server.server.listen()
        #expect(SessionTests.call(stage, party.session, on: party.client).status == 200, "seed \(seed)")
        party.client.leave()
        stage.expectNoLeaks()
    }

    @Test("a client that leaves while its server is dialled again leaves nothing behind", arguments: seeds)
    func leaves(seed: UInt64) {
        let (stage, server, party) = Self.scene(seed, .signed)
        server.server.die()
        party.client.ask(.post(.call(1), session: party.session))
        stage.run(for: .milliseconds(250))
        party.client.leave()
        stage.expectNoLeaks()
    }

    @Test(
        "a connection that is lost while its streams' server is dialled again is no mistake of ours", arguments: seeds)
    func connectionLost(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = SessionServer(stage, 0)
        let party = SessionTests.open(stage)
        Self.die(server, stage)
        let client = stage.connectHTTP2()
        for _ in 0..<40 {
            _ = client.ask(
                "POST", "/mcp", [HeaderField("mcp-session-id", party.session)], body: Array(String.call(1).utf8))
        }
        // All of them are dialled again at once, and the connection goes about then.
        stage.network.after(Interval(nanoseconds: 169_000_000 + seed * 400_000)) { client.peer.perform(.reset) }
        stage.run(for: .seconds(2))
        #expect(stage.exchangeCount == 0, "seed \(seed)")
        #expect(stage.metrics.sum(.inconsistent) == 0, "seed \(seed)")
        party.client.leave()
        stage.expectNoLeaks()
    }
}
