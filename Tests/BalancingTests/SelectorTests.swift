import Balancing
import TestSupport
import Testing

/// A list of endpoints as the tests write it down.
func candidates(_ weights: [Int32], calls: [Int32]? = nil, down: Set<Int> = [], backup: Set<Int> = []) -> [Candidate] {
    weights.indices.map { index in
        Candidate(
            isAvailable: !down.contains(index), isBackup: backup.contains(index), weight: weights[index],
            calls: calls?[index] ?? 0, tag: ServerTag.tag(of: "mcp-\(index):3001"))
    }
}

let everyPolicy: [Policy] = [.roundRobin, .ipHash, .sessionHash, .leastRequests, .powerOfTwo]

@Suite("Selector")
struct SelectorTests {
    @Test("an unavailable or excluded endpoint is never chosen", arguments: everyPolicy)
    func availability(policy: Policy) {
        var generator = SeededGenerator(seed: 1)
        var selector = Selector(policy: policy, count: 5)
        var chosen: Set<Int> = []
        for _ in 0..<2000 {
            let list = candidates([1, 2, 3, 1, 9], down: [2], backup: [4])
            let choice = selector.select(
                from: list.span, key: generator.next(), random: generator.next(), excluding: 0)
            if let choice { chosen.insert(choice) }
        }
        #expect(chosen == [1, 3])
    }

    @Test("backups serve only while no primary can", arguments: everyPolicy)
    func backups(policy: Policy) {
        var generator = SeededGenerator(seed: 2)
        var selector = Selector(policy: policy, count: 4)
        func chosen(down: Set<Int>, excluding: Int = -1) -> Set<Int?> {
            let list = candidates([1, 1, 1, 1], down: down, backup: [2, 3])
            return Set(
                (0..<200).map { _ in
                    selector.select(
                        from: list.span, key: generator.next(), random: generator.next(), excluding: excluding)
                })
        }
        #expect(chosen(down: []) == [0, 1])
        #expect(chosen(down: [1]) == [0])
        #expect(chosen(down: [0, 1]) == [2, 3])
        #expect(chosen(down: [1], excluding: 0) == [2, 3])
        #expect(chosen(down: [0, 1, 3], excluding: 2) == [nil])
        #expect(chosen(down: [0, 1, 2, 3]) == [nil])
    }

    @Test("no endpoint at all is no choice", arguments: everyPolicy)
    func empty(policy: Policy) {
        var selector = Selector(policy: policy, count: 0)
        let list: [Candidate] = []
        let choice = selector.select(from: list.span, key: 1, random: 1)
        #expect(choice == nil)
    }

    @Test("extreme numbers do not trap", arguments: everyPolicy)
    func extremes(policy: Policy) {
        var selector = Selector(policy: policy, count: 3)
        let list = candidates([.max, 0, .min], calls: [.max, .min, -1])
        for random in [0, .max, 0xFFFF_FFFF, 0xFFFF_FFFF_0000_0000] as [UInt64] {
            for _ in 0..<100 {
                let choice = selector.select(from: list.span, key: random, random: random)
                #expect(choice != nil)
            }
        }
    }

    // MARK: Round robin

    @Test("weights 5, 1, 1 interleave as nginx has them")
    func smoothExample() {
        var selector = Selector(policy: .roundRobin, count: 3)
        let list = candidates([5, 1, 1])
        let turns = (0..<14).map { _ in selector.select(from: list.span, key: 0, random: 0) }
        #expect(turns == [0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0])
    }

    @Test("equal weights take turns")
    func equalTurns() {
        var selector = Selector(policy: .roundRobin, count: 3)
        let list = candidates([1, 1, 1])
        let turns = (0..<6).map { _ in selector.select(from: list.span, key: 0, random: 0) }
        #expect(turns == [0, 1, 2, 0, 1, 2])
    }

    @Test("every cycle is exact, and no prefix of it strays from its share", arguments: 0..<40 as Range<UInt64>)
    func shares(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let weights = (0..<Int.random(in: 1...8, using: &generator)).map { _ in
            Int32.random(in: 1...9, using: &generator)
        }
        let total = Int(weights.reduce(0, +))
        let list = candidates(weights)
        var selector = Selector(policy: .roundRobin, count: weights.count)
        for cycle in 0..<3 {
            var counts = [Int](repeating: 0, count: weights.count)
            for turn in 1...total {
                if let choice = selector.select(from: list.span, key: 0, random: 0) { counts[choice] += 1 }
                for index in weights.indices {
                    let share = Double(turn) * Double(weights[index]) / Double(total)
                    // Smooth: never further from its share than a round of the others.
                    #expect(abs(Double(counts[index]) - share) < Double(weights.count), "cycle \(cycle), turn \(turn)")
                }
            }
            #expect(counts == weights.map(Int.init))
        }
    }

