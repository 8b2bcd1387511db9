import Configuration
import Kernel
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// Sessions that go on when their server is gone.
@Suite("Recovery of sessions")
struct RecoveryTests {
    static let seeds: ClosedRange<UInt64> = 1...4
    static let modes = [Proxy.SessionAffinityMode.signed, .learned]

    @Test("a session goes on with another server under its own id", arguments: seeds, modes)
    func goesOn(seed: UInt64, mode: Proxy.SessionAffinityMode) throws {
        let scene = RecoveryStage(seed, mode) { _, servers in servers[1].usesStream = true }
        let first = try #require(scene.owner)
        #expect(scene.send(.post(.call(1), session: scene.session)).text.contains(first.name), "seed \(seed)")
        let lost = scene.killOwner()
        for id in 2...5 {
            let answer = scene.send(.post(.call(id), session: scene.session, extra: "Authorization: Bearer t1\r\n"))
            #expect(answer.status == 200 && answer.text.contains("\"id\":\(id)"), "seed \(seed)")
            #expect(answer["mcp-session-id"] == scene.session, "the client's own id, seed \(seed)")
        }
        let second = try #require(scene.owner)
        #expect(second.name != lost?.name, "seed \(seed)")
        #expect(
            second.log.map(\.method).prefix(3) == ["initialize", "notifications/initialized", "tools/call"],
            "seed \(seed)")
        let opening = try #require(second.server.requests.first)
        #expect(opening.text.contains(#""params":{"protocolVersion":"2025-11-25","capabilities":{},"#), "seed \(seed)")
        #expect(opening.text.contains(#""id":"berth-"#), "seed \(seed)")
        #expect(opening["authorization"] == "Bearer t1", "the present request's, seed \(seed)")
        #expect(opening["mcp-session-id"] == nil && opening["mcp-protocol-version"] == nil, "seed \(seed)")
        #expect(opening["accept-encoding"] == nil && opening["host"] == "mcp.test", "seed \(seed)")
        let greeting = second.server.requests[1]
        #expect(greeting["mcp-protocol-version"] == "2025-11-25", "seed \(seed)")
        #expect(second.server.requests.dropFirst().allSatisfy { $0["mcp-session-id"] == second.sessions.first })
        #expect(scene.count(.recovered) == 1, "seed \(seed)")
        #expect(scene.stage.shared(.sessions) == 1, "seed \(seed)")
        // The end of it.
        #expect(scene.send(.delete(scene.session)).status == 200, "seed \(seed)")
        #expect(scene.owner == nil, "seed \(seed)")
        #expect(scene.list().status == 404, "an ended session stays ended, seed \(seed)")
        #expect(scene.stage.shared(.sessions) == 0, "seed \(seed)")
        #expect(scene.count(.recovered) == 1, "seed \(seed)")
        scene.expectNoLeaks()
    }

    @Test("never: 404; clean: as long as it holds no state", arguments: seeds, modes)
    func policies(seed: UInt64, mode: Proxy.SessionAffinityMode) {
        for (policy, calls, status) in [
            (SessionLossPolicy.never, false, 404), (.clean, false, 200), (.clean, true, 404), (.always, true, 200),
        ] {
            let scene = RecoveryStage(seed, mode, policy)
            #expect(scene.list().status == 200)
            if calls { #expect(scene.send(.post(.call(1), session: scene.session)).status == 200) }
            scene.killOwner()
            let before = scene.stage.network.now
            let answer = scene.list()
            #expect(answer.status == status, "\(policy), seed \(seed)")
            #expect(scene.client.lastReceived - before < .seconds(2), "\(policy), seed \(seed)")
            if status == 404 { #expect(answer.text.contains("-32001"), "seed \(seed)") }
            #expect(scene.count(.dirty) == (policy == .clean && calls ? 1 : 0), "seed \(seed)")
            scene.expectNoLeaks()
        }
    }

    @Test("a call that could not be sent leaves no state: it is recovered for, and then the session has some")
    func firstCall() {
        let scene = RecoveryStage(1, .signed, .clean)
        scene.killOwner()
        #expect(scene.send(.post(.call(1), session: scene.session)).status == 200)
        scene.killOwner()
        #expect(scene.list().status == 404)
        scene.expectNoLeaks()
    }

    @Test("a session survives the death of its second server", arguments: seeds, modes)
    func secondDeath(seed: UInt64, mode: Proxy.SessionAffinityMode) {
        let scene = RecoveryStage(seed, mode)
        scene.killOwner()
        #expect(scene.list().status == 200, "seed \(seed)")
        scene.killOwner()
        let answer = scene.list(9)
        #expect(answer.status == 200 && answer["mcp-session-id"] == scene.session, "seed \(seed)")
        #expect(scene.count(.recovered) == 2, "seed \(seed)")
        #expect(scene.stage.shared(.sessions) == 1, "seed \(seed)")
        scene.expectNoLeaks()
    }

    @Test("twenty requests at once make one recovery", arguments: seeds, modes)
    func singleFlight(seed: UInt64, mode: Proxy.SessionAffinityMode) {
        let scene = RecoveryStage(seed, mode)
        scene.killOwner()
        let clients = (0..<20).map { _ in scene.stage.connect() }
        for (index, client) in clients.enumerated() {
            client.ask(.post(.call(index + 10), session: scene.session))
        }
        scene.stage.run { clients.allSatisfy { $0.responses.count == 1 } }
        for (index, client) in clients.enumerated() {
            let answer = client.responses.first ?? Message()
            #expect(answer.status == 200 && answer.text.contains("\"id\":\(index + 10)"), "seed \(seed)")
            #expect(answer["mcp-session-id"] == scene.session, "seed \(seed)")
            client.leave()
        }
        #expect(scene.servers.reduce(0) { $0 + $1.methods("initialize").count } == 2, "seed \(seed)")
        #expect(scene.count(.recovered) == 1, "seed \(seed)")
        scene.expectNoLeaks()
    }

    @Test("a session that loses its servers too often is given up, for a while", arguments: seeds, modes)
    func budget(seed: UInt64, mode: Proxy.SessionAffinityMode) {
        let scene = RecoveryStage(seed, mode)
        for round in 1...10 {
            let lost = scene.killOwner()
            let status = scene.list(round).status
            #expect(status == 200 || round > 8, "round \(round), seed \(seed)")
            if status == 404 { break }
            lost?.restart()
            scene.stage.run(for: .milliseconds(100))
            for server in scene.stage.snapshot.servers.indices { scene.stage.markHealthy(server) }
        }
        #expect(scene.count(.budget) == 1, "seed \(seed)")
        scene.expectNoLeaks()
    }

    @Test("a server that is not the same gets its session ended, and the client 404", arguments: seeds, modes)
    func differs(seed: UInt64, mode: Proxy.SessionAffinityMode) {
        let changes: [(ToolServer) -> Void] = [
            { $0.capabilities = #"{"tools":{"listChanged":true}}"# }, { $0.revision = "2025-06-18" },
            { $0.capabilities = #"{"tools":{"listChanged":false},"logging":{}}"# },
        ]
        for change in changes {
            let scene = RecoveryStage(seed, mode)
            let lost = scene.killOwner()
            for server in scene.servers where server.name != lost?.name { change(server) }
            #expect(scene.list().status == 404, "seed \(seed)")
            scene.stage.run(for: .milliseconds(200))
            #expect(scene.owner == nil, "the new session was ended, seed \(seed)")
            #expect(scene.count(.differs) == 1, "seed \(seed)")
            scene.expectNoLeaks()
        }
    }

    @Test("more capabilities than before do no harm")
    func superset() {
        let scene = RecoveryStage(1, .signed)
        let lost = scene.killOwner()
        for server in scene.servers where server.name != lost?.name {
            server.capabilities = #"{"prompts":{}, "logging":{} ,"tools":{"x":1,"listChanged":true}}"#
        }
        #expect(scene.list().status == 200)
        scene.expectNoLeaks()
    }

    @Test("a GET opens a stream of the new server, which knows no event of the old one", arguments: seeds, modes)
    func stream(seed: UInt64, mode: Proxy.SessionAffinityMode) throws {
        let scene = RecoveryStage(seed, mode)
        scene.killOwner()
        for round in 0..<2 {
            let stream = scene.stage.connect()
            stream.ask(
                .get(
                    extra: "Accept: text/event-stream\r\nMcp-Session-Id: \(scene.session)\r\nLast-Event-ID: e-5\r\n"))
            scene.stage.run { stream.current.body.count > 5 }
            #expect(stream.current.status == 200, "seed \(seed)")
            #expect(stream.current["mcp-session-id"] == scene.session, "seed \(seed)")
            let request = try #require(scene.owner?.server.requests.last { $0.method == "GET" })
            #expect(request["last-event-id"] == (round == 0 ? nil : "e-5"), "round \(round), seed \(seed)")
            #expect(request["mcp-session-id"] == scene.owner?.sessions.first, "seed \(seed)")
            stream.leave()
            scene.stage.run(for: .seconds(1))
        }
        scene.expectNoLeaks()
    }

    @Test("a server that came back without its sessions is told of one again", arguments: seeds, modes)
    func restarted(seed: UInt64, mode: Proxy.SessionAffinityMode) {
        for count in [1, 3] {
            let scene = RecoveryStage(seed, mode, servers: count)
            let owner = scene.owner
            scene.stage.run(for: .seconds(1))
            owner?.die()
            scene.stage.run(for: .milliseconds(50))
            owner?.restart()
            let answer = scene.list()
            #expect(answer.status == 200 && answer["mcp-session-id"] == scene.session, "\(count) servers, seed \(seed)")
            #expect(scene.list(8).status == 200, "seed \(seed)")
            #expect(scene.count(.recovered) == 1, "seed \(seed)")
            scene.expectNoLeaks()
        }
    }

    @Test("404 with another error than that of a session is the server's own affair", arguments: modes)
    func otherNotFound(mode: Proxy.SessionAffinityMode) {
        let scene = RecoveryStage(1, mode)
        let error = #"{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"Method not found"}}"#
        scene.owner?.server.handler = { _ in .reply(error, status: "404 Not Found") }
        let answer = scene.list()
        #expect(answer.status == 404 && answer.text == error)
        #expect(scene.count(.recovered) == 0)
        scene.expectNoLeaks()
    }
}
