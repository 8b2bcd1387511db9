import Kernel
import Load
import SampleServer
import Testing

@Suite("Load over HTTP/2", .serialized)
struct HTTP2Tests {
    private func plan(_ workload: Workload, port: UInt16, isSecure: Bool = false) -> LoadPlan {
        let path = workload == .legacy ? "/sse" : "/mcp"
        var plan = LoadPlan(
            target: Target(isSecure: isSecure, host: isSecure ? "localhost" : "127.0.0.1", port: port, path: path),
            workload: workload)
        plan.transport = .http2
        plan.trust = .anyone
        plan.connections = 3
        plan.depth = 8
        plan.warmUp = 0
        // Workloads of event streams end by time; all others after a number of calls, however busy the machine is.
        switch workload {
        case .fanin, .idle: plan.seconds = 1
        case .bodies: (plan.seconds, plan.calls) = (60, 50)
        default: (plan.seconds, plan.calls) = (60, 500)
        }
        plan.callsPerSession = 10
        plan.bytes = 100_000
        return plan
    }

    @Test(
        "Every workload through Berth ends without wrong answers and failures, in clear and over TLS",
        arguments: Workload.allCases, [false, true])
    func workload(_ workload: Workload, isSecure: Bool) throws {
        let rig = try ProxyRig()
        defer { rig.stop() }
        for direction in workload == .bodies ? LoadPlan.Direction.allCases : [.down] {
            var plan = plan(workload, port: rig.port(isSecure: isSecure), isSecure: isSecure)
            plan.direction = direction
            let figures = try LoadRun(plan).finish()
            #expect(figures.wrong == [:], "\(figures.examples)")
            #expect(figures.failed == [:], "\(figures.examples)")
            #expect(figures.completed > 0)
        }
    }

    @Test("Sessions that share a connection each stay with their replica")
    func oneConnection() throws {
        let rig = try ProxyRig()
        defer { rig.stop() }
        var plan = plan(.sessions, port: rig.port(isSecure: true), isSecure: true)
        plan.connections = 1
        plan.depth = 50
        plan.sessions = 200
        plan.calls = 3_000
        let figures = try LoadRun(plan).finish()
        #expect(figures.wrong == [:] && figures.failed == [:], "\(figures.failed) \(figures.examples)")
        #expect(figures.completed >= 3_000)
        #expect(figures.connectionsOpened <= 1)
        #expect(figures.replicas.keys.sorted() == ["r1", "r2", "r3"])
    }

    @Test("Requests that GOAWAY excludes are sent again on the next connection, and answered once")
    func goAway() throws {
        let peer = try HTTP2Peer(.sendsGoAwayAfter(100))
        defer { peer.stop() }
        var plan = plan(.calls, port: peer.address.port)
        plan.connections = 1
        plan.depth = 16
        let figures = try LoadRun(plan).finish()
        #expect(figures.wrong == [:] && figures.failed == [:], "\(figures.failed) \(figures.examples)")
        #expect(peer.connections > 2)
        #expect(peer.unprocessed > 0)
        #expect(peer.answered.count >= 500 && peer.answered.values.allSatisfy { $0 == 1 })
        #expect(figures.completed >= 500)
    }

    @Test("A reset stream fails one call and no other")
    func reset() throws {
        let peer = try HTTP2Peer(.resetsEvery(10))
        defer { peer.stop() }
        var plan = plan(.calls, port: peer.address.port)
        plan.connections = 1
        plan.depth = 16
        let figures = try LoadRun(plan).finish()
        #expect(figures.wrong == [:])
        let resets = figures.failed["stream reset, code 2"] ?? 0
        #expect(resets > 0 && figures.failedCount == resets, "\(figures.failed)")
        #expect(figures.completed > resets)
        #expect(peer.connections == 1)
    }

    @Test("A call without a response does not block other calls of its connection")
    func stalled() throws {
        let peer = try HTTP2Peer(.ignoresEvery(50))
        defer { peer.stop() }
        var plan = plan(.calls, port: peer.address.port)
        plan.connections = 1
        plan.depth = 16
        plan.timeout = 1
        let figures = try LoadRun(plan).finish()
        #expect(figures.wrong == [:])
        let timedOut = figures.failed["timed out"] ?? 0
        #expect(timedOut > 0 && figures.failedCount == timedOut, "\(figures.failed)")
        #expect(figures.completed > 10 * timedOut)
        #expect(peer.connections == 1)
    }

    @Test("A run against a server without HTTP/2 fails with a message that says so")
    func noHTTP2() throws {
        let server = try SampleServer(name: "a", address: .loopback(port: 0))
        try server.start()
        defer { server.stop() }
        let run = try LoadRun(plan(.calls, port: server.address.port))
        let error = #expect(throws: LoadError.self) { _ = try run.finish() }
        #expect(error?.description.hasSuffix("does not speak HTTP/2") == true, "\(String(describing: error))")
    }
}
