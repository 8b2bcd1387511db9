import Balancing
import TestSupport
import Testing

@Suite("Server selection")
struct ServerSelectionTests {
    @Test("a server that is not eligible or refused is never chosen", arguments: everyPolicy)
    func availability(policy: Policy) {
        var generator = SeededGenerator(seed: 1)
        var selection = ServerSelection(policy, [1, 2, 3, 1, 9], down: [2], backup: [4])
        var chosen: Set<Int> = []
        for _ in 0..<2000 {
            let choice = selection.choose(key: generator.next(), random: generator.next(), refusing: [0])
            if let choice { chosen.insert(choice) }
        }
        #expect(chosen == [1, 3])
    }

    @Test("backups serve only while no primary can", arguments: everyPolicy)
    func backups(policy: Policy) {
        var generator = SeededGenerator(seed: 2)
        func chosen(down: Set<Int>, refusing: Set<Int> = []) -> Set<Int?> {
            var selection = ServerSelection(policy, [1, 1, 1, 1], down: down, backup: [2, 3])
            return Set(
                (0..<200).map { _ in
                    selection.choose(key: generator.next(), random: generator.next(), refusing: refusing)
                })
        }
        #expect(chosen(down: []) == [0, 1])
        #expect(chosen(down: [1]) == [0])
        #expect(chosen(down: [0, 1]) == [2, 3])
        #expect(chosen(down: [1], refusing: [0]) == [2, 3])
        #expect(chosen(down: [0, 1, 3], refusing: [2]) == [nil])
        #expect(chosen(down: [0, 1, 2, 3]) == [nil])
    }

    @Test("no server at all is no choice", arguments: everyPolicy)
    func empty(policy: Policy) {
        var selection = ServerSelection(policy, [])
        #expect(selection.choose(key: 1, random: 1) == nil)
        #expect(selection.choose(key: 1, random: 1, scope: .all) == nil)
    }

    @Test("extreme numbers do not trap", arguments: everyPolicy)
    func extremes(policy: Policy) {
        var selection = ServerSelection(policy, [.max, 0, .min])
        for random in [0, .max, 0xFFFF_FFFF, 0xFFFF_FFFF_0000_0000] as [UInt64] {
            for _ in 0..<100 {
                let choice = selection.choose(key: random, random: random, calls: [.max, .min, -1])
                #expect(choice != nil)
                selection.callEnded(0)
                selection.callBegan(0)
                selection.callBegan(0)
            }
        }
    }

    @Test("panic mode proposes every server, the eligible ones first", arguments: everyPolicy)
    func panic(policy: Policy) {
        var selection = ServerSelection(policy, [1, 1, 1, 1, 1, 1], down: [1, 2, 5], backup: [4, 5])
        let order = selection.proposals(key: 9, random: 9, scope: .all)
        #expect(Set(order[0..<2]) == [0, 3])
        #expect(order[2] == 4)
        #expect(Set(order[3..<5]) == [1, 2])
        #expect(order[5] == 5)
        #expect(selection.choose(key: 9, random: 9, refusing: [0, 3, 4], scope: .eligible) == nil)
        let chosen = selection.choose(key: 9, random: 9, refusing: [0, 3, 4], scope: .all)
        #expect(chosen == 1 || chosen == 2)
    }

    @Test("without a key the hashing policies take turns", arguments: [Policy.ipHash, .sessionHash])
    func turnsWithoutKey(policy: Policy) {
        var selection = ServerSelection(policy, [1, 1, 1])
        #expect((0..<6).map { _ in selection.choose(key: nil) } == [0, 1, 2, 0, 1, 2])
        var weighted = ServerSelection(policy, [5, 1, 1])
        #expect((0..<7).map { _ in weighted.choose(key: nil) } == [0, 0, 1, 0, 2, 0, 0])
    }

