import Balancing
import Testing

@Suite("Rendezvous hashing")
struct RendezvousTests {
    private static func key(_ text: String) -> UInt64 { Rendezvous.key(of: Array(text.utf8).span) }

    private static func choose(_ key: UInt64, _ servers: [(name: String, weight: Int32)]) -> String {
        servers.max {
            Rendezvous.score(key: key, tag: ServerTag.tag(of: $0.name), weight: $0.weight)
                < Rendezvous.score(key: key, tag: ServerTag.tag(of: $1.name), weight: $1.weight)
        }?.name ?? ""
    }

    @Test("keys are spread by weight, and a server that goes moves its own only")
    func spread() {
        let servers: [(name: String, weight: Int32)] = [("a:1", 1), ("b:1", 1), ("c:1", 2)]
        var counts: [String: Int] = [:]
        for number in 0..<20_000 {
            let key = Self.key("key-\(number)")
            let chosen = Self.choose(key, servers)
            counts[chosen, default: 0] += 1
            let rest = servers.filter { $0.name != "b:1" }
            if chosen != "b:1" { #expect(Self.choose(key, rest) == chosen) }
        }
        for (name, share) in [("a:1", 5_000), ("b:1", 5_000), ("c:1", 10_000)] {
            #expect(abs(counts[name, default: 0] - share) < 400, "\(name)")
        }
    }

    @Test("scores are positive and the same on every machine")
    func stable() {
        let score = Rendezvous.score(key: Self.key("state"), tag: ServerTag.tag(of: "mcp-1:3001"), weight: 1)
        #expect(score > 0 && score.isFinite)
        #expect(Rendezvous.score(key: 1, tag: 2, weight: 0) == Rendezvous.score(key: 1, tag: 2, weight: 1))
        #expect(Rendezvous.score(key: 1, tag: 2, weight: 1_000) == 1_000 * Rendezvous.score(key: 1, tag: 2, weight: 1))
    }
}
