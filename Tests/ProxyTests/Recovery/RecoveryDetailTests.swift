import Configuration
import Kernel
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// What goes with a recovery, and what may go wrong in one.
@Suite("Recovery of sessions: details")
struct RecoveryDetailTests {
    static let seeds: ClosedRange<UInt64> = 1...4
    static let modes = [Proxy.SessionAffinityMode.signed, .learned]

    @Test("the log level and the subscriptions are set again", arguments: seeds, modes)
    func replay(seed: UInt64, mode: Proxy.SessionAffinityMode) throws {
        let scene = RecoveryStage(seed, mode)
        func tell(_ method: String, _ params: String) {
            let body = #"{"jsonrpc":"2.0","id":4,"method":"\#(method)","params":\#(params)}"#
            #expect(scene.send(.post(body, session: scene.session)).status == 200)
        }
        tell("logging/setLevel", #"{"level":"debug"}"#)
        tell("logging/setLevel", #"{"level":"error"}"#)
        for uri in ["a", "b", "c"] { tell("resources/subscribe", #"{"uri":"\#(uri)"}"#) }
        tell("resources/unsubscribe", #"{"uri":"b"}"#)
        scene.killOwner()
        #expect(scene.list().status == 200, "seed \(seed)")
        let owner = try #require(scene.owner)
        #expect(
            owner.log.map(\.method) == [
                "initialize", "notifications/initialized", "logging/setLevel", "resources/subscribe",
                "resources/subscribe", "tools/list",
            ], "seed \(seed)")
        #expect(owner.log[2].body.contains(#"{"level":"error"}"#), "seed \(seed)")
        #expect(owner.log[3].body.contains(#"{"uri":"a"}"#) && owner.log[4].body.contains(#"{"uri":"c"}"#))
        scene.expectNoLeaks()
    }

    @Test("what answers a server that is gone is accepted and dropped", arguments: seeds, modes)
    func responses(seed: UInt64, mode: Proxy.SessionAffinityMode) {
        let scene = RecoveryStage(seed, mode) { _, servers in
            for server in servers {
                server.events = "data: {\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"sampling/createMessage\"}\n\n"
            }
        }
        func answer(_ id: Int) -> Message {
            scene.send(.post(#"{"jsonrpc":"2.0","id":\#(id),"result":{}}"#, session: scene.session))
        }
        let first = scene.owner
        #expect(answer(0).status == 202)
        #expect(first?.methods("response").count == 1, "seed \(seed)")
        scene.killOwner()
        // The server was not missed yet: the message alone is worth no recovery.
        #expect(answer(0).status == 202, "seed \(seed)")
        #expect(scene.count(.recovered) == 0 && scene.count(.swallowed) == 1, "seed \(seed)")
        #expect(scene.list().status == 200, "seed \(seed)")
        #expect(answer(0).status == 202, "seed \(seed)")
        #expect(scene.owner?.methods("response").isEmpty == true, "the new server has not asked, seed \(seed)")
        // It asks, with the same id: once.
        let stream = scene.stage.connect()
        stream.ask(.openStream(session: scene.session))
        scene.stage.run { stream.current.text.contains("sampling") }
        #expect(answer(0).status == 202 && answer(0).status == 202, "seed \(seed)")
        #expect(scene.owner?.methods("response").count == 1, "seed \(seed)")
        stream.leave()
        scene.expectNoLeaks()
    }

    @Test("without another server the session waits: 503, and later it goes on", arguments: seeds, modes)
    func noServer(seed: UInt64, mode: Proxy.SessionAffinityMode) {
        let scene = RecoveryStage(seed, mode, servers: 2)
        let lost = scene.killOwner()
        let other = scene.servers.first { $0.name != lost?.name }
        other?.die()
        scene.stage.run(for: .seconds(1))
        let answer = scene.list()
        #expect(answer.status == 503 && answer["retry-after"] == "1", "seed \(seed)")
        other?.restart()
        for server in scene.stage.snapshot.servers.indices { scene.stage.markHealthy(server) }
        scene.stage.run(for: .seconds(1))
        #expect(scene.list().status == 200, "seed \(seed)")
        scene.expectNoLeaks()
    }

    @Test("a server that does not answer `initialize` keeps nobody waiting for ever", arguments: seeds, modes)
    func silent(seed: UInt64, mode: Proxy.SessionAffinityMode) {
        let scene = RecoveryStage(seed, mode)
        let lost = scene.killOwner()
        for server in scene.servers where server.name != lost?.name { server.holdsInitialize = true }
        let before = scene.stage.network.now
        #expect(scene.list().status == 503, "seed \(seed)")
        #expect(scene.client.lastReceived - before < .seconds(7), "seed \(seed)")
        #expect(scene.count(.timedOut) == 1, "seed \(seed)")
        for server in scene.servers { server.holdsInitialize = false }
        #expect(scene.list().status == 200, "seed \(seed)")
        scene.expectNoLeaks()
    }

    @Test("a server that refuses `initialize` leaves the session lost", arguments: seeds)
    func refused(seed: UInt64) {
        for (status, expected) in [("401 Unauthorized", 404), ("503 Service Unavailable", 503)] {
            let scene = RecoveryStage(seed, .signed)
            let lost = scene.killOwner()
            for server in scene.servers where server.name != lost?.name { server.refusal = status }
            #expect(scene.list().status == expected, "seed \(seed)")
            scene.expectNoLeaks()
        }
    }

    @Test("a client that leaves during the recovery leaves nothing behind", arguments: 1...12 as ClosedRange<UInt64>)
    func leaves(seed: UInt64) {
        let scene = RecoveryStage(seed, seed % 2 == 0 ? .signed : .learned)
        scene.killOwner()
        let client = scene.stage.connect()
        client.ask(.post(.call(1, "tools/list"), session: scene.session))
        scene.stage.run(for: .milliseconds(490 + seed * 5))
        client.peer.perform(.reset)
        scene.stage.run(for: .milliseconds(5))
        let answer = scene.list()
        #expect(answer.status == 200 || answer.status == 503, "seed \(seed)")
        if answer.status == 503 { #expect(scene.list().status == 200, "seed \(seed)") }
        scene.expectNoLeaks()
    }

    @Test("a session of a server that was removed goes on", arguments: seeds, modes)
    func removed(seed: UInt64, mode: Proxy.SessionAffinityMode) throws {
        let scene = RecoveryStage(seed, mode)
        let index = try #require(scene.servers.firstIndex { !$0.sessions.isEmpty })
        try scene.stage.reload { snapshot in
            snapshot.servers.remove(at: index)
            snapshot.upstreams[0].servers = 0..<2
        }
        let answer = scene.list()
        #expect(answer.status == 200 && answer["mcp-session-id"] == scene.session, "seed \(seed)")
        #expect(answer.text.contains(scene.servers[index].name) == false, "seed \(seed)")
        scene.expectNoLeaks()
    }

    @Test("a recovery that another worker has begun is waited for", arguments: seeds, modes)
    func otherWorker(seed: UInt64, mode: Proxy.SessionAffinityMode) throws {
        for works in [true, false] {
            let scene = RecoveryStage(seed, mode)
            let lost = scene.killOwner()
            let found = scene.stage.worker?.sessionKey(scene.session)
            let key = try #require(found)
            let table = try #require(scene.stage.snapshot.sessionTable)
            #expect(table.decide(key, .call, .always, asked: 0, now: scene.stage.network.now) == .start)
            scene.client.ask(.post(.call(5), session: scene.session))
            let before = scene.client.responses.count
            scene.stage.run(for: .seconds(2))
            #expect(scene.client.responses.count == before, "it waits, seed \(seed)")
            let index = try #require(scene.servers.firstIndex { $0.name != lost?.name })
            if works {
                scene.servers[index].adopt("elsewhere")
                table.finishRecovery(
                    key, on: scene.stage.snapshot.servers[index].id, id: Array("elsewhere".utf8),
                    now: scene.stage.network.now, counter: { _, _ in })
                scene.stage.metrics.view.noteRecovery()
            } else {
                table.failRecovery(key, .differs)
            }
            scene.stage.run(within: .seconds(1)) { scene.client.responses.count > before }
            let answer = scene.client.responses.last ?? Message()
            #expect(answer.status == (works ? 200 : 404), "seed \(seed)")
            if works { #expect(answer.text.contains("elsewhere") && answer["mcp-session-id"] == scene.session) }
            scene.expectNoLeaks()
        }
    }

    @Test("a recovery that another worker never ends is not waited for for ever", arguments: modes)
    func stuckWorker(mode: Proxy.SessionAffinityMode) throws {
        let scene = RecoveryStage(1, mode)
        scene.killOwner()
        let found = scene.stage.worker?.sessionKey(scene.session)
        let key = try #require(found)
        _ = scene.stage.snapshot.sessionTable?.decide(key, .call, .always, asked: 0, now: scene.stage.network.now)
        #expect(scene.list().status == 503)
        scene.stage.run(for: .seconds(10))
        #expect(scene.list().status == 200, "it is begun anew")
        scene.expectNoLeaks()
    }

    @Test("over HTTP/2 as well", arguments: seeds, modes)
    func http2(seed: UInt64, mode: Proxy.SessionAffinityMode) {
        let scene = RecoveryStage(seed, mode)
        scene.killOwner()
        let client = scene.stage.connectHTTP2()
        let streams = (1...5).map { id in
            client.ask(
                "POST", "/mcp", [HeaderField("mcp-session-id", scene.session)], body: Array(String.call(id).utf8))
        }
        scene.stage.run { streams.allSatisfy { client[$0].response.isComplete } }
        for stream in streams {
            #expect(client[stream].response.status == 200, "seed \(seed)")
            #expect(client[stream].response["mcp-session-id"] == scene.session, "seed \(seed)")
        }
        #expect(scene.count(.recovered) == 1, "seed \(seed)")
        client.peer.perform(.close)
        scene.expectNoLeaks()
    }

    @Test("a session that the table of learned ids has no place for is ended at its server", arguments: seeds)
    func refusedOpening(seed: UInt64) {
        let scene = RecoveryStage(seed, .learned) { stage, _ in
            // One place in each of sixteen shards.
            stage.snapshot.learned = LearnedSessions(limit: 16)
        }
        var refused = 0
        for _ in 0..<60 where scene.send(.post(.initialize)).status == 503 { refused += 1 }
        scene.stage.run(for: .seconds(1))
        #expect(refused > 10, "seed \(seed)")
        #expect(scene.servers.reduce(0) { $0 + $1.sessions.count } == 61 - refused, "seed \(seed)")
        scene.expectNoLeaks()
    }

    @Test("sessions that nobody uses are not counted for ever", arguments: modes)
    func idle(mode: Proxy.SessionAffinityMode) {
        let scene = RecoveryStage(1, mode) { stage, _ in stage.plan.sessionIdle = .seconds(100) }
        #expect(scene.stage.shared(.sessions) == 1)
        scene.stage.run(for: .seconds(70))
        #expect(scene.list().status == 200)
        scene.stage.run(for: .seconds(70))
        #expect(scene.stage.shared(.sessions) == 1)
        scene.stage.run(within: .seconds(200)) { scene.stage.shared(.sessions) == 0 }
        #expect(scene.stage.shared(.sessions) == 0)
        scene.expectNoLeaks()
    }
}