    @Test("counts eligible servers", arguments: everyPolicy)
    func counting(policy: Policy) {
        var selection = ServerSelection(policy, [1, 2, 3, 4], down: [1], backup: [3])
        #expect(selection.count == 4 && selection.eligibleCount == 3 && !selection.isEligible(1))
        selection.setEligible(1, true)
        selection.setEligible(1, true)
        #expect(selection.eligibleCount == 4 && selection.isEligible(1))
    }
}

@Suite("Round robin")
struct RoundRobinTests {
    @Test("weights 5, 1, 1 interleave as nginx has them")
    func smoothExample() {
        var selection = ServerSelection(.roundRobin, [5, 1, 1])
        let turns = (0..<14).map { _ in selection.choose() }
        #expect(turns == [0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0])
    }

    @Test("equal weights take turns")
    func equalTurns() {
        var selection = ServerSelection(.roundRobin, [1, 1, 1])
        let turns = (0..<6).map { _ in selection.choose() }
        #expect(turns == [0, 1, 2, 0, 1, 2])
    }

    @Test("turns that the owner counts are taken as they are numbered, and leave the selection's own rotation alone")
    func ownersTurns() {
        var selection = ServerSelection(.roundRobin, [1, 1, 1])
        #expect(selection.choose() == 0)
        let turns = [7, 8, 9, 8].map { selection.choose(turn: $0) }
        #expect(turns == [1, 2, 0, 2])
        #expect(selection.choose(turn: 4, refusing: [1]) == 2)
        #expect(selection.choose(turn: .max) == Int(UInt64.max % 3))
        #expect(selection.choose() == 1)
    }

