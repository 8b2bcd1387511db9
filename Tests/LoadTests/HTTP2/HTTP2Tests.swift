import Kernel
import Load
import SampleServer
import Testing

@Suite("Over HTTP/2", .serialized)
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
        // Events come as time goes by; all else ends when so much is done, however busy the machine.
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
        "through Berth every workload ends with no wrong answer and none that failed, in clear and over TLS",
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

    @Test("calls of many sessions share a connection, and each stays with its replica")
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

    @Test("what GOAWAY leaves out is asked again on the next connection, and answered once")
    func goAway() throws {
        let peer = try FramePeer(.leavesAfter(100))
        defer { peer.stop() }
        var plan = plan(.calls, port: peer.address.port)
        plan.connections = 1
        plan.depth = 16
        let figures = try LoadRun(plan).finish()
        #expect(figures.wrong == [:] && figures.failed == [:], "\(figures.failed) \(figures.examples)")
        #expect(peer.connections > 2)
        #expect(peer.leftOut > 0)
        #expect(peer.answered.count >= 500 && peer.answered.values.allSatisfy { $0 == 1 })
        #expect(figures.completed >= 500)
    }

    @Test("a reset stream is one failed call, and the others go on")
    func reset() throws {
        let peer = try FramePeer(.resetsEvery(10))
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

    @Test("a call that is never answered holds up no other of its connection")
    func stalled() throws {
        let peer = try FramePeer(.ignoresEvery(50))
        defer { peer.stop() }
        var plan = plan(.calls, port: peer.address.port)
        plan.connections = 1
        plan.depth = 16
        plan.timeout = 1
        let figures = try LoadRun(plan).finish()
        #expect(figures.wrong == [:])
        let late = figures.failed["timed out"] ?? 0
        #expect(late > 0 && figures.failedCount == late, "\(figures.failed)")
        #expect(figures.completed > 10 * late)
        #expect(peer.connections == 1)
    }

    @Test("a server that does not speak HTTP/2 is told of, and nothing is measured", .timeLimit(.minutes(1)))
    func noHTTP2() throws {
        let server = try SampleServer(name: "a", address: .loopback(port: 0))
        try server.start()
        defer { server.stop() }
        let run = try LoadRun(plan(.calls, port: server.address.port))
        let error = #expect(throws: LoadError.self) { _ = try run.finish() }
        #expect(error?.description.hasSuffix("does not speak HTTP/2") == true, "\(String(describing: error))")
    }
}
