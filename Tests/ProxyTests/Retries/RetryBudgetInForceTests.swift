import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

/// The budget of an upstream, as its requests meet it.
@Suite("The retry budget in force")
struct RetryBudgetInForceTests {
    /// Two servers that reset whatever they have read; so many requests at once, all of which may be done twice.
    private func failing(_ count: Int, _ change: (inout UpstreamPlan) -> Void) -> ProxyStage {
        let stage = ProxyStage(seed: 1, servers: 2, .calm)
        change(&stage.plan)
        _ = (0..<2).map { ScriptedServer(stage, $0) { _ in [.reset] } }
        let clients = (0..<count).map { _ in stage.connect() }
        for client in clients { client.ask(.post(.call(1, "ping"))) }
        stage.run { clients.allSatisfy { $0.responses.count == 1 } }
        #expect(clients.allSatisfy { $0.responses.first?.status == 502 })
        for client in clients { client.leave() }
        return stage
    }

    @Test("by default a fifth of the requests, and ten a second")
    func byDefault() {
        let stage = failing(400) { $0.pool.maximum = 1_000 }
        // 400 requests bring 80 retries; ten seconds have 100 beside them.
        let granted = stage.sum(.retries)
        #expect((100...180).contains(granted), "\(granted)")
        #expect(granted + stage.sum(.retriesRefused) == 400)
        #expect(stage.sum(.replays) == granted)
        stage.expectNoLeaks()
    }

    @Test("a share of nothing leaves the floor, a share of all grants all")
    func ends() {
        let none = failing(50) { ($0.retry.budgetPercent, $0.retry.budgetFloor) = (0, 1) }
        #expect(none.sum(.retries) == 10)
        #expect(none.sum(.retriesRefused) == 40)
        let all = failing(300) { ($0.retry.budgetPercent, $0.pool.maximum) = (100, 1_000) }
        #expect(all.sum(.retries) == 300)
        #expect(all.sum(.retriesRefused) == 0)
    }

    @Test("refused connections draw on nothing")
    func refused() {
        let stage = ProxyStage(seed: 1, servers: 2, .calm)
        (stage.plan.retry.budgetPercent, stage.plan.retry.budgetFloor) = (0, 1)
        stage.plan.healthCheck.fall = 100
        stage.network.refuse(at: ProxyStage.server(0))
        let server = ScriptedServer(stage, 1) { _ in .reply("ok") }
        let clients = (0..<60).map { _ in stage.connect() }
        for client in clients { client.ask(.post(.call(1))) }
        stage.run { clients.allSatisfy { $0.responses.count == 1 } }
        #expect(clients.allSatisfy { $0.responses.first?.status == 200 })
        #expect(server.requests.count == 60)
        #expect(stage.sum(.retries) >= 20)
        #expect(stage.sum(.retriesRefused) == 0)
        for client in clients { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("a reload that changes nothing keeps what is left, one that changes the budget begins anew")
    func reload() throws {
        let stage = failing(50) { ($0.retry.budgetPercent, $0.retry.budgetFloor) = (0, 1) }
        func askAgain() -> Int64 {
            let before = stage.sum(.retries)
            let clients = (0..<20).map { _ in stage.connect() }
            for client in clients { client.ask(.post(.call(1, "ping"))) }
            stage.run(for: .milliseconds(100))
            for client in clients { client.leave() }
            return stage.sum(.retries) - before
        }
        // The worker sleeps until the next timer when all are answered.
        stage.run(for: .seconds(20))
        #expect(askAgain() == 10)
        try stage.reload { $0.upstreams[0].queueLimit = 7 }
        #expect(askAgain() == 0)
        try stage.reload { $0.upstreams[0].retry.budgetFloor = 2 }
        #expect(askAgain() == 20)
    }
}
