import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

/// Why a server is down, as operators are told.
@Suite("Problems of servers")
struct HealthProblemTests {
    private static let all: [HealthProblem] = [
        .unresolved, .connect(111), .connect(-1), .connectTimedOut(.seconds(2)), .handshake,
        .handshakeTimedOut(.milliseconds(1_500)), .status(503), .unexpectedBody, .noAnswer(.seconds(86_400)), .closed,
        .invalidAnswer, .notMCP,
    ]

    @Test("a problem in one word is the same problem", arguments: all)
    func packed(_ problem: HealthProblem) {
        #expect(problem.packed != 0)
        #expect(HealthProblem(packed: problem.packed) == problem)
        #expect(HealthProblem(packed: 0) == nil && HealthProblem(packed: -1) == nil)
    }

    @Test("the last check's failure is there until one passes")
    func lastCheck() throws {
        let stage = ProxyStage(seed: 3, servers: 2)
        stage.plan.healthCheck.kind = .http
        stage.plan.healthCheck.path = Array("/healthz".utf8)
        var status = "503 Service Unavailable"
        let servers = (0..<2).map { index in
            ScriptedServer(stage, index) { _ in .reply("", status: index == 0 ? status : "200 OK") }
        }
        stage.start(healthChecks: true)
        func problem(_ server: Int) -> HealthProblem? {
            HealthProblem(packed: stage.metrics.view.load(.problem, server: server))
        }
        stage.run { problem(0) != nil }
        #expect(problem(0) == .status(503) && stage.isHealthy[0], "one failure is there before the server is down")
        stage.run(for: .seconds(20))
        #expect(!stage.isHealthy[0])
        #expect(problem(0) == .status(503) && problem(1) == nil)
        let at = stage.metrics.view.load(.problemAt, server: 0)
        #expect(Int64(stage.network.now.nanoseconds) - at < 3_000_000_000, "it is the last check's")

        servers[0].die()
        stage.run(for: .seconds(10))
        if case .connect = problem(0) {} else { Issue.record("\(String(describing: problem(0)))") }
        servers[0].listen()
        status = "200 OK"
        stage.run(for: .seconds(20))
        #expect(stage.isHealthy[0] && problem(0) == nil)
    }
}