    @Test("with equal weights nobody is ever ahead by more than one, whatever comes and goes in between")
    func returning() {
        var selector = Selector(policy: .roundRobin, count: 3)
        let all = candidates([1, 1, 1])
        let without = candidates([1, 1, 1], down: [2])
        for _ in 0..<100 { _ = selector.select(from: without.span, key: 0, random: 0) }
        var counts = [0, 0, 0]
        for _ in 0..<30 {
            if let choice = selector.select(from: all.span, key: 0, random: 0) { counts[choice] += 1 }
        }
        #expect(counts == [10, 10, 10])
    }

    // MARK: By load

    @Test(
        "least-requests takes the fewest calls for the weight",
        arguments: [
            ([1, 1, 1], [3, 1, 2], 1), ([2, 1, 1], [3, 2, 2], 0), ([1, 4, 1], [1, 3, 1], 1),
            ([1, 1, 1], [5, 5, 4], 2),
        ] as [([Int32], [Int32], Int)])
    func leastBusy(_ weights: [Int32], _ calls: [Int32], _ expected: Int) {
        var selector = Selector(policy: .leastRequests, count: 3)
        let list = candidates(weights, calls: calls)
        for _ in 0..<5 {
            let choice = selector.select(from: list.span, key: 0, random: 0)
            #expect(choice == expected)
        }
    }

    @Test("equally busy endpoints take turns by weight")
    func leastBusyTies() {
        var selector = Selector(policy: .leastRequests, count: 4)
        let list = candidates([1, 2, 1, 1], calls: [0, 0, 9, 0])
        var counts = [0, 0, 0, 0]
        for _ in 0..<40 {
            if let choice = selector.select(from: list.span, key: 0, random: 0) { counts[choice] += 1 }
        }
        #expect(counts == [10, 20, 0, 10])
    }

    @Test("least-requests keeps calls in proportion to weight", arguments: 0..<10 as Range<UInt64>)
    func leastBusyProportion(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var selector = Selector(policy: .leastRequests, count: 3)
        var list = candidates([1, 2, 3])
        for step in 0..<6000 {
            guard let choice = selector.select(from: list.span, key: 0, random: 0) else { continue }
            list[choice].calls += 1
            if step >= 600 {
                let busy = list.indices.filter { list[$0].calls > 0 }
                if let index = busy.randomElement(using: &generator) { list[index].calls -= 1 }
            }
        }
        let loads = list.map { Double($0.calls) / Double($0.weight) }
        #expect((loads.max() ?? 0) - (loads.min() ?? 0) < 40, "\(loads)")
    }

    @Test("two choices are two different endpoints, each pair as often as any other")
    func pairs() {
        // The busier of a pair is never chosen, so the least busy wins all its pairs and the busiest none.
        var generator = SeededGenerator(seed: 3)
        var selector = Selector(policy: .powerOfTwo, count: 4)
        let list = candidates([1, 1, 1, 1], calls: [0, 1, 2, 3])
        var counts = [0, 0, 0, 0]
        for _ in 0..<60_000 {
            if let choice = selector.select(from: list.span, key: 0, random: generator.next()) { counts[choice] += 1 }
        }
        // Of six pairs: three are won by the first, two by the second, one by the third.
        #expect(abs(counts[0] - 30_000) < 900 && abs(counts[1] - 20_000) < 900 && abs(counts[2] - 10_000) < 900)
        #expect(counts[3] == 0)
    }

    @Test("of equals, either may be drawn")
    func powerOfTwoTies() {
        var generator = SeededGenerator(seed: 4)
        var selector = Selector(policy: .powerOfTwo, count: 3)
        let list = candidates([1, 1, 1])
        var counts = [0, 0, 0]
        for _ in 0..<30_000 {
            if let choice = selector.select(from: list.span, key: 0, random: generator.next()) { counts[choice] += 1 }
        }
        #expect(counts.allSatisfy { abs($0 - 10_000) < 500 }, "\(counts)")
    }

    @Test("power of two weighs calls by weight")
    func powerOfTwoWeights() {
        var selector = Selector(policy: .powerOfTwo, count: 2)
        let list = candidates([4, 1], calls: [3, 1])
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<100 {
            let choice = selector.select(from: list.span, key: 0, random: generator.next())
            #expect(choice == 0)
        }
    }
}
