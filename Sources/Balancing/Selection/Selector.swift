/// Chooses among the endpoints of one upstream, for one worker. Pure: no clock, no randomness of its own, no memory
/// taken after it was made.
///
/// Backups are looked at only when no other endpoint is available. An endpoint that is out keeps its place in the turn
/// and has no work saved up for its return.
package struct Selector: Sendable {
    package let policy: Policy
    /// Smooth weighted round-robin: how much work each endpoint is behind its share. Sums to zero while nothing is
    /// taken out.
    private var currentWeight: [Int64]

    /// For `count` endpoints, which keep their positions as long as this value lives.
    package init(policy: Policy, count: Int) {
        self.policy = policy
        currentWeight = Array(repeating: 0, count: count)
    }

    /// The position of the endpoint to use, or nil if none is available.
    ///
    /// `key` is what the hashing policies place by; `random` must be fresh and uniform for `powerOfTwo`. `excluding`
    /// is an endpoint that was just tried in vain, or -1.
    package mutating func select(
        from candidates: Span<Candidate>, key: UInt64, random: UInt64, excluding: Int = -1
    ) -> Int? {
        precondition(candidates.count == currentWeight.count, "a selector serves one list of endpoints")
        let primaries = CandidateTier(isBackup: false, excluded: excluding)
        if let choice = select(primaries, from: candidates, key: key, random: random) { return choice }
        let backups = CandidateTier(isBackup: true, excluded: excluding)
        return select(backups, from: candidates, key: key, random: random)
    }

    private mutating func select(
        _ tier: CandidateTier, from candidates: Span<Candidate>, key: UInt64, random: UInt64
    ) -> Int? {
        switch policy {
        case .roundRobin: nextInTurn(tier, among: candidates, noBusierThan: nil)
        case .ipHash, .sessionHash: Rendezvous.choose(tier, from: candidates, key: key)
        case .leastRequests: leastBusy(tier, among: candidates)
        case .powerOfTwo: Self.lessBusyOfTwo(tier, among: candidates, random: random)
        }
    }

    /// Smooth weighted round-robin, as nginx has it: everybody is owed its weight, the one owed most is chosen and
    /// pays for all. With weights 5, 1, 1 that is a a b a c a a rather than a a a a a b c.
    ///
    /// With `load`, only candidates that are no busier take part.
    private mutating func nextInTurn(_ tier: CandidateTier, among candidates: Span<Candidate>, noBusierThan load: Load?)
        -> Int?
    {
        var best: Int?
        var total: Int64 = 0
        for index in candidates.indices where tier.contains(candidates[index], at: index) {
            if let load, load < Load(candidates[index]) { continue }
            let weight = Int64(max(1, candidates[index].weight))
            currentWeight[index] += weight
            total += weight
            if let leader = best, currentWeight[leader] >= currentWeight[index] { continue }
            best = index
        }
        if let best { currentWeight[best] -= total }
        return best
    }

    /// The smallest number of calls for its weight; equals take turns by weight.
    private mutating func leastBusy(_ tier: CandidateTier, among candidates: Span<Candidate>) -> Int? {
        var least: Load?
        for index in candidates.indices where tier.contains(candidates[index], at: index) {
            let load = Load(candidates[index])
            if let known = least, !(load < known) { continue }
            least = load
        }
        guard let least else { return nil }
        return nextInTurn(tier, among: candidates, noBusierThan: least)
    }

    /// Two different ones at random, and of them the less busy; the first drawn if they are equal.
    private static func lessBusyOfTwo(_ tier: CandidateTier, among candidates: Span<Candidate>, random: UInt64) -> Int?
    {
        var count: UInt64 = 0
        for index in candidates.indices where tier.contains(candidates[index], at: index) { count += 1 }
        guard count > 0 else { return nil }
        let first = ((random >> 32) * count) >> 32
        guard count > 1 else { return tier.position(of: first, in: candidates) }
        let distance = 1 + ((random & 0xFFFF_FFFF) * (count - 1)) >> 32
        guard let one = tier.position(of: first, in: candidates),
            let other = tier.position(of: (first + distance) % count, in: candidates)
        else { return nil }
        return Load(candidates[other]) < Load(candidates[one]) ? other : one
    }
}

/// The candidates that take part in a choice.
struct CandidateTier {
    let isBackup: Bool
    let excluded: Int

    func contains(_ candidate: Candidate, at index: Int) -> Bool {
        candidate.isAvailable && candidate.isBackup == isBackup && index != excluded
    }

    /// The position of the n-th candidate that takes part.
    func position(of ordinal: UInt64, in candidates: Span<Candidate>) -> Int? {
        var left = ordinal
        for index in candidates.indices where contains(candidates[index], at: index) {
            if left == 0 { return index }
            left -= 1
        }
        return nil
    }
}

/// Calls for a weight, compared without division.
private struct Load {
    let calls: Int64
    let weight: Int64

    init(_ candidate: Candidate) {
        calls = Int64(max(0, candidate.calls))
        weight = Int64(max(1, candidate.weight))
    }

    static func < (one: Load, other: Load) -> Bool {
        one.calls * other.weight < other.calls * one.weight
    }
}

enum Rendezvous {
    static func choose(_ tier: CandidateTier, from candidates: Span<Candidate>, key: UInt64) -> Int? {
        let mixedKey = SplitMix64.avalanche(key)
        var best: Int?
        var leader = Score(bits: 0, weight: 1)
        for index in candidates.indices where tier.contains(candidates[index], at: index) {
            var score = Score(
                bits: SplitMix64.avalanche(mixedKey ^ candidates[index].tag) >> 12,
                weight: max(1, candidates[index].weight))
            guard best == nil || score.beats(&leader) else { continue }
            (best, leader) = (index, score)
        }
        return best
    }
}
