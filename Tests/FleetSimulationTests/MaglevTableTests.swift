import Balancing
import Testing

@testable import FleetSimulation

@Suite("Maglev's table")
struct MaglevTableTests {
    @Test("the example of the paper (table 1): three servers, seven places, and one of the servers removed")
    func paper() {
        let permutations = [(3, 4), (0, 2), (3, 1)].map { MaglevTable.Permutation(offset: $0.0, skip: $0.1) }
        #expect(MaglevTable(permutations, size: 7).places == [1, 0, 1, 0, 2, 2, 0])
        #expect(MaglevTable(permutations, size: 7) { $0 != 1 }.places == [0, 0, 0, 0, 2, 2, 2])
    }

    private func table(_ servers: Int, size: Int, without: Int? = nil) -> MaglevTable {
        let permutations = (0..<servers).map {
            MaglevTable.Permutation(tag: ServerTag.tag(of: "mcp-\($0):3001"), size: size)
        }
        return MaglevTable(permutations, size: size) { $0 != without }
    }

    @Test("servers claim in turn, so their places differ by one at most", arguments: [1, 3, 10, 997])
    func evenness(_ servers: Int) throws {
        let size = MaglevTable.size(servers: servers)
        var counts = [Int](repeating: 0, count: servers)
        for place in table(servers, size: size).places { counts[Int(place)] += 1 }
        let (least, most) = (try #require(counts.min()), try #require(counts.max()))
        #expect(most - least <= 1)
        #expect(counts.reduce(0, +) == size)
    }

    @Test("a server that goes moves its own places and few others")
    func disruption() {
        let size = 10_007
        let before = table(100, size: size).places
        let after = table(100, size: size, without: 42).places
        let changed = zip(before, after).count { $0 != $1 }
        let own = before.count { $0 == 42 }
        #expect(!after.contains(42))
        #expect(changed >= own)
        #expect(changed < own * 4)
        // The paper gives up the least movement for evenness: some other places do move.
        #expect(changed > own)
    }

    @Test("the size is a prime from a hundred places a server on")
    func sizes() {
        #expect(MaglevTable.size(servers: 1) == 101)
        #expect(MaglevTable.size(servers: 3) == 307)
        #expect(MaglevTable.size(servers: 10_000) == 1_000_003)
    }

    @Test("without a server there is none to be found")
    func empty() {
        let permutations = [MaglevTable.Permutation(offset: 0, skip: 1)]
        #expect(MaglevTable(permutations, size: 3) { _ in false }.server(of: 7) == nil)
        #expect(MaglevTable(permutations, size: 3).server(of: 7) == 0)
    }
}
