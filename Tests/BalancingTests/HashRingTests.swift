import Balancing
import TestSupport
import Testing

@Suite("Consistent hashing")
struct HashRingTests {
    static func placed(
        _ keys: [UInt64], on list: [ServerSelection.Entry], policy: Policy = .sessionHash, down: Set<Int> = []
    ) -> [Int?] {
        var selection = ServerSelection(policy: policy, entries: list)
        for position in down { selection.setEligible(position, false) }
        return keys.map { selection.choose(key: $0) }
    }

    static func keys(_ count: Int, seed: UInt64) -> [UInt64] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in generator.next() }
    }

    static func counts(_ choices: [Int?], of servers: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: servers)
        for case let choice? in choices { counts[choice] += 1 }
        return counts
    }

    /// A key whose place on the ring is just where a server has the point of an ordinal, if it has that many.
    static func key(atPoint ordinal: Int, of entry: ServerSelection.Entry) -> UInt64 {
        entry.tag &+ UInt64(ordinal) &* 0x9E37_79B9_7F4A_7C15
    }

    /// How many of a server's first possible points attract the keys that fall on them.
    static func ownPoints(_ server: Int, in list: [ServerSelection.Entry], ordinals: Range<Int>) -> Int {
        placed(ordinals.map { key(atPoint: $0, of: list[server]) }, on: list).count { $0 == server }
    }

    @Test("the placement of these keys never changes: the proxies of a fleet agree while they are upgraded")
    func golden() {
        let keys: [UInt64] = [0, 1, 2, 3, 42, 0xFFFF_FFFF_FFFF_FFFF, 0x0123_4567_89AB_CDEF, 7_777_777]
        #expect(Self.placed(keys, on: entries([1, 1, 1])) == [0, 1, 2, 2, 0, 0, 2, 0])
        #expect(Self.placed(keys, on: entries([1, 2, 5])) == [2, 1, 1, 2, 1, 2, 2, 2])
        // Few of many are eligible, so that the walk over the ring ends in vain.
        let down = Set(0..<1_000).subtracting([70, 170, 270, 370, 470])
        #expect(Self.placed(keys, on: entries(manyWeights), down: down) == [470, 470, 170, 170, 170, 70, 170, 170])
    }

    // MARK: Who agrees, and which keys move

    /// Weights of a thousand servers.
    let manyWeights = (0..<1_000).map { Int32(1 + $0 % 3) }

    @Test("every selection with the same list places a key alike, in whatever order the list stands")
    func agreement() {
        let keys = Self.keys(2_000, seed: 1)
        let list = entries([1, 2, 3, 1, 1])
        let one = Self.placed(keys, on: list).map { $0.map { list[$0].tag } }
        let reversed = Array(list.reversed())
        let other = Self.placed(keys, on: reversed, policy: .ipHash).map { $0.map { reversed[$0].tag } }
        #expect(one == other)
    }

    @Test("the order of all proposals is the same too, in whatever order the list stands", arguments: [0, 950])
    func orderAgreement(down: Int) {
        let list = entries(manyWeights)
        var generator = SeededGenerator(seed: 6)
        let places = Array(list.indices).shuffled(using: &generator)
        var one = ServerSelection(policy: .ipHash, entries: list)
        var other = ServerSelection(policy: .ipHash, entries: places.map { list[$0] })
        for position in places.indices where places[position] < down {
            one.setEligible(places[position], false)
            other.setEligible(position, false)
        }
        for key in Self.keys(20, seed: 7) {
            #expect(one.proposals(key: key) == other.proposals(key: key).map { places[$0] })
        }
    }

    @Test("where points of two servers coincide, the lower tag decides")
    func ties() {
        let list = entries([Int32](repeating: 1, count: 1_000))
        var servers: [UInt32: (server: Int, ordinal: Int)] = [:]
        var ties: [(one: Int, other: Int, key: UInt64)] = []
        for server in list.indices {
            var generator = SeededGenerator(seed: list[server].tag)
            for ordinal in 0..<160 {
                let hash = UInt32(generator.next() >> 32)
                if let first = servers.updateValue((server, ordinal), forKey: hash) {
                    ties.append((first.server, server, Self.key(atPoint: ordinal, of: list[server])))
                }
            }
        }
        #expect(!ties.isEmpty)
        let reversed = Array(list.reversed())
        for tie in ties {
            let winner = list[tie.one].tag < list[tie.other].tag ? tie.one : tie.other
            #expect(Self.placed([tie.key], on: list) == [winner])
            #expect(Self.placed([tie.key], on: reversed) == [list.count - 1 - winner])
        }
    }

    @Test("a server that goes moves only its own keys, and one that returns gets them back", arguments: 0..<5)
    func stability(gone: Int) {
        let keys = Self.keys(20_000, seed: 2)
        var selection = ServerSelection(.sessionHash, [1, 2, 3, 1, 4])
        let before = keys.map { selection.choose(key: $0) }
        selection.setEligible(gone, false)
        let after = keys.map { selection.choose(key: $0) }
        #expect(keys.indices.allSatisfy { before[$0] == gone || after[$0] == before[$0] })
        let spread = Set(keys.indices.filter { before[$0] == gone }.map { after[$0] })
        #expect(spread == Set((0..<5).filter { $0 != gone }))
        selection.setEligible(gone, true)
        #expect(keys.map { selection.choose(key: $0) } == before)
    }

    @Test("of many servers, one that goes gives its keys to most of the others, a small part to each")
    func spread() {
        let keys = Self.keys(100_000, seed: 8)
        let before = Self.placed(keys, on: entries([Int32](repeating: 1, count: 100)))
        let after = Self.placed(keys, on: entries([Int32](repeating: 1, count: 100)), down: [42])
        let moved = keys.indices.filter { before[$0] == 42 }
        let received = Self.counts(moved.map { after[$0] }, of: 100)
        #expect(received.count { $0 > 0 } > 60)
        #expect((received.max() ?? 0) * 10 < moved.count)
    }

    @Test("a server that is added takes keys only for itself", arguments: [[1, 1, 1, 1], [1, 2, 3, 2]] as [[Int32]])
    func growth(weights: [Int32]) {
        let keys = Self.keys(20_000, seed: 3)
        let before = Self.placed(keys, on: entries(Array(weights.dropLast())))
        let after = Self.placed(keys, on: entries(weights))
        let moved = keys.indices.filter { before[$0] != after[$0] }
        #expect(moved.allSatisfy { after[$0] == 3 })
        #expect(abs(Double(moved.count) / 5000 - 1) < 0.2, "\(moved.count)")
    }

    @Test("of many servers too, a refused one moves only its own keys", arguments: [true, false])
    func refusal(isUniform: Bool) {
        let list = entries((0..<40).map { isUniform ? 1 : Int32(1 + $0 % 4) })
        var selection = ServerSelection(policy: .ipHash, entries: list)
        for key in Self.keys(2_000, seed: 5) {
            guard let home = selection.choose(key: key) else { continue }
            let order = selection.proposals(key: key)
            #expect(order.first == home && Set(order) == Set(list.indices))
            // Where a key goes next is where it would be if its server did not exist.
            selection.setEligible(home, false)
            #expect(selection.choose(key: key) == order[1])
            selection.setEligible(home, true)
            #expect(selection.choose(key: key) == home)
        }
    }

    // MARK: Shares

    @Test(
        "keys spread by weight: with p points a server's share strays by at most 3/√p",
        arguments: [
            [1, 1, 1], [1, 2, 3], [5, 1, 1, 3], [100, 200, 300], [1, 1, 1, 1, 1, 1, 1, 1], [7],
            [100_000, 200_000, 300_000],
        ] as [[Int32]])
    func weights(_ weights: [Int32]) {
        let keys = Self.keys(200_000, seed: 4)
        let counts = Self.counts(Self.placed(keys, on: entries(weights)), of: weights.count)
        let total = Double(weights.reduce(0, +))
        for index in weights.indices {
            let part = Double(weights[index]) / total
            let points = min(160 * Double(weights[index]), 262_144 * part)
            let share = Double(keys.count) * part
            // The keys themselves are drawn, and stray by what is added.
            let tolerance = 3 / points.squareRoot() + 3 / share.squareRoot()
            #expect(abs(Double(counts[index]) / share - 1) < tolerance, "\(counts)")
        }
    }

    @Test("keys that follow each other spread as well as random ones")
    func consecutiveKeys() {
        let counts = Self.counts(Self.placed(Array(0..<100_000), on: entries([1, 1, 1, 1])), of: 4)
        #expect(counts.allSatisfy { abs(Double($0) / 25_000 - 1) < 0.24 }, "\(counts)")
    }

    @Test("a server has 160 points for each unit of weight", arguments: 0..<3)
    func points(server: Int) {
        let list = entries([1, 2, 3])
        let count = 160 * (server + 1)
        #expect(Self.ownPoints(server, in: list, ordinals: 0..<count) == count)
        #expect(Self.ownPoints(server, in: list, ordinals: count..<2 * count) < count)
    }

    @Test("behind the last point of the ring comes the first", arguments: 0..<8)
    func wrapping(first: Int) {
        let list = Array(entries([Int32](repeating: 1, count: first + 2)).dropFirst(first))
        let points = list.indices.flatMap { server -> [(hash: UInt64, server: Int)] in
            var generator = SeededGenerator(seed: list[server].tag)
            return (0..<160).map { _ in (generator.next() >> 32, server) }
        }
        let ascending = points.sorted { $0.hash < $1.hash }
        let keys = (0..<20_000 as Range<UInt64>).filter {
            var generator = SeededGenerator(seed: $0)
            return generator.next() >> 32 > ascending[ascending.count - 1].hash
        }
        #expect(!keys.isEmpty)
        #expect(Self.placed(keys, on: list).allSatisfy { $0 == ascending[0].server })
    }

    @Test("where there would be too many points all servers have fewer, and each has one at least")
    func scaledPoints() {
        let list = entries([3_000, 1_000, .max, 1])
        #expect(Self.ownPoints(3, in: list, ordinals: 0..<1) == 1)
        #expect(Self.ownPoints(3, in: list, ordinals: 1..<160) == 0)
        let halved = entries([1_638, 1_638])
        #expect(Self.ownPoints(0, in: halved, ordinals: 0..<131_072) == 131_072)
        #expect(Self.ownPoints(0, in: halved, ordinals: 131_072..<132_072) < 1_000)
    }

    // MARK: Few servers left

    @Test("the only one of a thousand servers that is up gets every key", arguments: [0, 499, 999])
    func lastServer(up: Int) {
        var selection = ServerSelection(.ipHash, manyWeights, down: Set(0..<1_000).subtracting([up]))
        for key in Self.keys(200, seed: 9) { #expect(selection.proposals(key: key) == [up]) }
    }

    @Test("few that are up of many share the keys by weight, and one that goes moves only its own")
    func fewLeft() {
        let up = [71, 170, 269, 368, 467, 566, 665, 764, 863, 962]
        var selection = ServerSelection(.ipHash, manyWeights, down: Set(0..<1_000).subtracting(up))
        let keys = Self.keys(20_000, seed: 10)
        let before = keys.map { selection.choose(key: $0) }
        let counts = Self.counts(before, of: 1_000)
        let total = up.reduce(0) { $0 + Int(manyWeights[$1]) }
        for server in up {
            let share = Double(keys.count * Int(manyWeights[server])) / Double(total)
            #expect(abs(Double(counts[server]) / share - 1) < 0.5, "\(up.map { counts[$0] })")
        }
        selection.setEligible(368, false)
        let after = keys.map { selection.choose(key: $0) }
        #expect(keys.indices.allSatisfy { before[$0] == 368 || after[$0] == before[$0] })
        let spread = Set(keys.indices.filter { before[$0] == 368 }.map { after[$0] })
        #expect(spread == Set(up.filter { $0 != 368 }))
    }

    @Test("every server is proposed once when all refuse, also in panic mode", arguments: [1, 2, 65, 1_000])
    func allRefuse(count: Int) {
        let backups = Set((0..<count).filter { $0 % 5 == 4 })
        let down = Set((0..<count).filter { $0 % 3 == 2 })
        var selection = ServerSelection(
            .sessionHash, Array(manyWeights.prefix(count)), down: down, backup: backups)
        for key in Self.keys(20, seed: 11) {
            let eligible = selection.proposals(key: key)
            #expect(eligible.sorted() == (0..<count).filter { !down.contains($0) })
            let all = selection.proposals(key: key, scope: .all)
            #expect(all.sorted() == Array(0..<count))
            #expect(Array(all.prefix(eligible.count)) == eligible)
        }
    }

    @Test("what one choice refused the next one proposes again")
    func refusalsForgotten() {
        var selection = ServerSelection(.ipHash, [1, 1, 1, 1])
        for key in Self.keys(50, seed: 12) {
            let order = selection.proposals(key: key)
            #expect(selection.choose(key: key, refusing: [order[0]]) == order[1])
            #expect(selection.choose(key: key) == order[0])
            // A choice that is not finished.
            selection.begin(key: key)
            #expect(selection.next() == order[0] && selection.next() == order[1])
            #expect(selection.proposals(key: key) == order)
        }
    }
}
