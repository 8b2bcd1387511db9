import Kernel
import Simulation
import Testing

@testable import Proxy

/// Clients that are sent away together do not come back together.
@Suite("When clients come back")
struct ReconnectSpreadTests {
    private static func stage(_ seed: UInt64, _ rules: String) throws -> ProxyStage {
        let stage = try RateLimitTests.stage(rules, seed: seed)
        let server = SessionServer(stage, 0)
        let usual = server.server.handler
        server.server.handler = { message in
            message.method == "GET" ? .stream("data: a\n\n") : usual(message)
        }
        return stage
    }

    @Test("streams that end with the process say another time each", arguments: 1...3 as ClosedRange<UInt64>)
    func drain(seed: UInt64) throws {
        let stage = try Self.stage(seed, "")
        let sessions = (0..<40).map { _ in SessionTests.open(stage).session }
        let listeners = sessions.map { session in
            let client = stage.connect()
            client.ask(.openStream(session: session))
            return client
        }
        #expect(stage.run { listeners.allSatisfy { $0.current.text == "data: a\n\n" } })
        stage.worker?.drain()
        #expect(stage.run { listeners.allSatisfy { $0.responses.count == 1 } })
        let hints = listeners.compactMap { listener in
            listener.responses.first?.text.firstMatch(of: /\n\nretry: (\d+)\n\n$/).flatMap { Int($0.1) }
        }
        #expect(hints.count == 40 && hints.allSatisfy { (1_000...2_000).contains($0) }, "seed \(seed): \(hints)")
        #expect(Set(hints).count > 30, "seed \(seed): \(hints)")
        #expect(hints.contains { $0 < 1_300 } && hints.contains { $0 > 1_700 }, "seed \(seed): \(hints)")
    }

    @Test("streams that are refused are told to come another time each, and none too early")
    func refused() throws {
        let stage = try Self.stage(1, "stream_opens = \"1/h\"")
        let waits = (0..<30).map { _ in
            let party = SessionTests.open(stage)
            let opens = [String.openStream(session: party.session)]
            party.client.ask(opens[0])
            stage.run { party.client.current.text == "data: a\n\n" }
            let other = stage.connect()
            #expect(RateLimitTests.statuses(stage, on: other, opens) == [429])
            return Int(other.responses.last?["retry-after"] ?? "") ?? 0
        }
        #expect(waits.allSatisfy { (3_590...3_631).contains($0) }, "\(waits)")
        #expect(Set(waits).count > 12, "\(waits)")
    }
}
