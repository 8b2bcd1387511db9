import Balancing
import Kernel
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// Round robin over several workers: what one of them places, the others know.
@Suite("Rotation")
struct RotationTests {
    /// Opens a session at each worker of `order` in turn. Returns the number of sessions of each server, ascending.
    private func open(_ order: [Int], _ stages: [ProxyStage]) -> [Int] {
        var counts: [String: Int] = [:]
        for worker in order { counts[SessionTests.open(stages[worker]).owner, default: 0] += 1 }
        return counts.values.sorted()
    }

    private func stages(_ workers: Int, _ seed: UInt64, servers: Int = 3) -> [ProxyStage] {
        let stages = ProxyStage.workers(workers, seed: seed, servers: servers)
        for stage in stages {
            for index in 0..<servers { _ = SessionServer(stage, index) }
        }
        return stages
    }

    @Test(
        "20 sessions over 3 servers are 7, 7 and 6, whichever workers their clients came to", arguments: 1...8,
        [2, 3, 4])
    func even(seed: UInt64, workers: Int) {
        let stages = stages(workers, seed)
        var generator = SeededGenerator(seed: seed)
        let order = (0..<20).map { _ in Int.random(in: 0..<workers, using: &generator) }
        #expect(open(order, stages) == [6, 7, 7], "\(order)")
    }

    @Test("requests without a session leave the sessions' rotation as it is", arguments: 1...4)
    func apart(seed: UInt64) {
        let stages = stages(3, seed)
        var counts: [Int] = []
        for round in 0..<3 {
            _ = SessionTests.once(stages[round], .get("/.well-known/oauth-protected-resource"))
            counts = open([0, 1, 1, 2], stages)
            #expect(counts == [1, 1, 2], "seed \(seed), round \(round)")
        }
    }

    @Test("while a server is unhealthy, the others share its sessions evenly", arguments: 1...4)
    func unhealthy(seed: UInt64) {
        let stages = stages(2, seed)
        for stage in stages { stage.start() }
        stages[0].markUnhealthy(1)
        #expect(open([0, 1, 0, 0, 1, 1, 0, 1], stages) == [4, 4], "seed \(seed)")
    }

    @Test("the rotation goes on behind a server that is full, which gives none its share", arguments: 1...4)
    func full(seed: UInt64) {
        let stages = ProxyStage.workers(2, seed: seed, servers: 3)
        let stage = stages[0]
        stage.plan.pool.maximum = 1
        let servers = (0..<3).map { SessionServer(stage, $0) }
        let parties = (0..<3).map { _ in SessionTests.open(stage) }
        let busy = parties.first { $0.owner == "replica-1" }
        servers[1].holds = true
        busy?.client.ask(.post(.call(1), session: busy?.session ?? ""))
        stage.run(for: .milliseconds(100))
        #expect(open([Int](repeating: 0, count: 8), stages) == [4, 4], "seed \(seed)")
    }

    @Test("servers of unequal weight: the workers begin at different turns", arguments: 1...3)
    func weighted(seed: UInt64) {
        let stages = ProxyStage.workers(2, seed: seed, servers: 4)
        for stage in stages {
            for index in 0..<4 { _ = SessionServer(stage, index) }
            stage.snapshot.servers[3].weight = 2
        }
        let owners = stages.map { SessionTests.open($0).owner }
        #expect(Set(owners).count == 2, "\(owners)")
    }
}
