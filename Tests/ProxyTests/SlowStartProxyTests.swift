import Balancing
import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

/// A server that comes back, or appears, gets its share of new work bit by bit.
@Suite("Slow start of servers")
struct SlowStartProxyTests {
    static let seeds: ClosedRange<UInt64> = 1...4

    private func stage(_ seed: UInt64, servers: Int = 3, policy: Policy = .roundRobin) -> ProxyStage {
        let stage = ProxyStage(seed: seed, servers: servers)
        stage.plan.policy = policy
        stage.plan.healthCheck.slowStart = .seconds(30)
        stage.plan.healthCheck.rise = 1
        return stage
    }

    /// How many of so many calls, within a second or two, each server gets.
    private func counts(_ stage: ProxyStage, _ count: Int, servers: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: servers)
        let client = stage.connect()
        for number in 0..<count {
            client.ask(.post(.call(number)))
            stage.awaitResponses(number + 1, to: client)
        }
        client.leave()
        for response in client.responses { if let server = Int(response.text) { counts[server] += 1 } }
        #expect(counts.reduce(0, +) == count)
        return counts
    }

    private func serve(_ stage: ProxyStage, _ count: Int) {
        for index in 0..<count { _ = ScriptedServer(stage, index) { _ in .reply("\(index)") } }
    }

    /// The server comes back by a check that passes.
    private func comeBack(_ server: Int, _ stage: ProxyStage) {
        stage.markUnhealthy(server)
        stage.run(for: .seconds(1))
        stage.worker?.recordHealth(server, .passed)
    }

    @Test(
        "a tenth at first, half of it after half the time, all of it in the end",
        arguments: seeds, [Policy.roundRobin, .leastRequests, .powerOfTwo])
    func growth(seed: UInt64, policy: Policy) {
        let stage = stage(seed, policy: policy)
        serve(stage, 3)
        stage.start()
        comeBack(1, stage)
        let first = counts(stage, 120, servers: 3)[1]
        #expect((1...8).contains(first), "\(first) of 40, seed \(seed)")
        stage.run(for: .seconds(13))
        let second = counts(stage, 120, servers: 3)[1]
        #expect((13...27).contains(second), "\(second) of 40, seed \(seed)")
        stage.run(for: .seconds(20))
        let third = counts(stage, 120, servers: 3)[1]
        #expect((policy == .roundRobin ? 40...40 : 26...54).contains(third), "\(third) of 40, seed \(seed)")
        stage.expectNoLeaks()
    }

    @Test("at the start of the process, and without the key, all begin with their share", arguments: seeds)
    func notAtStart(seed: UInt64) {
        let stage = stage(seed)
        serve(stage, 3)
        #expect(counts(stage, 30, servers: 3) == [10, 10, 10], "seed \(seed)")
        let other = self.stage(seed)
        other.plan.healthCheck.slowStart = Interval(nanoseconds: 0)
        serve(other, 3)
        other.start()
        comeBack(1, other)
        #expect(counts(other, 30, servers: 3) == [10, 10, 10], "seed \(seed)")
    }

    @Test("a server that a reload adds starts slowly, the others keep their shares", arguments: seeds)
    func added(seed: UInt64) throws {
        let stage = stage(seed, servers: 2)
        serve(stage, 3)
        #expect(counts(stage, 20, servers: 3) == [10, 10, 0])
        try stage.reload { snapshot in
            snapshot.servers.append(ServerPlan(address: ProxyStage.server(2), name: "mcp-2:3001", upstream: 0))
            snapshot.upstreams[0].servers = 0..<3
        }
        let counts = counts(stage, 120, servers: 3)
        #expect((1...8).contains(counts[2]) && abs(counts[0] - counts[1]) <= 2, "\(counts), seed \(seed)")
    }

    @Test("weights count: a heavy server's share grows to its weight", arguments: seeds)
    func weights(seed: UInt64) {
        let stage = stage(seed, servers: 2)
        stage.snapshot.servers[1].weight = 3
        serve(stage, 2)
        stage.start()
        comeBack(1, stage)
        stage.run(for: .seconds(14))
        let half = counts(stage, 120, servers: 2)[1]
        #expect((40...65).contains(half), "\(half) of 90, seed \(seed)")
        stage.run(for: .seconds(20))
        #expect(counts(stage, 120, servers: 2)[1] == 90, "seed \(seed)")
    }

    @Test("if nobody else is there, a slow starter takes all the work", arguments: seeds)
    func alone(seed: UInt64) {
        let stage = stage(seed)
        serve(stage, 3)
        stage.start()
        for server in 0..<3 { stage.markUnhealthy(server) }
        stage.worker?.recordHealth(2, .passed)
        #expect(counts(stage, 20, servers: 3) == [0, 0, 20], "seed \(seed)")
        // And when all come back together, they share it.
        for server in 0..<2 { stage.worker?.recordHealth(server, .passed) }
        let together = counts(stage, 60, servers: 3)
        #expect(together.allSatisfy { $0 > 10 }, "\(together), seed \(seed)")
    }

    @Test("consistent hashing sends a key where it belongs from the first moment", arguments: seeds)
    func hashing(seed: UInt64) {
        let stage = stage(seed, policy: .ipHash)
        serve(stage, 3)
        let before = counts(stage, 5, servers: 3)
        let owner = before.firstIndex(of: 5) ?? 0
        comeBack(owner, stage)
        #expect(counts(stage, 5, servers: 3) == before, "seed \(seed)")
    }

    @Test("the same seed gives the same choices", arguments: seeds)
    func determinism(seed: UInt64) {
        let runs = (0..<2).map { _ in
            let stage = stage(seed, policy: .powerOfTwo)
            serve(stage, 3)
            stage.start()
            comeBack(1, stage)
            _ = counts(stage, 60, servers: 3)
            return stage.network.digest
        }
        #expect(runs[0] == runs[1])
    }

    @Test("after an ejection too", arguments: seeds)
    func ejection(seed: UInt64) {
        let stage = stage(seed)
        stage.plan.outliers = OutlierPlan(
            rule: OutlierDetector.Rule(failures: 2, baseEjection: 5_000_000_000), maximumPercent: 34)
        var isBad = true
        for index in 0..<3 {
            _ = ScriptedServer(stage, index) { _ in
                index == 1 && isBad ? .reply("1", status: "503 No") : .reply("\(index)")
            }
        }
        #expect(counts(stage, 20, servers: 3)[1] == 2, "seed \(seed)")
        isBad = false
        stage.run(for: .seconds(6))
        let first = counts(stage, 120, servers: 3)[1]
        #expect((1...9).contains(first), "\(first) of 40, seed \(seed)")
    }
}
