import Kernel
import Reactor
import Simulation
import Telemetry
import Testing

@testable import Proxy

@Suite("Limits of servers")
struct ServerLimitTests {
    static let seeds: ClosedRange<UInt64> = 1...6

    @Test("a server with as many sessions as it may have gets no new one, and ended ones make place", arguments: seeds)
    func sessions(seed: UInt64) {
        let stage = ProxyStage(seed: seed, servers: 2)
        stage.plan.maximumSessions = 3
        _ = (0..<2).map { SessionServer(stage, $0) }
        let parties = (0..<6).map { _ in SessionTests.open(stage) }
        #expect(parties.filter { $0.owner == "replica-0" }.count == 3, "seed \(seed)")
        #expect(parties.filter { $0.owner == "replica-1" }.count == 3, "seed \(seed)")
        let refused = SessionTests.once(stage, .post(.call(42, "initialize")))
        #expect(refused.status == 503 && refused["retry-after"] == "10", "seed \(seed)")
        #expect(refused.text.contains("sessions_full") && refused.text.contains(#""id":42"#), "\(refused.text)")
        // Those that there are go on.
        for party in parties {
            #expect(SessionTests.call(stage, party.session, on: party.client).status == 200, "seed \(seed)")
        }
        let first = parties[0]
        first.client.ask("DELETE /mcp HTTP/1.1\r\nHost: h\r\nMcp-Session-Id: \(first.session)\r\n\r\n")
        stage.run { first.client.responses.count == 3 }
        let next = SessionTests.open(stage)
        #expect(next.owner == first.owner, "seed \(seed)")
        for party in parties + [next] { party.client.leave() }
        stage.expectNoLeaks()
    }

    @Test("sessions that are opened at the same moment do not pass the limit", arguments: seeds)
    func burst(seed: UInt64) {
        let stage = ProxyStage(seed: seed, servers: 2)
        stage.plan.maximumSessions = 3
        _ = (0..<2).map { SessionServer(stage, $0) }
        let clients = (0..<20).map { _ in stage.connect() }
        for client in clients { client.ask(.post(.call(1, "initialize"))) }
        stage.run { clients.allSatisfy { $0.responses.count == 1 } }
        let statuses = clients.compactMap(\.responses.first?.status)
        #expect(statuses.filter { $0 == 200 }.count == 6, "\(statuses), seed \(seed)")
        #expect(statuses.filter { $0 == 503 }.count == 14, "\(statuses), seed \(seed)")
        #expect(stage.shared(.sessions) == 6, "seed \(seed)")
        for client in clients { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("requests that open no session in the end leave their places", arguments: seeds)
    func places(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.maximumSessions = 2
        _ = ScriptedServer(stage) { $0.text.contains("2") ? [.reset] : .reply("none", status: "400 Bad Request") }
        for number in 0..<12 { _ = SessionTests.once(stage, .post(.call(number))) }
        #expect(stage.shared(.sessions) == 0, "seed \(seed)")
        stage.expectNoLeaks()
    }

    @Test("calls in progress are bounded, those answered by event streams as well", arguments: seeds)
    func calls(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.maximumCalls = 3
        let server = ScriptedServer(stage) { message in
            message.method == "GET"
                ? .stream("data: up\n\n") : .stream("data: begun\n\n") + [.pause(.milliseconds(200)), .lastChunk]
        }
        let clients = (0..<9).map { _ in stage.connect() }
        for client in clients { client.ask(.post(.call(1))) }
        stage.run(for: .milliseconds(150))
        #expect(server.requests.count == 3 && stage.sum(.waiting) == 6, "seed \(seed)")
        #expect(stage.shared(.calls) == 3 && stage.shared(.streams) == 3, "seed \(seed)")
        let listener = stage.connect()
        listener.ask(.openStream())
        stage.run(for: .milliseconds(20))
        clients[0].peer.perform(.reset)
        stage.run { clients.dropFirst().allSatisfy { $0.responses.count == 1 } }
        #expect(clients.dropFirst().allSatisfy { $0.responses.first?.status == 200 }, "seed \(seed)")
        #expect(stage.shared(.calls) == 0, "seed \(seed)")
        for client in clients + [listener] { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("sessions of a server that hangs do not fill the queue of the others", arguments: seeds)
    func pending(seed: UInt64) {
        let stage = ProxyStage(seed: seed, servers: 2)
        stage.plan.pool.maximum = 1
        stage.plan.maximumPending = 4
        let servers = (0..<2).map { SessionServer(stage, $0) }
        let parties = (0..<20).map { _ in SessionTests.open(stage) }
        servers[0].holds = true
        for party in parties where party.owner == "replica-0" {
            party.client.ask(.post(.call(7), session: party.session))
        }
        stage.run(for: .milliseconds(100))
        let refused = parties.filter { $0.owner == "replica-0" && $0.client.responses.count == 2 }
        #expect(refused.count == 5 && stage.sum(.waiting) == 4, "seed \(seed)")
        #expect(refused.allSatisfy { $0.client.responses[1].text.contains("queue_full") }, "seed \(seed)")
        for party in parties where party.owner == "replica-1" {
            #expect(SessionTests.call(stage, party.session, on: party.client).status == 200, "seed \(seed)")
        }
        for party in parties { party.client.leave() }
        stage.expectNoLeaks()
    }
}
