import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

/// What an operator reads in the log when servers come and go, and in the counters when Berth answers itself.
@Suite("Words about health")
struct HealthLogTests {
    private func stage(_ seed: UInt64, servers: Int = 1, _ record: LogRecorder) -> ProxyStage {
        let stage = ProxyStage(seed: seed, servers: servers)
        stage.plan.healthCheck.kind = .http
        stage.plan.healthCheck.rise = 1
        stage.plan.healthCheck.fall = 2
        stage.log = record.logger
        return stage
    }

    @Test("a check that fails says what came of it, once, at warning", arguments: 1...4)
    func reasons(seed: UInt64) {
        for (answer, reason) in [
            (.reply("", status: "404 Not Found"), "GET /healthz answered 404"),
            (.reply("", status: "500 No"), "GET /healthz answered 500"),
            ([.text("SSH-2.0-OpenSSH\r\n\r\n")], "GET /healthz: the answer is not HTTP"),
            ([.close], "GET /healthz: the connection ended before an answer"),
            ([], "GET /healthz: no answer in 1s"),
        ] as [([SimulatedPeer.Action], String)] {
            let record = LogRecorder()
            let stage = stage(seed, record)
            let server = ScriptedServer(stage, 0) { _ in answer }
            stage.start(healthChecks: true)
            stage.run(for: .seconds(12))

            #expect(server.requests.count > 2)
            #expect(
                record.lines == [
                    "warning: server mcp-0:3001 is unhealthy: \(reason)",
                    "error: upstream mcp has no healthy server left",
                ], "seed \(seed)")
        }
    }

    @Test("a server that refuses, and one that does not answer at all, are told apart", arguments: 1...4)
    func connections(seed: UInt64) {
        let record = LogRecorder()
        let stage = stage(seed, servers: 3, record)
        _ = ScriptedServer(stage, 0) { _ in .reply("") }
        stage.plan.healthCheck.timeout = .milliseconds(1_500)
        stage.network.swallow(at: ProxyStage.server(1))
        stage.start(healthChecks: true)
        stage.run(for: .seconds(12))

        #expect(
            Set(record.lines) == [
                "warning: server mcp-1:3001 is unhealthy: no connection in 1500ms",
                "warning: server mcp-2:3001 is unhealthy: connection refused",
            ], "seed \(seed)")
    }

    @Test("the last server of an upstream to go is an error, and coming back is said", arguments: 1...4)
    func lastOne(seed: UInt64) {
        let record = LogRecorder()
        let stage = stage(seed, servers: 2, record)
        var down: Set<Int> = []
        let servers = (0..<2).map { index in
            ScriptedServer(stage, index) { _ in .reply("", status: down.contains(index) ? "503 No" : "200 OK") }
        }
        stage.start(healthChecks: true)
        var said = 0
        func news(after change: () -> Void) -> [String] {
            change()
            stage.run(for: .seconds(8))
            defer { said = record.lines.count }
            return Array(record.lines[said...])
        }

        #expect(news { stage.run(for: .seconds(1)) } == [], "seed \(seed)")
        #expect(
            news { down = [0] } == ["warning: server mcp-0:3001 is unhealthy: GET /healthz answered 503"],
            "seed \(seed)")
        #expect(
            news { down = [0, 1] } == [
                "warning: server mcp-1:3001 is unhealthy: GET /healthz answered 503",
                "error: upstream mcp has no healthy server left",
            ], "seed \(seed)")
        #expect(
            news { down = [0] } == [
                "notice: server mcp-1:3001 is healthy again", "notice: upstream mcp has a healthy server again",
            ], "seed \(seed)")
        #expect(news { down = [] } == ["notice: server mcp-0:3001 is healthy again"], "seed \(seed)")
        #expect(servers.count == 2)
    }

    @Test("a failed connection of a request says why as well", arguments: 1...4)
    func requests(seed: UInt64) {
        let record = LogRecorder()
        let stage = stage(seed, record)
        stage.plan.healthCheck.fall = 1
        let client = stage.connect()
        client.ask(.post(.call(1)))
        stage.run { client.responses.count == 1 }

        #expect(record.lines.first == "warning: server mcp-0:3001 is unhealthy: connection refused", "seed \(seed)")
    }

    @Test("Berth's own answers are counted by reason")
    func rejections() {
        let stage = ProxyStage(seed: 1)
        var route = RoutePlan(upstream: 0)
        route.path = .exact(Array("/mcp".utf8))
        stage.snapshot.routes = [route]
        stage.plan.healthCheck.fall = 1
        let client = stage.connect()
        for (number, request) in [
            String.get("/elsewhere"), .post(.call(1), session: "forged"), .post(.call(2)), .post(.call(3)),
        ].enumerated() {
            client.ask(request)
            stage.run { client.responses.count == number + 1 }
        }
        func count(_ fault: ExchangeFault) -> Int64 { stage.metrics.rejections(reason: Int(fault.rawValue)) }

        #expect(count(.noRoute) == 1 && count(.noRouteForSession) == 0)
        #expect(count(.sessionNotFound) == 1)
        #expect(count(.noServerAvailable) == 2)
        #expect(ExchangeFault.allCases.reduce(0) { $0 + count($1) } == 4)
        #expect(ExchangeFault.allCases.count <= MetricsWriter.rejectionReasons)
    }
}
