import Balancing
import Foundation
import TestSupport

/// What a selection should choose, found by looking at every server: as plain as can be.
struct NaiveSelection {
    let policy: Policy
    let entries: [ServerSelection.Entry]
    var isEligible: [Bool]
    var calls: [Int32]
    /// Smooth weighted round-robin.
    private var current: [Int]
    /// The position chosen last, by tier.
    private var last = [-1, -1, -1, -1]

    init(policy: Policy, entries: [ServerSelection.Entry]) {
        self.policy = policy
        self.entries = entries
        isEligible = Array(repeating: true, count: entries.count)
        calls = Array(repeating: 0, count: entries.count)
        current = Array(repeating: 0, count: entries.count)
    }

    /// The servers among which the policy decides: eligible primaries that accept or, if there are none, the next tier.
    /// With them the tier's index.
    func contenders(refusing: Set<Int>, scope: ServerSelection.Scope) -> (tier: Int, members: [Int])? {
        for tier in 0..<(scope == .all ? 4 : 2) {
            let members = members(of: tier).filter { !refusing.contains($0) }
            if !members.isEmpty { return (tier, members) }
        }
        return nil
    }

    func members(of tier: Int) -> [Int] {
        entries.indices.filter { entries[$0].isBackup == (tier & 1 == 1) && isEligible[$0] == (tier < 2) }
    }

    /// In turn: the first contender behind the one chosen last.
    mutating func inTurn(_ tier: Int, _ members: [Int]) -> Int? {
        let choice = members.first { $0 > last[tier] } ?? members.first
        if let choice { last[tier] = choice }
        return choice
    }

    /// nginx's algorithm. A server takes no part from when it is asked in vain.
    mutating func smooth(_ tier: Int, refusing: Set<Int>) -> Int? {
        var members = members(of: tier)
        while let best = members.max(by: { standing($0) < standing($1) || (standing($0) == standing($1) && $0 > $1) }) {
            guard refusing.contains(best) else {
                for index in members { current[index] += Int(entries[index].weight) }
                current[best] -= members.reduce(0) { $0 + Int(entries[$1].weight) }
                return best
            }
            members.removeAll { $0 == best }
        }
        return nil
    }

    private func standing(_ index: Int) -> Int { current[index] + Int(entries[index].weight) }

    /// Calls for the weight.
    func load(_ index: Int) -> Double { Double(calls[index]) / Double(entries[index].weight) }

    /// Weighted rendezvous hashing with the library's logarithm.
    func hashed(_ members: [Int], key: UInt64) -> Int? {
        let mixed = Self.mix(key)
        let scores = members.map { index -> (Int, Double) in
            let fraction = (Double(Self.mix(mixed ^ entries[index].tag) >> 12) + 0.5) / 0x1p52
            return (index, Double(entries[index].weight) / -log(fraction))
        }
        return scores.max { $0.1 < $1.1 }?.0
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var generator = SeededGenerator(seed: value)
        return generator.next()
    }
}
