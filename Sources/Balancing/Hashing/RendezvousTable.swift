/// The tags and weights of a tier's members, side by side, so that looking at all of them is one pass over memory.
struct RendezvousTable: Sendable {
    private(set) var tags: [UInt64] = []
    /// Empty if all are equal.
    private(set) var weights: [Int32] = []
    private let isUniform: Bool

    init() {
        isUniform = true
    }

    init(capacity: Int, isUniform: Bool) {
        self.isUniform = isUniform
        tags.reserveCapacity(capacity)
        if !isUniform { weights.reserveCapacity(capacity) }
    }

    mutating func insert(tag: UInt64, weight: Int32, at index: Int) {
        tags.insert(tag, at: index)
        if !isUniform { weights.insert(weight, at: index) }
    }

    mutating func remove(at index: Int) {
        tags.remove(at: index)
        if !isUniform { weights.remove(at: index) }
    }

    /// The index of the member that wins `key`; nil if there are none.
    func best(for key: UInt64) -> Int? {
        guard !tags.isEmpty else { return nil }
        let mixedKey = SplitMix64.avalanche(key)
        return isUniform ? bestOfEqual(mixedKey) : bestByWeight(mixedKey)
    }

    func score(_ index: Int, mixedKey: UInt64) -> Score {
        Score(bits: Score.bits(mixedKey: mixedKey, tag: tags[index]), weight: isUniform ? 1 : weights[index])
    }

    private func bestOfEqual(_ mixedKey: UInt64) -> Int {
        var best = 0
        var most: UInt64 = 0
        let tags = tags.span
        for index in tags.indices {
            // One is added so that a score of 0 is more than none.
            let bits = Score.bits(mixedKey: mixedKey, tag: tags[index]) + 1
            best = bits > most ? index : best
            most = max(most, bits)
        }
        return best
    }

    private func bestByWeight(_ mixedKey: UInt64) -> Int {
        var best = 0
        var leader = score(0, mixedKey: mixedKey)
        for index in tags.indices.dropFirst() {
            var rival = score(index, mixedKey: mixedKey)
            guard rival.mayBeat(&leader), rival.beats(&leader) else { continue }
            (best, leader) = (index, rival)
        }
        return best
    }
}
