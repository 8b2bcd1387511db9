import Balancing
import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

/// Servers that are full, and servers that cannot say who they are.
@Suite("Servers that turn requests away")
struct TurnedAwayTests {
    static let seeds: ClosedRange<UInt64> = 1...6

    /// A fleet of which `full` answer 503.
    private func fleet(
        _ stage: ProxyStage, full: Set<Int>, status: String = "503 Service Unavailable", connection: String = ""
    ) -> [ScriptedServer] {
        stage.snapshot.servers.indices.map { index in
            ScriptedServer(stage, index) { message in
                full.contains(index)
                    ? .reply("full \(index)", status: status, extra: "Retry-After: 9\r\n\(connection)")
                    : .reply("\(index) \(message.text)", extra: "Mcp-Session-Id: s\(index)\r\n")
            }
        }
    }

    @Test("initialize goes on to a server with space, each asked once", arguments: seeds)
    func full(seed: UInt64) {
        for full in [[0], [1, 2], [0, 1, 2, 3]] as [Set<Int>] {
            let stage = ProxyStage(seed: seed, servers: 4)
            let servers = fleet(stage, full: full)
            let client = stage.connect()
            for number in 0..<4 {
                client.ask(.post(.call(number, "initialize")))
                stage.run { client.responses.count == number + 1 }
            }
            let isAllFull = full.count == 4
            for response in client.responses {
                #expect(response.status == (isAllFull ? 503 : 200), "seed \(seed)")
                // The server's own words, not ours.
                #expect(response.text.hasPrefix("full") == isAllFull)
                #expect(response["retry-after"] == (isAllFull ? "9" : nil))
            }
            #expect(client.responses.count == 4)
            for (index, server) in servers.enumerated() where full.contains(index) {
                #expect(server.requests.count <= 4, "no server is asked twice for one request, seed \(seed)")
                #expect(server.connections.count <= 1, "a connection that was answered on is kept, seed \(seed)")
            }
            if isAllFull { #expect(servers.allSatisfy { $0.requests.count == 4 }) }
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("other requests' 503 is passed on", arguments: seeds)
    func others(seed: UInt64) {
        let stage = ProxyStage(seed: seed, servers: 3)
        let servers = fleet(stage, full: [0, 1, 2])
        let client = stage.connect()
        let requests: [String] = [
            .post(.call(1)), .post(.call(2, "tools/list")), .post(.call(3, "tools/call"), version: "2026-07-28"),
            .get("/mcp"), .post(#"[{"jsonrpc":"2.0","id":1,"method":"initialize"}]"#),
        ]
        for (number, request) in requests.enumerated() {
            client.ask(request)
            stage.run { client.responses.count == number + 1 }
        }
        #expect(client.responses.map(\.status) == [503, 503, 503, 503, 503], "seed \(seed)")
        #expect(servers.map(\.requests.count).reduce(0, +) == requests.count, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a session's 503 is passed on", arguments: seeds)
    func pinned(seed: UInt64) {
        let stage = ProxyStage(seed: seed, servers: 3)
        var isFull = false
        let servers = (0..<3).map { index in
            ScriptedServer(stage, index) { _ in
                isFull
                    ? .reply("full", status: "503 Service Unavailable")
                    : .reply("ok", extra: "Mcp-Session-Id: s\(index)\r\n")
            }
        }
        let client = stage.connect()
        client.ask(.post(.call(0, "initialize")))
        stage.run { client.responses.count == 1 }
        isFull = true
        client.ask(.post(.call(1, "initialize"), session: client.responses.first?["mcp-session-id"]))
        stage.run { client.responses.count == 2 }
        #expect(client.responses.map(\.status) == [200, 503], "seed \(seed)")
        #expect(servers.map(\.requests.count).reduce(0, +) == 2)
        client.leave()
        stage.expectNoLeaks()
    }

    @Test(
        "server/discover goes on whatever 5xx it meets",
        arguments: ["500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"])
    func discover(status: String) {
        for seed in Self.seeds {
            let stage = ProxyStage(seed: seed, servers: 3)
            _ = fleet(stage, full: [0, 1], status: status, connection: "Connection: close\r\n")
            let client = stage.connect()
            for number in 0..<3 {
                client.ask(.post(.call(number, "server/discover"), version: "2026-07-28"))
                stage.run { client.responses.count == number + 1 }
            }
            #expect(client.responses.map(\.status) == [200, 200, 200], "seed \(seed)")
            client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("a budget that is used up, and retries that are off, pass the 503 on", arguments: seeds)
    func bounded(seed: UInt64) {
        for isOff in [false, true] {
            let stage = ProxyStage(seed: seed, servers: 2)
            stage.plan.retry.budgetPercent = 0
            stage.plan.retry.budgetFloor = 1
            if isOff { stage.plan.retry.policy.retryLimit = 0 }
            _ = fleet(stage, full: [0, 1])
            let client = stage.connect()
            // At once: the worker sleeps between two that follow each other.
            for number in 0..<30 { client.ask(.post(.call(number, "initialize"))) }
            stage.run { client.responses.count == 30 }
            #expect(client.responses.map(\.status) == [Int](repeating: 503, count: 30), "seed \(seed)")
            // One a second, averaged over ten.
            #expect(stage.sum(.retries) == (isOff ? 0 : 10), "seed \(seed)")
            #expect(stage.sum(.retriesRefused) == (isOff ? 0 : 20), "seed \(seed)")
            client.leave()
            stage.expectNoLeaks()
        }
    }
}
