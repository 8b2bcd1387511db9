import Balancing
import TestSupport
import Testing

/// Random lists, flips of eligibility, refusals and calls, against a model that looks at every server.
@Suite("Server selection against a model")
struct SelectionModelTests {
    /// One selection beside its model.
    struct Pair {
        var generator: SeededGenerator
        var selection: ServerSelection
        var model: NaiveSelection
        /// Every server was found full with this likelihood, in percent.
        let refusalPercent: Int

        init(policy: Policy, seed: UInt64) {
            generator = SeededGenerator(seed: seed)
            let sizes = [1, 2, 3, 5, 8, 9, 20, 64, 65, 150]
            let count = sizes[Int.random(in: sizes.indices, using: &generator)]
            let isUniform = Bool.random(using: &generator)
            let backupPercent = Int.random(in: 0..<60, using: &generator)
            var list: [ServerSelection.Entry] = []
            for _ in 0..<count {
                list.append(
                    ServerSelection.Entry(
                        weight: isUniform ? 3 : .random(in: 1...7, using: &generator),
                        isBackup: Int.random(in: 0..<100, using: &generator) < backupPercent, tag: generator.next()))
            }
            selection = ServerSelection(policy: policy, entries: list)
            model = NaiveSelection(policy: policy, entries: list)
            refusalPercent = [0, 10, 60, 97].randomElement(using: &generator) ?? 0
        }

        /// A server comes, goes, begins or ends a call.
        mutating func change() {
            let position = Int.random(in: 0..<model.entries.count, using: &generator)
            if Int.random(in: 0..<4, using: &generator) == 0 {
                model.isEligible[position].toggle()
                selection.setEligible(position, model.isEligible[position])
            }
            if model.calls[position] > 0, Bool.random(using: &generator) {
                model.calls[position] -= 1
                selection.callEnded(position)
            }
        }

        mutating func refusals() -> Set<Int> {
            var refusing: Set<Int> = []
            for position in model.entries.indices
            where Int.random(in: 0..<100, using: &generator) < refusalPercent { refusing.insert(position) }
            return refusing
        }

        /// Makes a choice and checks what holds for every policy.
        mutating func choose(
            key: UInt64?, random: UInt64, refusing: Set<Int>, scope: ServerSelection.Scope
        ) -> (proposals: [Int], chosen: Int?) {
            selection.begin(key: key, random: random, scope: scope)
            var proposals: [Int] = []
            var accepted: Set<Int> = []
            while proposals.count <= selection.count, let position = selection.next() {
                proposals.append(position)
                guard !refusing.contains(position) else { continue }
                accepted.insert(position)
                selection.accept(position, calls: selection.needsCalls ? Int(model.calls[position]) : 0)
            }
            let chosen = selection.finish()
            #expect(Set(proposals).count == proposals.count, "each at most once")
            #expect(scope == .all || proposals.allSatisfy { model.isEligible[$0] })
            #expect(chosen.map { accepted.contains($0) } ?? accepted.isEmpty)
            let contenders = model.contenders(refusing: refusing, scope: scope)
            #expect((chosen == nil) == (contenders == nil))
            #expect(chosen.map { contenders?.members.contains($0) == true } ?? true, "of the first tier that accepts")
            return (proposals, chosen)
        }
    }

    /// The number of servers that share a tier with a position, whether eligible or not.
    private static func tierSize(_ model: NaiveSelection, _ tier: Int) -> Int {
        model.entries.filter { $0.isBackup == (tier & 1 == 1) }.count
    }

    private static func isUniform(_ model: NaiveSelection, _ tier: Int) -> Bool {
        Set(model.entries.filter { $0.isBackup == (tier & 1 == 1) }.map(\.weight)).count <= 1
    }

    @Test("chooses what the model chooses", arguments: everyPolicy, 0..<30 as Range<UInt64>)
    func agreement(policy: Policy, seed: UInt64) throws {
        var pair = Pair(policy: policy, seed: seed)
        for _ in 0..<250 {
            pair.change()
            let refusing = pair.refusals()
            let scope = Int.random(in: 0..<10, using: &pair.generator) == 0 ? ServerSelection.Scope.all : .eligible
            let hasKey = !policy.isHashing || Int.random(in: 0..<4, using: &pair.generator) > 0
            let key = hasKey ? pair.generator.next() : nil
            let random = pair.generator.next()
            let (proposals, chosen) = pair.choose(key: key, random: random, refusing: refusing, scope: scope)
            if policy.isHashing, let key {
                #expect(proposals == Self.hashedProposals(pair.model, key, refusing, scope))
                continue
            }
            guard let chosen, let (tier, members) = pair.model.contenders(refusing: refusing, scope: scope) else {
                continue
            }
            switch policy {
            case .ipHash, .sessionHash, .roundRobin:
                Self.checkTurn(&pair.model, tier, members, refusing, chosen)
            case .powerOfTwo: Self.checkPair(pair.model, members, proposals, refusing, chosen)
            case .leastRequests:
                // After 16 refusals the order is only roughly by load.
                if proposals.filter({ refusing.contains($0) && pair.model.members(of: tier).contains($0) }).count < 16 {
                    #expect(members.allSatisfy { pair.model.load($0) >= pair.model.load(chosen) })
                }
                pair.model.calls[chosen] += 1
                pair.selection.callBegan(chosen)
            }
        }
    }

