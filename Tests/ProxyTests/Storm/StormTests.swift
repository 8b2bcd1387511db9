import Balancing
import Foundation
import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

@Suite("Storms")
struct StormTests {
    static let seeds = namedSeeds(or: 1...8)

    /// The seeds to be run: `few`, or those that `BERTH_STORM_SEEDS=FIRST-LAST` in the environment names.
    static func namedSeeds(or few: ClosedRange<UInt64>) -> ClosedRange<UInt64> {
        let text = ProcessInfo.processInfo.environment["BERTH_STORM_SEEDS"] ?? ""
        let ends = text.split(separator: "-").compactMap { UInt64($0) }
        return ends.count == 2 && ends[0] <= ends[1] ? ends[0]...ends[1] : few
    }

    @Test("whatever happens, answers are whole, in order, and nobody else's", arguments: seeds)
    func storm(seed: UInt64) { expectPeace(Storm(seed: seed), seed: seed) }

    @Test(
        "a call that finds no connection does not keep the worker awake",
        arguments: [2_700, 7_610, 7_696, 7_976] as [UInt64])
    func sleep(seed: UInt64) { expectPeace(Storm(seed: seed), seed: seed) }

    @Test("the same while the configuration changes every few seconds", arguments: seeds)
    func reloads(seed: UInt64) { expectPeace(Storm(seed: seed, hasReloads: true), seed: seed) }

    private func expectPeace(_ storm: Storm, seed: UInt64) {
        storm.runTraffic(for: .seconds(30))
        storm.drain()
        #expect(storm.wrongs == [], "seed \(seed)")
        // Where a server has one place, whoever meets it when it has vanished keeps that for a minute.
        #expect(
            (storm.answers[200] ?? 0) > (storm.stage.plan.pool.maximum == 1 ? 0 : 10), "seed \(seed): \(storm.answers)")
        storm.settle()
        let left = storm.stage.inventory
        #expect(storm.stage.clientCount == 0 && storm.stage.exchangeCount == 0, "seed \(seed): \(left)")
        #expect(storm.stage.bufferedBytes == 0, "seed \(seed)")
        storm.stage.expectGaugesMatch()
        for metric in [ServerMetric.active, .streaming, .waiting, .parked] {
            #expect(storm.stage.sum(metric) == 0, "\(metric), seed \(seed)")
        }
        storm.stage.expectEveryExchangeEndedOnce("seed \(seed)")
        #expect(storm.stage.waitingExchanges == 0, "seed \(seed)")
        let uploads = storm.stage.worker?.uploads
        #expect(uploads == 0, "seed \(seed)")
        #expect(storm.stage.worker?.servers.shares.count == 0, "seed \(seed)")
        #expect(storm.stage.worker?.exchanges.streams.isEmpty == true, "seed \(seed)")
        for metric in [SharedMetric.connections, .streams, .established, .calls] {
            #expect(storm.stage.shared(metric) == 0, "\(metric), seed \(seed)")
        }
        #expect(storm.stage.network.violations == [], "seed \(seed)")
        // Health checks go on; nothing else does.
        let listeners = storm.stage.snapshot.listeners.count
        #expect(storm.stage.network.openDescriptors <= listeners + Storm.servers, "seed \(seed)")
        let turns = storm.stage.turns
        storm.stage.run(for: .seconds(20))
        // Those that speak MCP take many turns where bytes come one by one.
        let isChatty = storm.stage.snapshot.upstreams.contains { $0.healthCheck.kind == .mcp }
        #expect(
            storm.stage.turns - turns < 20 * (isChatty ? 200 : 40),
            "\(storm.stage.turns - turns) turns in 20 s, seed \(seed)")
    }

    @Test("no call is executed twice that nobody declared safe, and every call is answered once", arguments: seeds)
    func retries(seed: UInt64) {
        let storm = RetryStorm(seed: seed)
        storm.run(for: .seconds(60))
        storm.finish()
        #expect(storm.wrongs == [], "seed \(seed)")
        #expect(storm.executions.count > 200, "seed \(seed): \(storm.answers)")
        #expect((storm.answers["200"] ?? 0) > 100, "seed \(seed): \(storm.answers)")
        #expect(storm.stage.sum(.retries) > 10, "seed \(seed)")
        storm.stage.expectEveryExchangeEndedOnce("seed \(seed)")
        storm.stage.expectGaugesMatch()
        #expect(
            storm.stage.clientCount == 0 && storm.stage.exchangeCount == 0, "seed \(seed): \(storm.stage.inventory)")
        #expect(storm.stage.bufferedBytes == 0, "seed \(seed)")
        #expect(storm.stage.network.violations == [], "seed \(seed)")
    }

    @Test("a seed gives the same storm every time", arguments: seeds)
    func reproduction(seed: UInt64) {
        let digests = (0..<2).map { _ in
            let storm = Storm(seed: seed)
            storm.runTraffic(for: .seconds(10))
            return storm.stage.network.digest
        }
        #expect(digests[0] == digests[1], "seed \(seed)")
    }
}
