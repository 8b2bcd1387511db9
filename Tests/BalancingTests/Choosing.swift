import Balancing
import Testing

/// A list of servers as the tests write it down.
func entries(_ weights: [Int32], backup: Set<Int> = []) -> [ServerSelection.Entry] {
    weights.indices.map { index in
        ServerSelection.Entry(
            weight: weights[index], isBackup: backup.contains(index), tag: ServerTag.tag(of: "mcp-\(index):3001"))
    }
}

let everyPolicy: [Policy] = [.roundRobin, .ipHash, .sessionHash, .leastRequests, .powerOfTwo]

extension ServerSelection {
    /// A selection as the tests write it down.
    init(_ policy: Policy, _ weights: [Int32], down: Set<Int> = [], backup: Set<Int> = []) {
        self.init(policy: policy, entries: entries(weights, backup: backup))
        for position in down { setEligible(position, false) }
    }

    /// Makes a whole choice as an owner does.
    mutating func choose(
        turn: UInt64? = nil, key: UInt64? = 0, random: UInt64 = 0, calls: [Int32] = [], refusing: Set<Int> = [],
        scope: Scope = .eligible
    ) -> Int? {
        begin(key: key, random: random, scope: scope, turn: turn)
        var left = count
        while let position = next() {
            left -= 1
            guard left >= 0 else { break }
            guard !refusing.contains(position) else { continue }
            accept(position, calls: calls.isEmpty ? 0 : Int(calls[position]))
        }
        return finish()
    }

    /// All servers in the order in which they are proposed if every one is refused.
    mutating func proposals(key: UInt64? = 0, random: UInt64 = 0, scope: Scope = .eligible) -> [Int] {
        begin(key: key, random: random, scope: scope)
        var list: [Int] = []
        while list.count <= count, let position = next() { list.append(position) }
        #expect(list.count <= count, "each at most once")
        #expect(finish() == nil)
        return list
    }
}
