package import Kernel
import Synchronization

/// How many requests of each key are in progress: a table of fixed size that all threads share, without a lock.
///
/// A key is in the table as long as it has a request. It has one of the eight places of its set; where those are taken by
/// others, its request goes on without being counted. So the worst that the table can do is to let a request through, and it
/// never has one key wait for another, unless two have the same hash of about 62 bits.
package final class ConcurrencyTable: @unchecked Sendable {
    /// What comes of a request.
    package enum Claim: Equatable, Sendable {
        /// It counts until this is released.
        case held(UInt32)
        /// It goes on and is not counted.
        case uncounted
        /// The key has as many as it may.
        case refused
    }

    private let memory: ReservedMemory
    /// Each has a part of the key's hash in 48 bits and a number of requests in 16; 0: free.
    private let places: UnsafeMutablePointer<Atomic<UInt64>>
    private let count: Int

    private static var ways: Int { 8 }
    private static var countMask: UInt64 { 0xffff }
    private static var attempts: Int { 16 }
    /// Requests of one key, at most.
    package static var maximumLimit: Int { 65_535 }

    /// A table with places for `capacity` keys, rounded up to a power of two and at least 64. It takes 8 bytes a place.
    /// Throws where the address space is limited.
    package init(capacity: Int) throws(SystemError) {
        var count = 64
        while count < min(capacity, 1 << 30) { count *= 2 }
        let bytes = count * MemoryLayout<Atomic<UInt64>>.stride
        memory = try ReservedMemory(byteCount: bytes)
        try memory.makeUsable(0..<bytes)
        places = memory.base.bindMemory(to: Atomic<UInt64>.self, capacity: count)
        self.count = count
    }

    /// Counts a request of a key that may have `limit` of them, at least 1. What is held must be released once.
    package func claim(_ key: UInt64, limit: Int) -> Claim {
        let most = UInt64(min(max(1, limit), Self.maximumLimit))
        let (first, mark) = home(key)
        for _ in 0..<Self.attempts {
            var place = -1
            var present: UInt64 = 0
            for candidate in first..<first &+ Self.ways {
                let word = places[candidate].load(ordering: .sequentiallyConsistent)
                if word & ~Self.countMask == mark {
                    (place, present) = (candidate, word)
                    break
                }
                if word == 0, place < 0 { place = candidate }
            }
            guard place >= 0 else { return .uncounted }
            if present & Self.countMask >= most { return .refused }
            let next = present == 0 ? mark | 1 : present &+ 1
            guard exchange(place, present, next) else { continue }
            // Two threads may have found two places for a key that is new: who sees the other's looks again.
            if present != 0 || !hasOther(mark, than: place) { return .held(UInt32(truncatingIfNeeded: place)) }
            release(UInt32(truncatingIfNeeded: place))
        }
        return .uncounted
    }

    /// A request that was held is over.
    package func release(_ hold: UInt32) {
        let place = Int(hold)
        guard place < count else { return }
        while true {
            let present = places[place].load(ordering: .acquiring)
            let left = present & Self.countMask
            guard left > 0 else { return }
            if exchange(place, present, left == 1 ? 0 : present &- 1) { return }
        }
    }

    /// Requests that are counted now. Reads the whole table.
    package var total: Int {
        var sum = 0
        for place in 0..<count { sum += Int(places[place].load(ordering: .relaxed) & Self.countMask) }
        return sum
    }

    private func home(_ key: UInt64) -> (first: Int, mark: UInt64) {
        let set = Int(truncatingIfNeeded: key) & (count / Self.ways &- 1)
        let mark = key & ~Self.countMask
        // No place has no mark.
        return (set &* Self.ways, mark == 0 ? Self.countMask &+ 1 : mark)
    }

    @inline(__always)
    private func exchange(_ place: Int, _ old: UInt64, _ new: UInt64) -> Bool {
        places[place].compareExchange(expected: old, desired: new, ordering: .sequentiallyConsistent).exchanged
    }

    private func hasOther(_ mark: UInt64, than place: Int) -> Bool {
        let first = place & ~(Self.ways - 1)
        for other in first..<first &+ Self.ways where other != place {
            if places[other].load(ordering: .sequentiallyConsistent) & ~Self.countMask == mark { return true }
        }
        return false
    }
}
