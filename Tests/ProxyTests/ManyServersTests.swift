import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

/// Bounds that belong to one thing and must not be shared with another.
@Suite("Many servers, many listeners")
struct ManyServersTests {
    @Test("one server left of seventy that refuse, at any place: the request finds it", arguments: [0, 63, 64, 66, 69])
    func oneLeft(_ left: Int) {
        let stage = ProxyStage(seed: 5, servers: 70)
        stage.plan.healthCheck.fall = 100
        let server = ScriptedServer(stage, left) { .reply($0.text) }
        let client = stage.connect()
        for number in 0..<3 {
            client.ask(.post(.call(number)))
            stage.run { client.responses.count > number }
        }
        client.leave()

        #expect(client.responses.map(\.status) == [200, 200, 200])
        #expect(server.requests.count == 3)
        stage.expectNoLeaks()
    }

    @Test("with all of seventy servers refusing, the answer is an error, and the next request tries again")
    func noneLeft() {
        let stage = ProxyStage(seed: 6, servers: 70)
        stage.plan.healthCheck.fall = 100
        let client = stage.connect()
        for number in 0..<2 {
            client.ask(.post(.call(number)))
            stage.run { client.responses.count > number }
        }
        client.leave()

        #expect(client.responses.map(\.status) == [503, 503])
        stage.expectNoLeaks()
    }

    @Test("as many servers as a file may have are served, the last one too")
    func mostServers() {
        let count = 32_767
        let stage = ProxyStage(seed: 7)
        stage.snapshot.servers = (0..<count).map { index in
            ServerPlan(address: ProxyStage.server(index == count - 1 ? 0 : 1), name: "mcp-\(index):3001", upstream: 0)
        }
        stage.plan.servers = 0..<count
        stage.start()
        for server in 0..<count - 1 { stage.markUnhealthy(server) }
        let server = ScriptedServer(stage, 0) { .reply($0.text) }
        let client = stage.connect()
        client.ask(.post(.call(1)))
        stage.run { client.responses.count == 1 }

        #expect(client.responses.map(\.status) == [200])
        #expect(server.requests.count == 1)
        #expect(stage.metrics.sum(.requests, server: count - 1) == 1)
    }

    @Test("the connections of one listener do not use up another's", arguments: 1...4)
    func listeners(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        _ = ScriptedServer(stage) { .reply($0.text) }
        stage.addSecureListener()
        stage.snapshot.listeners[0].maximumConnections = 2
        stage.snapshot.listeners[1].maximumConnections = 1
        var clients: [ScriptedClient] = []
        for (isSecure, isAdmitted) in [(false, true), (false, true), (true, true), (false, false), (true, false)] {
            let client = isSecure ? stage.connectSecurely() : stage.connect()
            clients.append(client)
            client.ask(.post("x"))
            stage.run(within: .seconds(5)) { client.responses.count == 1 || client.isOver }
            let note = Comment(rawValue: "client \(clients.count), seed \(seed)")
            #expect(client.responses.first?.status == (isAdmitted ? 200 : nil), note)
            #expect(client.isOver != isAdmitted, note)
        }

        #expect((0..<2).map { stage.metrics.view.clientCount(listener: $0) } == [2, 1], "seed \(seed)")
        for client in clients { client.leave() }
        stage.expectNoLeaks()
        #expect(stage.metrics.view.clientCount == 0, "seed \(seed)")
    }
}
