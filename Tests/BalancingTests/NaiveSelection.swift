import Balancing
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
    private let primaryPoints: [Point]
    private let backupPoints: [Point]

    init(policy: Policy, entries: [ServerSelection.Entry]) {
        self.policy = policy
        self.entries = entries
        isEligible = Array(repeating: true, count: entries.count)
        calls = Array(repeating: 0, count: entries.count)
        current = Array(repeating: 0, count: entries.count)
        primaryPoints = policy.isHashing ? Self.points(entries, isBackup: false) : []
        backupPoints = policy.isHashing ? Self.points(entries, isBackup: true) : []
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

    // MARK: Consistent hashing

    /// A point of a ring.
    private struct Point {
        let hash: UInt64
        let server: Int
    }

    /// All points of the primaries, or of the backups, on the circle.
    private static func points(_ entries: [ServerSelection.Entry], isBackup: Bool) -> [Point] {
        let servers = entries.indices.filter { entries[$0].isBackup == isBackup }
        let total = servers.reduce(0) { $0 + Int(entries[$1].weight) }
        let points = servers.flatMap { server -> [Point] in
            let weight = Int(entries[server].weight)
            var generator = SeededGenerator(seed: entries[server].tag)
            return (0..<max(1, min(weight * 160, weight * 262_144 / total))).map { _ in
                Point(hash: generator.next() >> 32, server: server)
            }
        }
        return points.sorted { ($0.hash, entries[$0.server].tag) < ($1.hash, entries[$1.server].tag) }
    }

    /// All members of a tier in the order in which a key asks them.
    func hashed(_ tier: Int, key: UInt64) -> [Int] {
        let members = members(of: tier)
        let points = tier & 1 == 1 ? backupPoints : primaryPoints
        guard !members.isEmpty else { return [] }
        let place = Self.mix(key) >> 32
        let start = points.firstIndex { $0.hash >= place } ?? 0
        var order: [Int] = []
        for step in 0..<64 {
            let server = points[(start + step) % points.count].server
            if members.contains(server), !order.contains(server) { order.append(server) }
        }
        return order + fallback(members, key: key).filter { !order.contains($0) }
    }

    /// The members by tag, from the one that is closest behind one of eight places, for its weight.
    private func fallback(_ members: [Int], key: UInt64) -> [Int] {
        var generator = SeededGenerator(seed: Self.mix(key))
        let closest = (0..<8).map { _ -> (server: Int, distance: Double) in
            let probe = generator.next()
            let server = members.min { entries[$0].tag &- probe < entries[$1].tag &- probe } ?? members[0]
            return (server, Double(entries[server].tag &- probe) / Double(entries[server].weight))
        }
        let sorted = members.sorted { entries[$0].tag < entries[$1].tag }
        let first = closest.min { $0.distance < $1.distance }?.server
        let start = sorted.firstIndex { $0 == first } ?? 0
        return Array(sorted[start...] + sorted[..<start])
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var generator = SeededGenerator(seed: value)
        return generator.next()
    }
}
