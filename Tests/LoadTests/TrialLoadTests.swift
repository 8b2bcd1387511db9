import Glibc
import Kernel
import SampleServer
import Testing

@testable import Load

/// Loads whose servers are disturbed, without a balancer between them.
@Suite("Load on disturbed servers")
struct TrialLoadTests {
    private func plan(_ address: SocketAddress, _ workload: Workload) -> LoadPlan {
        var plan = LoadPlan(
            target: Target(isSecure: false, host: "127.0.0.1", port: address.port, path: "/mcp"), workload: workload)
        plan.connections = 4
        plan.sessions = 4
        plan.seconds = 60
        plan.warmUp = 0
        plan.timeout = 5
        plan.rate = workload == .sessions ? 100 : nil
        return plan
    }

    private func wait(_ what: String, _ run: LoadRun, until isTrue: (RunFigures) -> Bool) throws {
        let deadline = Instant.now() + .seconds(60)
        while !isTrue(run.figures) {
            try #require(Instant.now() < deadline, "\(what): \(run.figures.failed) \(run.figures.examples)")
            _ = run.wait(milliseconds: 20)
        }
    }

    @Test(
        "sessions that are lost are explained if their server has ended, and not otherwise",
        arguments: [true, false])
    func lost(_ isKnown: Bool) throws {
        let first = try SampleServer(name: "a.1", address: .loopback(port: 0), options: .init(product: "a"))
        try first.start()
        let history = ServerHistory()
        let run = try LoadRun(plan(first.address, .sessions), history: history)
        try wait("calls", run) { $0.replicas["a.1"] ?? 0 > 20 }

        if isKnown { history.ended("a.1") }
        first.stop()
        let second = try SampleServer(name: "a.2", address: first.address, options: .init(product: "a"))
        try second.start()
        defer { second.stop() }
        try wait("lost sessions", run) { $0.failed["session lost"] == 4 }
        try wait("calls of the second", run) { $0.replicas["a.2"] ?? 0 > 20 }
        run.stop()
        let figures = try run.finish()

        #expect(figures.wrongCount == 0, "\(figures.examples)")
        #expect(figures.trial?.explained["session lost"] == (isKnown ? 4 : nil))
        #expect(figures.trial?.calls ?? 0 > 40)
    }

    @Test("a session with a stream ends after as many events as it may make calls, and its silence is measured")
    func streams() throws {
        let server = try SampleServer(
            name: "a.1", address: .loopback(port: 0), options: .init(eventsPerSecond: 50, product: "a"))
        try server.start()
        defer { server.stop() }
        var plan = plan(server.address, .fanin)
        plan.callsPerSession = 10
        let run = try LoadRun(plan, history: ServerHistory())
        // A session ends after ten events and another begins, so ten events a session are far exceeded.
        try wait("events", run) { $0.completed > 120 }
        run.stop()
        let figures = try run.finish()

        #expect(figures.wrongCount == 0 && figures.failed.isEmpty, "\(figures.failed) \(figures.examples)")
        #expect(figures.trial?.silence ?? 0 > 0)
        #expect(figures.trial?.recovered == 0)
    }

    @Test("executed calls are written down before they are answered, each once")
    func executions() throws {
        let path = "/tmp/berth-executions-\(Machine.randomBytes(8).map { "\($0)" }.joined())"
        defer { unlink(path) }
        let server = try SampleServer(
            name: "a.1", address: .loopback(port: 0), options: .init(executions: path))
        try server.start()
        defer { server.stop() }
        var plan = plan(server.address, .sessions)
        plan.tool = "record"
        let run = try LoadRun(plan)
        try wait("calls", run) { $0.replicas["a.1"] ?? 0 > 50 }
        run.stop()
        let figures = try run.finish()

        let entries = ExecutionLog.entries(path: path)
        #expect(Set(entries).count == entries.count)
        #expect(entries.count { !$0.isReadOnly } >= Int(figures.replicas["a.1"] ?? 0))
        #expect(entries.contains { $0.isReadOnly }, "one call in eight is an echo")
        #expect(figures.wrongCount == 0 && figures.failed.isEmpty, "\(figures.examples)")
    }
}
