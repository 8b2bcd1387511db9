import Kernel
import Load
import SampleServer
import Testing

@Suite("Against an honest server")
struct HonestServerTests {
    @Test("every workload ends with no wrong answer and none that failed", arguments: Workload.allCases)
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

    private func expectAllWell(_ figures: RunFigures) {
        #expect(figures.wrong == [:], "\(figures.examples)")
        #expect(figures.failed == [:], "\(figures.examples)")
        #expect(figures.completed > 0)
    }

    @Test("a session's calls go over all connections when they are shuffled, and its count still adds up")
    func shuffled() throws {
        try withServer { plan in
            var plan = plan
            plan.mix = [.init(.sessions)]
            plan.sessions = 20
            expectAllWell(try LoadRun(plan).finish())
            plan.sessions = 3
            plan.shuffle = true
            expectAllWell(try LoadRun(plan).finish())
        }
    }

    @Test("several workloads go on at once, on several threads")
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
            expectAllWell(figures)
            #expect(figures.plan.workload == "sessions + calls + legacy + churn + bodies + idle")
        }
    }

    @Test("an open loop makes the calls it was asked for, and no more")
    func openLoop() throws {
        try withServer { plan in
            var plan = plan
            plan.rate = 200
            plan.calls = nil
            plan.seconds = 2
            plan.warmUp = 0
            plan.threads = 2
            let figures = try LoadRun(plan).finish()
            expectAllWell(figures)
            #expect(figures.completed <= 401)
            #expect(figures.series.count == 2)
            #expect(figures.latency.count == figures.completed)
        }
    }

    @Test("a run ends once so many calls were answered")
    func calls() throws {
        try withServer { plan in
            var plan = plan
            plan.calls = 100
            // Two thousand calls are due in that time, should the limit not be kept.
            plan.rate = 200
            plan.seconds = 10
            let figures = try LoadRun(plan).finish()
            expectAllWell(figures)
            // The limit is looked at now and then: what is due in between is still made.
            #expect(figures.completed >= 100 && figures.completed < 1_000, "\(figures.completed)")
        }
    }

    @Test("where nobody listens the run says so, with the address")
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

    @Test("an unknown host is told of")
    func unknownHost() throws {
        let plan = LoadPlan(
            target: Target(isSecure: false, host: "no.such.host.invalid", port: 1, path: "/mcp"), workload: .calls)
        #expect(throws: LoadError("cannot find the host \"no.such.host.invalid\"")) { try LoadRun(plan) }
    }
}

@Suite("Over TLS")
struct SecureTests {
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

    @Test("through Berth every workload ends with no wrong answer and none that failed", arguments: Workload.allCases)
    func workload(_ workload: Workload) throws {
        let rig = try ProxyRig()
        defer { rig.stop() }
        let figures = try LoadRun(plan(rig, workload)).finish()
        #expect(figures.wrong == [:], "\(figures.examples)")
        #expect(figures.failed == [:], "\(figures.examples)")
        #expect(figures.completed > 0)
        #expect(figures.plan.transport == "http/1.1 over TLS")
    }

    @Test("handshakes are resumed unless the plan says otherwise")
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

    @Test("a certificate that nobody vouches for is refused, and the run says why")
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
    /// Ends when so much is done, however busy the machine; events come as time goes by.
    fileprivate mutating func limit(_ workload: Workload) {
        warmUp = 0
        switch workload {
        case .fanin, .idle: seconds = 1
        case .bodies: (seconds, calls) = (60, 50)
        case .sessions, .legacy, .calls, .churn: (seconds, calls) = (60, 500)
        }
    }
}
