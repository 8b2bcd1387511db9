import Balancing
import TestSupport
import Testing

@Suite("Rendezvous hashing")
struct RendezvousTests {
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

    @Test("every selection with the same list places a key alike, in whatever order the list stands")
    func agreement() {
        let keys = Self.keys(2000, seed: 1)
        let list = entries([1, 2, 3, 1, 1])
        let one = Self.placed(keys, on: list).map { $0.map { list[$0].tag } }
        let reversed = Array(list.reversed())
        let other = Self.placed(keys, on: reversed, policy: .ipHash).map { $0.map { reversed[$0].tag } }
        #expect(one == other)
    }

    @Test("a server that goes moves only its own keys, and one that returns gets them back", arguments: 0..<5)
    func stability(gone: Int) {
        let keys = Self.keys(20_000, seed: 2)
        let weights: [Int32] = [1, 2, 3, 1, 4]
        let before = Self.placed(keys, on: entries(weights))
        let after = Self.placed(keys, on: entries(weights), down: [gone])
        var spread: Set<Int?> = []
        for index in keys.indices {
            if before[index] == gone { spread.insert(after[index]) } else { #expect(after[index] == before[index]) }
        }
        #expect(spread == Set((0..<5).filter { $0 != gone }))
    }

    @Test("a server that comes takes keys only for itself")
    func growth() {
        let keys = Self.keys(20_000, seed: 3)
        let before = Self.placed(keys, on: entries([1, 1, 1]))
        let after = Self.placed(keys, on: entries([1, 1, 1, 1]))
        let moved = keys.indices.filter { before[$0] != after[$0] }
        #expect(moved.allSatisfy { after[$0] == 3 })
        #expect(abs(Double(moved.count) / 5000 - 1) < 0.05)
    }

    @Test(
        "keys spread by weight, within 5 %",
        arguments: [
            [1, 1, 1], [1, 2, 3], [5, 1, 1, 3], [100, 200, 300], [1, 1, 1, 1, 1, 1, 1, 1], [7],
        ] as [[Int32]])
    func weights(_ weights: [Int32]) {
        let keys = Self.keys(200_000, seed: 4)
        var counts = [Int](repeating: 0, count: weights.count)
        for case let choice? in Self.placed(keys, on: entries(weights)) { counts[choice] += 1 }
        let total = Double(weights.reduce(0, +))
        for index in weights.indices {
            let share = Double(keys.count) * Double(weights[index]) / total
            #expect(abs(Double(counts[index]) / share - 1) < 0.05, "\(counts)")
        }
    }

    @Test("keys that follow each other spread as well as random ones")
    func consecutiveKeys() {
        var counts = [0, 0, 0, 0]
        for case let choice? in Self.placed(Array(0..<100_000), on: entries([1, 1, 1, 1])) { counts[choice] += 1 }
        #expect(counts.allSatisfy { abs(Double($0) / 25_000 - 1) < 0.05 }, "\(counts)")
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

    @Test("the placement of these keys never changes: ids in clients' hands rest on it")
    func golden() {
        let keys: [UInt64] = [0, 1, 2, 3, 42, 0xFFFF_FFFF_FFFF_FFFF, 0x0123_4567_89AB_CDEF, 7_777_777]
        #expect(Self.placed(keys, on: entries([1, 1, 1])) == [0, 1, 0, 2, 0, 0, 0, 1])
        #expect(Self.placed(keys, on: entries([1, 2, 5])) == [1, 2, 2, 2, 0, 2, 0, 1])
    }
}

@Suite("Tags and keys")
struct HashingTests {
    @Test(
        "the tag of an address never changes: it is written into ids",
        arguments: [
            ("mcp-1:3001", 0xF7C1_B4D7_3CDB_A86F), ("10.0.0.4:8080", 0xA8AA_B585_8043_8E84),
            ("[::1]:80", 0x83E0_6C9F_7B26_F3DA), ("", 0xC381_7C01_6BA4_FF30),
        ] as [(String, UInt64)])
    func goldenTags(_ address: String, _ tag: UInt64) {
        #expect(ServerTag.tag(of: address) == tag)
        let bytes = Array(address.utf8)
        let same = ServerTag.tag(of: bytes.span)
        #expect(same == tag)
    }

    @Test("addresses that differ have tags that differ")
    func distinctTags() {
        let addresses = (0..<100).flatMap { host in (3000..<3100).map { "mcp-\(host):\($0)" } }
        #expect(Set(addresses.map { ServerTag.tag(of: $0) }).count == addresses.count)
    }

    @Test("all of an IPv4 address counts, however the other bytes stand")
    func ipv4() {
        let keys = Set(
            (0..<10_000 as Range<UInt64>).map { AddressKey.key(high: 0, low: 0x0A00_0000 | $0, isIPv4: true) })
        #expect(keys.count == 10_000)
        #expect(
            AddressKey.key(high: 0, low: 0xFFFF_0A00_0001, isIPv4: true)
                == AddressKey.key(high: 9, low: 0x0A00_0001, isIPv4: true))
    }

    @Test("of an IPv6 address the network counts and the host does not")
    func ipv6() {
        let network: UInt64 = 0x2001_0DB8_0000_0001
        #expect(
            AddressKey.key(high: network, low: 1, isIPv4: false) == AddressKey.key(high: network, low: 2, isIPv4: false)
        )
        #expect(
            AddressKey.key(high: network, low: 1, isIPv4: false)
                != AddressKey.key(high: network + 1, low: 1, isIPv4: false))
        #expect(AddressKey.key(high: 5, low: 0, isIPv4: false) != AddressKey.key(high: 0, low: 5, isIPv4: true))
    }

    @Test("a change of one bit changes about half of the key")
    func avalanche() {
        for bit in 0..<32 {
            let one = AddressKey.key(high: 0, low: 0x0A00_0001, isIPv4: true)
            let other = AddressKey.key(high: 0, low: 0x0A00_0001 ^ 1 << UInt64(bit), isIPv4: true)
            #expect((16...48).contains((one ^ other).nonzeroBitCount))
        }
    }
}