    @Test("turns that are skipped are as if they had been taken", arguments: everyPolicy)
    func skipping(_ policy: Policy) {
        var skipped = ServerSelection(policy, [3, 1, 2, 1])
        var taken = skipped
        skipped.skip(turns: 5)
        for _ in 0..<5 { _ = taken.choose(key: nil) }
        for _ in 0..<12 { #expect(skipped.choose(key: nil) == taken.choose(key: nil)) }
    }

    @Test("every cycle is exact, and no prefix of it strays from its share", arguments: 0..<40 as Range<UInt64>)
    func shares(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let weights = (0..<Int.random(in: 1...8, using: &generator)).map { _ in
            Int32.random(in: 1...9, using: &generator)
        }
        let total = Int(weights.reduce(0, +))
        var selection = ServerSelection(.roundRobin, weights)
        for cycle in 0..<3 {
            var counts = [Int](repeating: 0, count: weights.count)
            for turn in 1...total {
                if let choice = selection.choose() { counts[choice] += 1 }
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
        var selection = ServerSelection(.roundRobin, [1, 1, 1], down: [2])
        for _ in 0..<100 { _ = selection.choose() }
        selection.setEligible(2, true)
        var counts = [0, 0, 0]
        for _ in 0..<30 {
            if let choice = selection.choose() { counts[choice] += 1 }
        }
        #expect(counts == [10, 10, 10])
    }

    @Test("a server that comes and goes with every turn gets no more than the others")
    func flapping() {
        var selection = ServerSelection(.roundRobin, [1, 1, 1])
        var counts = [0, 0, 0]
        for _ in 0..<300 {
            if let choice = selection.choose() { counts[choice] += 1 }
            selection.setEligible(1, false)
            selection.setEligible(1, true)
        }
        #expect(counts == [100, 100, 100])
    }

    @Test("refused servers are charged nothing when nobody is chosen", arguments: [3, 70])
    func refusedByAll(count: Int) {
        let weights = (0..<count).map { Int32(1 + $0 % 3) }
        var selection = ServerSelection(.roundRobin, weights)
        var untouched = selection
        for _ in 0..<5 * count {
            #expect(Set(selection.proposals()) == Set(0..<count))
            selection.begin()
            _ = selection.next()
            _ = selection.next()
            #expect(selection.choose() == untouched.choose())
        }
    }

    // MARK: Many servers

    /// Weights such as operators write: mostly small, a few large.
    static func manyWeights(_ count: Int, _ generator: inout SeededGenerator) -> [Int32] {
        (0..<count).map { _ in
            Int.random(in: 0..<20, using: &generator) == 0
                ? Int32.random(in: 10...100, using: &generator) : Int32.random(in: 1...5, using: &generator)
        }
    }

    @Test("many servers of unequal weight: no prefix strays from its share", arguments: 0..<8 as Range<UInt64>)
    func manyShares(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let weights = Self.manyWeights(Int.random(in: 65...400, using: &generator), &generator)
        let total = weights.reduce(0) { $0 + Int($1) }
        var selection = ServerSelection(.roundRobin, weights)
        var counts = [Int](repeating: 0, count: weights.count)
        var worst = 0.0
        for turn in 1...3 * total {
            guard let choice = selection.choose() else { continue }
            counts[choice] += 1
            let share = Double(turn) * Double(weights[choice]) / Double(total)
            worst = max(worst, abs(Double(counts[choice]) - share))
        }
        // Checked when chosen, which is when a server is furthest ahead or just catching up.
        #expect(worst < 2, "\(worst)")
        for index in weights.indices { #expect(abs(counts[index] - 3 * Int(weights[index])) <= 1) }
    }

    @Test("a heavy server among many light ones is never chosen in a long run")
    func heavyAmongMany() {
        var selection = ServerSelection(.roundRobin, [100] + [Int32](repeating: 1, count: 100))
        var (run, longest, lightRun, longestLight) = (0, 0, 0, 0)
        for _ in 0..<2_000 {
            if selection.choose() == 0 { (run, lightRun) = (run + 1, 0) } else { (run, lightRun) = (0, lightRun + 1) }
            longest = max(longest, run)
            longestLight = max(longestLight, lightRun)
        }
        #expect(longest <= 3 && longestLight <= 3, "\(longest), \(longestLight)")
    }

    @Test("many servers: one that returns has no work saved up")
    func manyReturning() {
        let weights = (0..<100).map { Int32(1 + $0 % 4) }
        var selection = ServerSelection(.roundRobin, weights, down: [7])
        for _ in 0..<5_000 { #expect(selection.choose() != 7) }
        selection.setEligible(7, true)
        var count = 0
        for _ in 0..<250 where selection.choose() == 7 { count += 1 }
        #expect((3...5).contains(count), "\(count)")
    }

    @Test("many servers: a full one loses the turns it could not take and no more")
    func manyFull() {
        let weights = (0..<100).map { Int32(1 + $0 % 4) }
        var selection = ServerSelection(.roundRobin, weights)
        for _ in 0..<5_000 { #expect(selection.choose(refusing: [7, 8, 9]) != 7) }
        var counts = [Int](repeating: 0, count: 100)
        for _ in 0..<2_500 {
            if let choice = selection.choose() { counts[choice] += 1 }
        }
        for index in weights.indices { #expect(abs(counts[index] - 10 * Int(weights[index])) <= 2, "\(index)") }
    }
}

@Suite("Selection by load")
struct LoadSelectionTests {
    @Test(
        "least-requests takes the fewest calls for the weight",
        arguments: [
            ([1, 1, 1], [3, 1, 2], 1), ([2, 1, 1], [3, 2, 2], 0), ([1, 4, 1], [1, 3, 1], 1),
            ([1, 1, 1], [5, 5, 4], 2),
        ] as [([Int32], [Int32], Int)])
    func leastBusy(_ weights: [Int32], _ calls: [Int32], _ expected: Int) {
        var selection = ServerSelection(.leastRequests, weights)
        for _ in 0..<5 { #expect(selection.choose(calls: calls) == expected) }
    }

    @Test("equally busy servers take turns by weight")
    func leastBusyTies() {
        var selection = ServerSelection(.leastRequests, [1, 2, 1, 1])
        var counts = [0, 0, 0, 0]
        for _ in 0..<40 {
            if let choice = selection.choose(calls: [0, 0, 9, 0]) { counts[choice] += 1 }
        }
        #expect(counts == [10, 20, 0, 10])
    }

    @Test("equally busy servers of one weight take turns in the order of the list", arguments: [3, 8, 9, 100])
    func leastBusyTurns(count: Int) {
        var selection = ServerSelection(.leastRequests, [Int32](repeating: 1, count: count))
        #expect((0..<2 * count).map { _ in selection.choose() } == (0..<2 * count).map { $0 % count })
    }

    @Test("least-requests keeps calls in proportion to weight", arguments: 0..<10 as Range<UInt64>)
    func leastBusyProportion(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let weights: [Int32] = [1, 2, 3]
        var calls: [Int32] = [0, 0, 0]
        var selection = ServerSelection(.leastRequests, weights)
        for step in 0..<6000 {
            guard let choice = selection.choose(calls: calls) else { continue }
            calls[choice] += 1
            selection.callBegan(choice)
            if step >= 600 {
                let busy = calls.indices.filter { calls[$0] > 0 }
                if let index = busy.randomElement(using: &generator) {
                    calls[index] -= 1
                    selection.callEnded(index)
                }
            }
        }
        let loads = calls.indices.map { Double(calls[$0]) / Double(weights[$0]) }
        #expect((loads.max() ?? 0) - (loads.min() ?? 0) < 40, "\(loads)")
    }

    @Test("two choices are two different servers, each pair as often as any other")
    func pairs() {
        // The busier of a pair is never chosen, so the least busy wins all its pairs and the busiest none.
        var generator = SeededGenerator(seed: 3)
        var selection = ServerSelection(.powerOfTwo, [1, 1, 1, 1])
        var counts = [0, 0, 0, 0]
        for _ in 0..<60_000 {
            if let choice = selection.choose(random: generator.next(), calls: [0, 1, 2, 3]) { counts[choice] += 1 }
        }
        // Of six pairs: three are won by the first, two by the second, one by the third.
        #expect(abs(counts[0] - 30_000) < 900 && abs(counts[1] - 20_000) < 900 && abs(counts[2] - 10_000) < 900)
        #expect(counts[3] == 0)
    }

    @Test("of equals, either may be drawn")
    func powerOfTwoTies() {
        var generator = SeededGenerator(seed: 4)
        var selection = ServerSelection(.powerOfTwo, [1, 1, 1])
        var counts = [0, 0, 0]
        for _ in 0..<30_000 {
            if let choice = selection.choose(random: generator.next()) { counts[choice] += 1 }
        }
        #expect(counts.allSatisfy { abs($0 - 10_000) < 500 }, "\(counts)")
    }

    @Test("pairs stay as likely as any other when servers refuse")
    func pairsAmongRefusals() {
        var generator = SeededGenerator(seed: 6)
        var selection = ServerSelection(.powerOfTwo, [1, 1, 1, 1, 1, 1, 1])
        let calls: [Int32] = [0, 9, 1, 9, 2, 9, 3]
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<60_000 {
            let choice = selection.choose(random: generator.next(), calls: calls, refusing: [1, 3, 5])
            if let choice { counts[choice] += 1 }
        }
        #expect(abs(counts[0] - 30_000) < 900 && abs(counts[2] - 20_000) < 900 && abs(counts[4] - 10_000) < 900)
        #expect(counts[1] + counts[3] + counts[5] + counts[6] == 0)
    }

    @Test("power of two weighs calls by weight")
    func powerOfTwoWeights() {
        var selection = ServerSelection(.powerOfTwo, [4, 1])
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<100 { #expect(selection.choose(random: generator.next(), calls: [3, 1]) == 0) }
    }
}
