package import Kernel
import Synchronization

/// How much of their rates keys have used up: a table of fixed size that all threads share, without a lock.
///
/// A key has one of eight places, those of its set. Where all eight are taken, the key that has used the least of its time is
/// forgotten: mostly one that has used nothing any more, of which nothing was known. So the worst that the table can do is
/// to forget a key, which then has its whole burst again; it never has one key pay for another, unless two have the same hash
/// of 64 bits. What two threads do at the same moment with a key that is new may be forgotten for one of them.
///
/// A place is a pair of numbers that are changed one after the other. The second has a generation, which grows whenever the
/// place goes to another key: a thread that has read it for the earlier key fails to change it.
package final class RateTable: @unchecked Sendable {
    /// A place: whose it is, and the arrival time with the generation.
    private struct Place: ~Copyable {
        /// `free`, `changing`, or the key.
        let key: Atomic<UInt64>
        /// The theoretical arrival time in ticks, 56 bits, and the generation, 8 bits.
        let state: Atomic<UInt64>
    }

    /// The memory is the kernel's, all zeros, and page by page there as it is used.
    private let memory: ReservedMemory
    private let places: UnsafeMutablePointer<Place>
    private let setMask: Int
    private let live = Atomic(0)

    private static var ways: Int { 8 }
    private static var free: UInt64 { 0 }
    private static var changing: UInt64 { 1 }
    /// Times that a thread begins anew because others have changed what it had read. After that the request goes on.
    private static var attempts: Int { 16 }

    /// A table with places for `capacity` keys, rounded up to a power of two and at least 64. It takes 16 bytes a place.
    /// Throws where the address space is limited.
    package init(capacity: Int) throws(SystemError) {
        var count = 64
        while count < min(capacity, 1 << 30) { count *= 2 }
        let bytes = count * MemoryLayout<Place>.stride
        memory = try ReservedMemory(byteCount: bytes)
        try memory.makeUsable(0..<bytes)
        places = memory.base.bindMemory(to: Place.self, capacity: count)
        setMask = count / Self.ways - 1
    }

    /// The memory that the table has at most, in bytes.
    package var byteCount: Int { memory.byteCount }

    /// Keys that were forgotten although they had used time up.
    package var forgotten: Int { live.load(ordering: .relaxed) }

    /// What comes of `count` requests of a key at `now`, in nanoseconds of a clock that never goes back. What is refused does
    /// not count.
    package func take(_ key: UInt64, _ rate: borrowing RequestRate, now: UInt64, count: Int = 1) -> RateVerdict {
        let key = Self.normal(key)
        let now = now / RequestRate.nanosecondsPerTick
        for _ in 0..<Self.attempts {
            switch find(key) {
            case .found(let place):
                guard let state = state(of: place, key) else { continue }
                let (verdict, arrival) = CellRate.charge(state >> 8, rate, now: now, count: count)
                if case .refused = verdict { return verdict }
                if replace(place, state, arrival: arrival) { return verdict }
            case .missing(let place, let present):
                let (verdict, arrival) = CellRate.charge(0, rate, now: now, count: count)
                if case .refused = verdict { return verdict }
                if insert(key, arrival, at: place, insteadOf: present, now: now) { return verdict }
            case .busy: continue
            }
        }
        return .allowed(remaining: 0)
    }

    /// Gives back what was taken for requests that did not go on; nothing happens if the key was forgotten.
    package func refund(_ key: UInt64, _ rate: borrowing RequestRate, count: Int = 1) {
        let key = Self.normal(key)
        let (cost, overflow) = rate.interval.multipliedReportingOverflow(by: UInt64(max(1, count)))
        guard !overflow else { return }
        for _ in 0..<Self.attempts {
            guard case .found(let place) = find(key) else { return }
            guard let state = state(of: place, key) else { continue }
            let arrival = state >> 8
            if replace(place, state, arrival: arrival > cost ? arrival - cost : 0) { return }
        }
    }

    /// Others have used the key's rate as well: it has used so many ticks of its time at least.
    package func raise(_ key: UInt64, to used: UInt64, now: UInt64) {
        guard used > 0 else { return }
        let key = Self.normal(key)
        let now = now / RequestRate.nanosecondsPerTick
        // A year and the clock: both fit into 56 bits together.
        let arrival = now + min(used, RequestRate.longestTicks)
        for _ in 0..<Self.attempts {
            switch find(key) {
            case .found(let place):
                guard let state = state(of: place, key) else { continue }
                if state >> 8 >= arrival || replace(place, state, arrival: arrival) { return }
            case .missing(let place, let present):
                if insert(key, arrival, at: place, insteadOf: present, now: now) { return }
            case .busy: continue
            }
        }
    }

    // MARK: - Places

    private enum Finding {
        case found(Int)
        /// The place that may be taken, and whose it is.
        case missing(Int, UInt64)
        /// Other threads change all of them.
        case busy
    }

    @inline(__always)
    private static func normal(_ key: UInt64) -> UInt64 { key <= changing ? key &+ 2 : key }

    @inline(__always)
    private func firstPlace(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: key &* 0x9e37_79b9_7f4a_7c15 >> 32) & setMask &* Self.ways
    }

    /// The place of a key, or the one in its set that matters least.
    private func find(_ key: UInt64) -> Finding {
        let first = firstPlace(key)
        var (candidate, candidateKey, candidateTime) = (-1, Self.free, UInt64.max)
        for place in first..<first &+ Self.ways {
            let present = places[place].key.load(ordering: .acquiring)
            if present == key { return .found(place) }
            guard present != Self.changing else { continue }
            let time = present == Self.free ? 0 : places[place].state.load(ordering: .relaxed) >> 8
            if candidate < 0 || time < candidateTime {
                (candidate, candidateKey, candidateTime) = (place, present, time)
            }
        }
        return candidate < 0 ? .busy : .missing(candidate, candidateKey)
    }

    /// The state of a place, if it is the key's.
    @inline(__always)
    private func state(of place: Int, _ key: UInt64) -> UInt64? {
        let state = places[place].state.load(ordering: .acquiring)
        // Who takes the place over says so before changing the state: a key that is still there goes with what was read.
        return places[place].key.load(ordering: .acquiring) == key ? state : nil
    }

    @inline(__always)
    private func replace(_ place: Int, _ state: UInt64, arrival: UInt64) -> Bool {
        let new = arrival << 8 | state & 0xff
        return places[place].state.compareExchange(expected: state, desired: new, ordering: .acquiringAndReleasing)
            .exchanged
    }

    /// Takes a place over. False if another thread was faster, or has found another place for the key.
    private func insert(
        _ key: UInt64, _ arrival: UInt64, at place: Int, insteadOf present: UInt64, now: UInt64
    ) -> Bool {
        guard begin(place, present) else { return false }
        let old = places[place].state.load(ordering: .relaxed)
        let generation = (old &+ 1) & 0xff
        places[place].state.store(arrival << 8 | generation, ordering: .releasing)
        places[place].key.store(key, ordering: .sequentiallyConsistent)
        if present != Self.free, old >> 8 > now { live.add(1, ordering: .relaxed) }
        guard hasOther(key, than: place), begin(place, key) else { return true }
        places[place].state.store((generation &+ 1) & 0xff, ordering: .releasing)
        places[place].key.store(Self.free, ordering: .releasing)
        return false
    }

    private func begin(_ place: Int, _ present: UInt64) -> Bool {
        places[place].key.compareExchange(
            expected: present, desired: Self.changing, ordering: .acquiringAndReleasing
        ).exchanged
    }

    private func hasOther(_ key: UInt64, than place: Int) -> Bool {
        let first = firstPlace(key)
        for other in first..<first &+ Self.ways where other != place {
            if places[other].key.load(ordering: .sequentiallyConsistent) == key { return true }
        }
        return false
    }
}
