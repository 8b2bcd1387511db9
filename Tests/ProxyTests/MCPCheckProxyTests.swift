import Kernel
import MCP
import Simulation
import Telemetry
import Testing

@testable import Proxy

/// Checks that speak MCP with servers as the SDKs make them.
@Suite("Checks by MCP")
struct MCPCheckProxyTests {
    static let seeds: ClosedRange<UInt64> = 1...4

    private final class Fleet {
        let stage: ProxyStage
        let record = LogRecorder()
        let servers: [SDKServer]

        init(seed: UInt64, _ revisions: [SDKServer.Revisions]) {
            stage = ProxyStage(seed: seed, servers: revisions.count)
            stage.log = record.logger
            stage.plan.healthCheck.kind = .mcp
            stage.plan.healthCheck.path = Array("/mcp".utf8)
            let stage = stage
            servers = revisions.enumerated().map { SDKServer(stage, $0.offset, $0.element) }
        }

        func start(for seconds: UInt64 = 5) {
            stage.start(healthChecks: true)
            stage.run(for: .seconds(seconds))
        }

        func revisions(_ server: Int) -> [String] {
            ProtocolRevisions(rawValue: UInt16(stage.metrics.view.load(.revisions, server: server))).names
        }

        var catalogs: [Int64] { servers.indices.map { stage.metrics.view.load(.catalog, server: $0) } }

        /// The servers that answer so many requests of a revision without sessions, and the statuses.
        func modernCalls(_ count: Int, _ method: String = "tools/call") -> [(server: Int?, status: Int)] {
            let client = stage.connect()
            for number in 0..<count {
                client.ask(.post(.call(number, method), version: "2026-07-28", extra: "Mcp-Method: \(method)\r\n"))
                stage.awaitResponses(number + 1, to: client)
            }
            client.leave()
            return client.responses.map { response in
                let server = servers.indices.first { response.text.contains("\"r\($0)\"") }
                return (server, response.status)
            }
        }
    }

