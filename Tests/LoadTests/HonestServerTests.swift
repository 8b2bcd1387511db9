import Kernel
import Load
import SampleServer
import Testing

@Suite("Against an honest server")
struct HonestServerTests {
    @Test("every workload ends with no wrong answer and none that failed", arguments: Workload.allCases)
    func workload(_ workload: Workload) throws {
        let server = try SampleServer(name: "a", address: .loopback(port: 0))
        try server.start()
        defer { server.stop() }
        var plan = LoadPlan(
            target: Target(
                isSecure: false, host: "127.0.0.1", port: server.address.port,
                path: workload == .legacy ? "/sse" : "/mcp"),
            workload: workload)
        plan.connections = 8
        plan.seconds = 0.6
        plan.warmUp = 0.2
        plan.callsPerSession = 10
        plan.bytes = 300_000
        let figures = try LoadRun(plan).finish()
        print(workload, figures.seconds, figures.completed, figures.latency.at(50), figures.latency.at(99), figures.microsecondsPerCall, Instant.now())
        #expect(figures.wrong == [:], "\(figures.examples)")
        #expect(figures.failed == [:], "\(figures.examples)")
        #expect(figures.completed > 0)
    }
}
