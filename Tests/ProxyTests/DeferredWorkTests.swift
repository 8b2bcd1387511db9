import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

/// Clients that nobody knows yet all come at once: their requests are deferred work.
@Suite("Deferred work")
struct DeferredWorkTests {
    private static var newClients: Int { 12 }

    /// How many requests of new clients were begun in the turn that began most, if each look at the clock takes `cost`
    /// nanoseconds.
    private func mostInOneTurn(seed: UInt64, cost: UInt64) -> Int {
        var conditions = Conditions.calm
        conditions.lookCost = cost
        let stage = ProxyStage(seed: seed, conditions)
        let server = ScriptedServer(stage) { .reply("pong \($0.text)") }
        let clients = (0..<Self.newClients).map { _ in stage.connect() }
        for client in clients { client.ask(.post(.call(1))) }
        stage.network.advance(by: .seconds(1))
        var (before, most) = (0, 0)
        stage.run {
            let begun = Int(stage.sum(.requests))
            (before, most) = (begun, max(most, begun - before))
            return clients.allSatisfy { $0.responses.count == 1 }
        }
        #expect(server.requests.count == Self.newClients)
        for client in clients { client.leave() }
        stage.expectNoLeaks()
        return most
    }

    @Test("a turn goes on with it for a moment only", arguments: 1...4 as ClosedRange<UInt64>)
    func budget(seed: UInt64) {
        #expect(mostInOneTurn(seed: seed, cost: 0) == Self.newClients)
        // One that was read in this turn, and one read before whose server connection has come to stand.
        #expect(mostInOneTurn(seed: seed, cost: 60_000) <= 2)
    }
}