    /// The servers that a key asks, up to the one that accepts.
    private static func hashedProposals(
        _ model: NaiveSelection, _ key: UInt64, _ refusing: Set<Int>, _ scope: ServerSelection.Scope
    ) -> [Int] {
        var proposals: [Int] = []
        for tier in 0..<(scope == .all ? 4 : 2) {
            let order = model.hashed(tier, key: key)
            if let end = order.firstIndex(where: { !refusing.contains($0) }) { return proposals + order[...end] }
            proposals += order
        }
        return proposals
    }

    private static func checkTurn(
        _ model: inout NaiveSelection, _ tier: Int, _ members: [Int], _ refusing: Set<Int>, _ chosen: Int
    ) {
        if isUniform(model, tier) {
            #expect(chosen == model.inTurn(tier, members))
        } else if tierSize(model, tier) <= 64 {
            #expect(chosen == model.smooth(tier, refusing: refusing))
        }
    }

    private static func checkPair(
        _ model: NaiveSelection, _ members: [Int], _ proposals: [Int], _ refusing: Set<Int>, _ chosen: Int
    ) {
        let drawn = proposals.filter { !refusing.contains($0) }
        #expect(drawn.count == min(2, members.count))
        #expect(drawn.allSatisfy { model.load($0) >= model.load(chosen) })
        #expect(drawn.count == 1 || chosen == drawn[0] || model.load(drawn[1]) < model.load(drawn[0]))
    }

    @Test("the same seed gives the same sequence", arguments: everyPolicy)
    func repeatable(policy: Policy) {
        func run() -> [Int?] {
            var pair = Pair(policy: policy, seed: 77)
            return (0..<500).map { _ in
                pair.change()
                let refusing = pair.refusals()
                return pair.choose(
                    key: pair.generator.next(), random: pair.generator.next(), refusing: refusing, scope: .eligible
                ).chosen
            }
        }
        #expect(run() == run())
    }

    @Test("turns follow the weights while servers come and go", arguments: [true, false], 0..<4 as Range<UInt64>)
    func sharesWithFlips(isUniform: Bool, seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let weights = (0..<120).map { Int32(isUniform ? 2 : 1 + $0 % 5) }
        var selection = ServerSelection(.roundRobin, weights)
        var total = weights.reduce(0) { $0 + Int($1) }
        var fair = [Double](repeating: 0, count: weights.count)
        var counts = [Int](repeating: 0, count: weights.count)
        for step in 0..<20_000 {
            if step % 100 == 0 {
                let position = Int.random(in: weights.indices, using: &generator)
                let isEligible = !selection.isEligible(position)
                selection.setEligible(position, isEligible)
                total += isEligible ? Int(weights[position]) : -Int(weights[position])
            }
            if let choice = selection.choose() { counts[choice] += 1 }
            for position in weights.indices where selection.isEligible(position) {
                fair[position] += Double(weights[position]) / Double(total)
            }
        }
        for position in weights.indices {
            // Each return may cost or bring a part of a turn.
            #expect(abs(Double(counts[position]) - fair[position]) < 6, "\(counts[position]) of \(fair[position])")
        }
    }

    @Test("many servers: what other workers' calls are is learned, and forgotten when it is no longer so")
    func othersCalls() {
        var selection = ServerSelection(.leastRequests, [Int32](repeating: 1, count: 200))
        // The first hundred are busy with calls of other workers.
        let busy = (0..<200).map { Int32($0 < 100 ? 50 : 0) }
        var counts = [Int](repeating: 0, count: 200)
        for _ in 0..<200 { _ = selection.choose(calls: busy) }
        for _ in 0..<1_000 {
            if let choice = selection.choose(calls: busy) { counts[choice] += 1 }
        }
        #expect(counts[..<100].allSatisfy { $0 == 0 } && counts[100...].allSatisfy { $0 == 10 }, "\(counts)")
        // Their calls end.
        counts = [Int](repeating: 0, count: 200)
        for _ in 0..<1_000 {
            if let choice = selection.choose() { counts[choice] += 1 }
        }
        #expect(counts[..<100].allSatisfy { $0 > 0 }, "\(counts)")
    }
}
