/// Where a key goes when the walk over the ring found none of a tier's members, which happens when nearly all servers are
/// down or refuse: the members in order of their tags.
///
/// The first one is found by multi-probe consistent hashing (Appleton and O'Reilly, 2015): a key has several places
/// among the tags, and the member closest behind one of them, for its weight, is taken. So keys spread evenly over the
/// few that are left, and a member that goes moves only its own. The others follow in order, at one step for each.
struct FallbackOrder: Sendable {
    private struct Member: Sendable {
        let tag: UInt64
        let weight: Int32
        let position: Int32
    }

    private static var probeCount: Int { 8 }

    /// Ascending by tag; equal tags by position.
    private var members: [Member] = []

    init() {}

    init(capacity: Int) {
        members.reserveCapacity(capacity)
    }

    mutating func insert(_ entry: ServerSelection.Entry, at position: Int32) {
        let member = Member(tag: entry.tag, weight: entry.weight, position: position)
        members.insert(member, at: lowerBound(of: entry.tag, position))
    }

    mutating func remove(_ entry: ServerSelection.Entry, at position: Int32) {
        members.remove(at: lowerBound(of: entry.tag, position))
    }

    /// The next member that was not refused; nil if all were.
    func propose(_ choice: inout Choice, key: UInt64, refused: PositionSet) -> Int32? {
        if !choice.hasFallenBack {
            choice.hasFallenBack = true
            choice.index = closestIndex(to: key)
        }
        for _ in members.indices {
            let position = members[choice.index].position
            choice.index = choice.index + 1 < members.count ? choice.index + 1 : 0
            if !refused.contains(Int(position)) { return position }
        }
        return nil
    }

    private func closestIndex(to key: UInt64) -> Int {
        let mixedKey = SplitMix64.avalanche(key)
        var closest = 0
        var least: (distance: UInt64, weight: UInt64) = (.max, 1)
        for ordinal in 0..<Self.probeCount {
            let probe = SplitMix64.number(ordinal, from: mixedKey)
            let bound = lowerBound(of: probe, 0)
            let index = bound < members.count ? bound : 0
            // 32 bits, so that the product with a weight does not overflow.
            let distance = (members[index].tag &- probe) >> 32
            let weight = UInt64(members[index].weight)
            guard ordinal == 0 || distance * least.weight < least.distance * weight else { continue }
            (closest, least) = (index, (distance, weight))
        }
        return closest
    }

    /// The index of the first member that is not below a tag and a position.
    private func lowerBound(of tag: UInt64, _ position: Int32) -> Int {
        var (low, high) = (0, members.count)
        while low < high {
            let middle = (low + high) / 2
            let member = members[middle]
            if (member.tag, member.position) < (tag, position) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
