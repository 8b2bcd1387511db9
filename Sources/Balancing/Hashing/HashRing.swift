/// A consistent-hash ring as ketama has it, and with it nginx's `hash … consistent` and HAProxy's `hash-type consistent`:
/// each server stands at many points of a circle of 2³² places, and a key belongs to the server of the first point at or
/// behind its own place. A server that is passed over gives up only its own keys, to many others; one that is added takes
/// keys only for itself.
///
/// A server's points are the first numbers that splitmix64 draws from its tag. So every proxy of a fleet agrees, in
/// whatever order its list stands; neither the hash nor the arithmetic may change between versions or machines.
///
/// With p points a server's share strays from its weight's by about 1/√p: 8 % of itself for weight 1, 4 % for weight 4.
///
/// Immutable: it holds all servers of one kind, eligible or not, and is never changed after it was made. Copies share its
/// memory, 8 bytes for a point and 1 to 2 for the index of buckets.
struct HashRing: Sendable {
    /// As in nginx.
    private static var pointsPerWeight: Int { 160 }
    /// Where all servers together would have more points, each gets its part of so many, and one at least. Then a server
    /// that is added costs each of the others a few points, which moves about as many keys again.
    private static var pointLimit: Int { 262_144 }
    /// Points that one choice looks at in a tier.
    private static var walkLimit: Int { 64 }

    /// Ascending; the hash in the upper half, the server's position in the lower. Of equal hashes the lower tag is first.
    private let points: [UInt64]
    /// By the upper bits of a hash, the index of the first point that has them or more; one more at the end.
    private let bucketStarts: [UInt32]
    /// What is left of a hash of 32 bits when it is shifted by so many are its bucket's bits.
    private let bucketShift: UInt64

    /// A ring without servers.
    init() {
        self.init(of: [], isBackup: false)
    }

    /// A ring of the backups among the entries, or of the others.
    init(of entries: [ServerSelection.Entry], isBackup: Bool) {
        let unsorted = Self.unsortedPoints(of: entries, isBackup: isBackup)
        // Two to four points a bucket.
        let bucketBits = max(0, Int.bitWidth - unsorted.count.leadingZeroBitCount - 2)
        bucketShift = UInt64(32 - bucketBits)
        bucketStarts = Self.bucketStarts(of: unsorted, count: 1 << bucketBits, shift: 32 + bucketShift)
        points = Self.sorted(unsorted, bucketStarts, shift: 32 + bucketShift, entries)
    }

    /// The next server on the way from a key's place that stands to be proposed: `eligibility` is as given, and it was not
    /// refused. Nil if none is found within `walkLimit` points, all proposals of this tier counted together.
    func walk(
        _ choice: inout Choice, key: UInt64, eligibility: [Bool], isEligible: Bool, refused: PositionSet
    ) -> Int32? {
        if choice.walked == 0 { choice.index = firstIndex(from: SplitMix64.avalanche(key) >> 32) }
        while choice.walked < Self.walkLimit {
            let position = Self.position(of: points[choice.index])
            choice.walked += 1
            choice.index = choice.index + 1 < points.count ? choice.index + 1 : 0
            if eligibility[position] == isEligible, !refused.contains(position) {
                return Int32(truncatingIfNeeded: position)
            }
        }
        return nil
    }

    /// The index of the first point at or behind a place on the circle.
    private func firstIndex(from hash: UInt64) -> Int {
        let bucket = Int(hash &>> bucketShift)
        var (low, high) = (Int(bucketStarts[bucket]), Int(bucketStarts[bucket + 1]))
        let lowest = hash &<< 32
        while low < high {
            let middle = (low + high) / 2
            if points[middle] < lowest { low = middle + 1 } else { high = middle }
        }
        return low < points.count ? low : 0
    }

    private static func position(of point: UInt64) -> Int { Int(point & 0xFFFF_FFFF) }
}

// MARK: - Making

extension HashRing {
    private static func unsortedPoints(of entries: [ServerSelection.Entry], isBackup: Bool) -> [UInt64] {
        let weight = entries.reduce(0) { $0 + ($1.isBackup == isBackup ? Int($1.weight) : 0) }
        var points: [UInt64] = []
        points.reserveCapacity(min(weight * pointsPerWeight, pointLimit + entries.count))
        for position in entries.indices where entries[position].isBackup == isBackup {
            for ordinal in 0..<pointCount(weight: Int(entries[position].weight), of: weight) {
                let hash = SplitMix64.number(ordinal, from: entries[position].tag) & 0xFFFF_FFFF_0000_0000
                points.append(hash | UInt64(position))
            }
        }
        return points
    }

    private static func pointCount(weight: Int, of total: Int) -> Int {
        total <= pointLimit / pointsPerWeight ? weight * pointsPerWeight : max(1, weight * pointLimit / total)
    }

    private static func bucketStarts(of points: [UInt64], count: Int, shift: UInt64) -> [UInt32] {
        var starts = [UInt32](repeating: 0, count: count + 1)
        for point in points { starts[bucket(of: point, shift) + 1] += 1 }
        for index in 1...count { starts[index] += starts[index - 1] }
        return starts
    }

    /// Puts each point into its bucket, and then those of each bucket in order. Hashes are spread evenly, so that no
    /// bucket holds many.
    private static func sorted(
        _ unsorted: [UInt64], _ bucketStarts: [UInt32], shift: UInt64, _ entries: [ServerSelection.Entry]
    ) -> [UInt64] {
        var points = unsorted
        var ends = bucketStarts
        for point in unsorted {
            let bucket = bucket(of: point, shift)
            points[Int(ends[bucket])] = point
            ends[bucket] += 1
        }
        for start in points.indices.dropFirst() {
            var index = start
            while index > 0, precedes(points[index], points[index - 1], entries) {
                points.swapAt(index, index - 1)
                index -= 1
            }
        }
        return points
    }

    private static func bucket(of point: UInt64, _ shift: UInt64) -> Int {
        // A shift by all 64 bits leaves nothing, as it should where there is one bucket.
        Int(point >> shift)
    }

    private static func precedes(_ one: UInt64, _ other: UInt64, _ entries: [ServerSelection.Entry]) -> Bool {
        guard one >> 32 == other >> 32 else { return one < other }
        let (tag, otherTag) = (entries[position(of: one)].tag, entries[position(of: other)].tag)
        return tag == otherTag ? one < other : tag < otherTag
    }
}
