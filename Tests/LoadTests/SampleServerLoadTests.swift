import Kernel
import Load
import SampleServer
import Testing

@Suite("Load against a correct server")
struct SampleServerLoadTests {
    @Test("Every workload ends without wrong answers and failures", arguments: Workload.allCases)
    func workload(_ workload: Workload) throws {
        let server = try SampleServer(
            name: "a", address: .loopback(port: 0), options: SampleServer.Options(eventsPerSecond: 20))
        try server.start()
        defer { server.stop() }
        var plan = LoadPlan(
            target: Target(
                isSecure: false, host: "127.0.0.1", port: server.address.port,
                path: "/mcp"),
            workload: workload)
        plan.connections = 8
        plan.limit(workload)
        plan.callsPerSession = 10
        plan.bytes = 300_000
        let figures = try LoadRun(plan).finish()
        #expect(figures.wrong == [:], "\(figures.examples)")
        #expect(figures.failed == [:], "\(figures.examples)")
        #expect(figures.completed > 0)
    }

    private func withServer(_ body: (LoadPlan) throws -> Void) throws {
        let server = try SampleServer(name: "a", address: .loopback(port: 0))
        try server.start()
        defer { server.stop() }
        var plan = LoadPlan(
            target: Target(isSecure: false, host: "127.0.0.1", port: server.address.port, path: "/mcp"),
            workload: .calls)
        plan.connections = 8
        plan.limit(.calls)
        plan.callsPerSession = 10
        try body(plan)
    }

    private func expectNoErrors(_ figures: RunFigures) {
        #expect(figures.wrong == [:], "\(figures.examples)")
        #expect(figures.failed == [:], "\(figures.examples)")
        #expect(figures.completed > 0)
    }

    @Test("A shuffled session sends its calls over all connections, and its count is right")
    func shuffled() throws {
        try withServer { plan in
            var plan = plan
            plan.mix = [.init(.sessions)]
            plan.sessions = 20
            expectNoErrors(try LoadRun(plan).finish())
            plan.sessions = 3
            plan.shuffle = true
            expectNoErrors(try LoadRun(plan).finish())
        }
    }

    @Test("Several workloads run concurrently on several threads")
    func mixed() throws {
        try withServer { plan in
            var plan = plan
            plan.mix = [
                .init(.sessions, weight: 2), .init(.calls), .init(.legacy), .init(.churn), .init(.bodies), .init(.idle),
            ]
            plan.connections = 21
            plan.calls = nil
            plan.seconds = 2
            plan.threads = 3
            plan.bytes = 10_000
            let figures = try LoadRun(plan).finish()
            expectNoErrors(figures)
            #expect(figures.plan.workload == "sessions + calls + legacy + churn + bodies + idle")
        }
    }

    @Test("An open loop makes no more calls than its rate allows")
    func openLoop() throws {
        try withServer { plan in
            var plan = plan
            plan.rate = 200
            plan.calls = nil
            plan.seconds = 2
            plan.warmUp = 0
            plan.threads = 2
            let figures = try LoadRun(plan).finish()
            expectNoErrors(figures)
            #expect(figures.completed <= 401)
            #expect(figures.series.count == 2)
            #expect(figures.latency.count == figures.completed)
        }
    }

    @Test("A run ends after the planned number of calls")
    func calls() throws {
        try withServer { plan in
            var plan = plan
            plan.calls = 100
            // Two thousand calls are due in that time, should the limit not be kept.
            plan.rate = 200
            plan.seconds = 10
            let figures = try LoadRun(plan).finish()
            expectNoErrors(figures)
            // The limit is checked from time to time only: calls that are due in between are still made.
            #expect(figures.completed >= 100 && figures.completed < 1_000, "\(figures.completed)")
        }
    }

    @Test("A refused connection fails the run with a message that names the address")
    func refused() throws {
        try withServer { plan in
            var plan = plan
            let listener = try Socket.listen(on: .loopback(port: 0), shared: false)
            plan.target.port = Socket.localAddress(listener)?.port ?? 1
            var world = try Linux()
            world.close(listener, reset: false)
            let error = try #require(throws: LoadError.self) { try LoadRun(plan).finish() }
            #expect(error.description == "cannot connect to 127.0.0.1:\(plan.target.port): Connection refused")
        }
    }

    @Test("An unknown host fails the run with a message that names it")
    func unknownHost() throws {
        let plan = LoadPlan(
            target: Target(isSecure: false, host: "no.such.host.invalid", port: 1, path: "/mcp"), workload: .calls)
        #expect(throws: LoadError("cannot find the host \"no.such.host.invalid\"")) { try LoadRun(plan) }
    }
}

@Suite("Load over TLS")
struct TLSLoadTests {
    private func plan(_ rig: ProxyRig, _ workload: Workload) -> LoadPlan {
        var plan = LoadPlan(
            target: Target(isSecure: true, host: "localhost", port: rig.port(isSecure: true), path: "/mcp"),
            workload: workload)
        plan.trust = .anyone
        plan.connections = 4
        plan.limit(workload)
        plan.callsPerSession = 10
        plan.bytes = 50_000
        return plan
    }

    @Test("Every workload through Berth ends without wrong answers and failures", arguments: Workload.allCases)
    func workload(_ workload: Workload) throws {
        let rig = try ProxyRig()
        defer { rig.stop() }
        let figures = try LoadRun(plan(rig, workload)).finish()
        #expect(figures.wrong == [:], "\(figures.examples)")
        #expect(figures.failed == [:], "\(figures.examples)")
        #expect(figures.completed > 0)
        #expect(figures.plan.transport == "http/1.1 over TLS")
    }

    @Test("Handshakes are resumed unless the plan disables resumption")
    func resumption() throws {
        let rig = try ProxyRig()
        defer { rig.stop() }
        var plan = plan(rig, .churn)
        plan.connections = 1
        let resumed = try LoadRun(plan).finish()
        #expect(resumed.handshakesResumed > 0 && resumed.handshakesResumed < resumed.connectionsOpened)
        plan.resumption = false
        #expect(try LoadRun(plan).finish().handshakesResumed == 0)
    }

    @Test("An untrusted certificate fails the run with a message that says why")
    func untrusted() throws {
        let rig = try ProxyRig()
        defer { rig.stop() }
        var plan = plan(rig, .calls)
        plan.trust = .system
        let error = try #require(throws: LoadError.self) { try LoadRun(plan).finish() }
        #expect(error.description.contains("self-signed certificate"), "\(error)")
        #expect(error.description.contains("--insecure"), "\(error)")
    }
}

extension LoadPlan {
    /// Limits workloads of event streams by time; all others by a number of calls, however busy the machine is.
    fileprivate mutating func limit(_ workload: Workload) {
        warmUp = 0
        switch workload {
        case .fanin, .idle: seconds = 1
        case .bodies: (seconds, calls) = (60, 50)
        case .sessions, .legacy, .calls, .churn: (seconds, calls) = (60, 500)
        }
    }
}