    @Test("a server with sessions holds one for the checks, however many they are", arguments: seeds, [false, true])
    func oneSession(seed: UInt64, usesEventStreams: Bool) {
        let fleet = Fleet(seed: seed, [.sessions, .sessions])
        for server in fleet.servers { server.usesEventStreams = usesEventStreams }
        fleet.start(for: 300)
        #expect(fleet.stage.isHealthy == [true, true] && fleet.record.lines == [], "seed \(seed)")
        for server in fleet.servers {
            #expect(server.sessions.count == 1 && server.issued == 2, "\(server.issued), seed \(seed)")
            #expect(server.methods.count { $0 == "ping" } > 120, "seed \(seed)")
            #expect((9...11).contains(server.methods.count { $0 == "tools/list" }), "seed \(seed)")
            #expect(server.methods.count { $0 == "initialize" } == 1)
            #expect(server.server.requests.allSatisfy { $0.target == "/mcp" && $0["host"]?.hasPrefix("mcp-") == true })
        }
        #expect(
            fleet.revisions(0) == ["2025-11-25"] && fleet.catalogs[0] != 0 && fleet.catalogs[0] == fleet.catalogs[1])
        // The end of the checks is the end of their sessions.
        fleet.stage.post(.endHealthChecks)
        fleet.stage.run(within: .seconds(5)) { fleet.stage.worker?.isDone == true }
        #expect(fleet.stage.worker?.isDone == true, "seed \(seed)")
        fleet.stage.network.advance(by: .seconds(1))
        #expect(fleet.servers.allSatisfy { $0.sessions.isEmpty }, "seed \(seed)")
        #expect(fleet.stage.network.violations == [])
    }

    @Test("servers of all revisions pass, and what they speak is known", arguments: seeds)
    func revisions(seed: UInt64) {
        let fleet = Fleet(seed: seed, [.sessions, .sessionless, .modern, .both])
        fleet.start(for: 60)
        #expect(fleet.stage.isHealthy == [true, true, true, true], "\(fleet.record.lines), seed \(seed)")
        #expect(fleet.servers.map(\.sessions.count) == [1, 0, 0, 0], "seed \(seed)")
        #expect(
            (0..<4).map(fleet.revisions) == [
                ["2025-11-25"], ["2025-11-25"], ["2026-07-28"], ["2025-11-25", "2026-07-28"],
            ])
        #expect(fleet.record.lines == [], "seed \(seed)")
    }

    @Test("a server that refuses, hangs or fails goes down and comes back, and leaks nothing", arguments: seeds)
    func failures(seed: UInt64) {
        let fleet = Fleet(seed: seed, [.sessions, .sessions, .modern])
        fleet.start(for: 10)
        fleet.servers[0].failure = 503
        fleet.servers[1].hangs = true
        fleet.servers[2].failure = 500
        fleet.stage.run(for: .seconds(10))
        #expect(fleet.stage.isHealthy == [false, false, false], "seed \(seed)")
        #expect(
            Set(fleet.record.lines.filter { $0.hasPrefix("warning") }) == [
                "warning: server mcp-0:3001 is unhealthy: POST /mcp answered 503",
                "warning: server mcp-1:3001 is unhealthy: POST /mcp: no answer in 1s",
                "warning: server mcp-2:3001 is unhealthy: POST /mcp answered 500",
            ], "\(fleet.record.lines), seed \(seed)")
        for server in fleet.servers { (server.failure, server.hangs) = (nil, false) }
        fleet.stage.run(for: .seconds(10))
        #expect(fleet.stage.isHealthy == [true, true, true], "seed \(seed)")
        #expect(fleet.servers.map(\.sessions.count) == [1, 1, 0] && fleet.servers[0].issued == 2, "seed \(seed)")
    }

    @Test("a restart is a new session, an upgrade a new revision, and neither takes the server out", arguments: seeds)
    func restarts(seed: UInt64) {
        let fleet = Fleet(seed: seed, [.sessions])
        fleet.start()
        fleet.servers[0].restart()
        fleet.stage.run(for: .seconds(5))
        #expect(fleet.servers[0].sessions.count == 1, "seed \(seed)")
        fleet.servers[0].restart(as: .both)
        fleet.stage.run(for: .seconds(5))
        #expect(fleet.servers[0].sessions.isEmpty && fleet.revisions(0).contains("2026-07-28"), "seed \(seed)")
        fleet.servers[0].restart(as: .sessions)
        fleet.stage.run(for: .seconds(5))
        #expect(fleet.servers[0].sessions.count == 1 && fleet.revisions(0) == ["2025-11-25"], "seed \(seed)")
        #expect(fleet.record.lines == [], "seed \(seed)")
    }

    @Test("a server that wants a token lives", arguments: seeds)
    func token(seed: UInt64) {
        let fleet = Fleet(seed: seed, [.both])
        fleet.servers[0].failure = 401
        fleet.start(for: 20)
        #expect(fleet.stage.isHealthy == [true] && fleet.record.lines == [] && fleet.revisions(0) == [], "seed \(seed)")
    }

    @Test("a server that is removed, or is checked otherwise, keeps no session", arguments: seeds)
    func removal(seed: UInt64) throws {
        let fleet = Fleet(seed: seed, [.sessions, .sessions])
        fleet.start()
        #expect(fleet.servers.map(\.sessions.count) == [1, 1], "seed \(seed)")
        try fleet.stage.reload { snapshot in
            snapshot.servers.removeLast()
            snapshot.upstreams[0].servers = 0..<1
        }
        fleet.stage.run(for: .seconds(2))
        #expect(fleet.servers.map(\.sessions.count) == [1, 0], "seed \(seed)")
        try fleet.stage.reload { $0.upstreams[0].healthCheck.kind = .tcp }
        fleet.stage.run(for: .seconds(2))
        #expect(fleet.servers.map(\.sessions.count) == [0, 0] && fleet.revisions(0) == [], "seed \(seed)")
        let requests = fleet.servers[0].server.requests.count
        let connections = fleet.servers[0].server.connections.count
        fleet.stage.run(for: .seconds(20))
        #expect(fleet.servers[0].server.requests.count == requests, "seed \(seed)")
        #expect((8...12).contains(fleet.servers[0].server.connections.count - connections), "seed \(seed)")
        // And back again.
        try fleet.stage.reload { $0.upstreams[0].healthCheck.kind = .mcp }
        fleet.stage.run(for: .seconds(5))
        #expect(fleet.servers[0].sessions.count == 1, "seed \(seed)")
    }

    // MARK: Revisions

    @Test("requests of 2026-07-28 go to servers that speak it, or may do so", arguments: seeds)
    func routing(seed: UInt64) {
        let fleet = Fleet(seed: seed, [.sessions, .both, .modern, .sessionless])
        fleet.start()
        let calls = fleet.modernCalls(12)
        #expect(calls.allSatisfy { $0.status == 200 }, "\(calls), seed \(seed)")
        #expect(Set(calls.map(\.server)) == [1, 2], "seed \(seed)")
        #expect(fleet.modernCalls(4, "server/discover").allSatisfy { $0.status == 200 }, "seed \(seed)")
        // Sessions of earlier revisions go anywhere, and every server's own answer is returned.
        #expect(fleet.servers[0].sessions.count == 1, "seed \(seed)")
    }

    @Test("where none is left that speaks it, a server's own refusal is the answer", arguments: seeds)
    func none(seed: UInt64) {
        let fleet = Fleet(seed: seed, [.sessions, .both])
        fleet.start()
        #expect(fleet.modernCalls(4).allSatisfy { $0.server == 1 && $0.status == 200 }, "seed \(seed)")
        fleet.servers[1].failure = 500
        fleet.stage.run(for: .seconds(10))
        #expect(fleet.stage.isHealthy == [true, false], "seed \(seed)")
        #expect(fleet.modernCalls(2, "server/discover").allSatisfy { $0.status == 400 }, "seed \(seed)")
        fleet.servers[1].failure = nil
        fleet.stage.run(for: .seconds(10))
        #expect(fleet.modernCalls(4).allSatisfy { $0.server == 1 && $0.status == 200 }, "seed \(seed)")
    }

    @Test("a modern server that refuses one connection is no reason to ask an older one", arguments: seeds)
    func noDowngrade(seed: UInt64) {
        let fleet = Fleet(seed: seed, [.sessions, .both])
        fleet.stage.plan.healthCheck.fall = 100
        fleet.start()
        fleet.stage.network.refuse(at: ProxyStage.server(1))
        for call in fleet.modernCalls(3, "server/discover") { #expect(call.status >= 500, "\(call), seed \(seed)") }
    }

    @Test("without mcp checks nothing is known, and any server gets them", arguments: seeds)
    func unknown(seed: UInt64) {
        let fleet = Fleet(seed: seed, [.sessions, .both])
        fleet.stage.plan.healthCheck.kind = .tcp
        fleet.start()
        #expect(Set(fleet.modernCalls(6).map(\.status)) == [200, 400], "seed \(seed)")
    }

    // MARK: Tools

    @Test("different tools are said once, and so is their end", arguments: seeds)
    func catalogs(seed: UInt64) {
        let fleet = Fleet(seed: seed, [.sessions, .both, .modern])
        fleet.servers[1].tools = ["echo", "add"]
        fleet.start(for: 100)
        #expect(fleet.record.lines == [], "seed \(seed)")
        fleet.servers[2].tools = ["add", "echo", "rm"]
        fleet.stage.run(for: .seconds(100))
        let warning = "warning: servers of upstream mcp have different tools: mcp-0:3001, mcp-1:3001 | mcp-2:3001"
        #expect(fleet.record.lines == [warning], "seed \(seed)")
        fleet.servers[2].tools = ["add", "echo"]
        fleet.stage.run(for: .seconds(100))
        #expect(
            fleet.record.lines == [warning, "notice: servers of upstream mcp have the same tools again"], "seed \(seed)"
        )
    }
}
