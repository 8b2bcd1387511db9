import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// What becomes of clients when the process has no descriptor left for them (EMFILE, ENFILE of accept(2)).
@Suite("Accepting without descriptors")
struct AcceptLimitTests {
    @Test(
        "clients wait in the backlog without a busy worker, and are served when a descriptor is free", arguments: 1...4)
    func recovers(seed: UInt64) {
        var conditions = Conditions.varied
        // The listener, two clients, and a connection to the server.
        conditions.descriptorLimit = 4
        let stage = ProxyStage(seed: seed, conditions)
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let first = stage.connect()
        let second = stage.connect()
        first.ask(.get())
        stage.run { first.responses.count == 1 }
        second.ask(.get())
        stage.run { second.responses.count == 1 }
        let late = (0..<3).map { _ in stage.connect() }
        for client in late { client.ask(.get()) }
        let turns = stage.turns
        stage.run(for: .seconds(10))
        #expect(late.allSatisfy { $0.responses.isEmpty && !$0.isOver }, "seed \(seed)")
        #expect(stage.turns - turns < 300, "ten tries a second, and not more, seed \(seed)")
        #expect(first.responses.first?.status == 200)
        first.leave()
        // Whose handshake came first is served first, and makes place for the next.
        var waiting = late
        for _ in late {
            let isServed = stage.run(within: .seconds(5)) { waiting.contains { $0.responses.count == 1 } }
            guard isServed, let index = waiting.firstIndex(where: { $0.responses.count == 1 }) else {
                Issue.record("nobody is served, seed \(seed)")
                break
            }
            #expect(waiting[index].responses.first?.status == 200, "seed \(seed)")
            waiting[index].leave()
            waiting.remove(at: index)
        }
        second.leave()
        stage.expectNoLeaks()
    }
}
