import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

@Suite("Storms")
struct StormTests {
    @Test("whatever happens, answers are whole, in order, and nobody else's", arguments: 1...8)
    func storm(seed: UInt64) {
        let storm = Storm(seed: seed)
        storm.runTraffic(for: .seconds(30))
        storm.drain()
        #expect(storm.wrongs == [], "seed \(seed)")
        #expect((storm.answers[200] ?? 0) > 10, "seed \(seed): \(storm.answers)")
        storm.stage.run(for: .seconds(200))
        #expect(storm.stage.clientCount == 0 && storm.stage.exchangeCount == 0, "seed \(seed)")
        #expect(storm.stage.bufferedBytes == 0, "seed \(seed)")
        storm.stage.expectEveryExchangeEndedOnce("seed \(seed)")
        storm.stage.expectGaugesMatch()
        for metric in [ServerMetric.active, .streaming, .waiting, .parked] {
            #expect(storm.stage.sum(metric) == 0, "\(metric), seed \(seed)")
        }
        #expect(storm.stage.shared(.connections) == 0, "seed \(seed)")
        #expect(storm.stage.network.violations == [], "seed \(seed)")
        // Checks go on; nothing else does.
        let turns = storm.stage.turns
        storm.stage.run(for: .seconds(20))
        #expect(storm.stage.turns - turns < 20 * 15, "\(storm.stage.turns - turns) turns in 20 s, seed \(seed)")
    }
}
