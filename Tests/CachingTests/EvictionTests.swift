import Caching
import Foundation
import TestSupport
import Testing

/// What leaves a full cache, beside what others would have leave.
@Suite("Eviction order")
struct EvictionTests {
    /// A cache of keys, all of one size, whatever its order.
    private protocol Policy {
        mutating func ask(_ key: Int) -> Bool
    }

    private struct ByOrder: Policy {
        let capacity: Int
        var order = EvictionOrder<Int>()
        var slots: [Int: Int] = [:]

        init(_ capacity: Int) { self.capacity = capacity }

        mutating func ask(_ key: Int) -> Bool {
            if let slot = slots[key] {
                order.noteUse(slot)
                return true
            }
            slots[key] = order.insert(key, bytes: 1)
            while order.bytes > capacity, let victim = order.evict(capacity: capacity) { slots[victim.key] = nil }
            return false
        }
    }

    private struct LeastRecentlyUsed: Policy {
        let capacity: Int
        var stamps: [Int: Int] = [:]
        var keys: [Int: Int] = [:]
        var now = 0
        var oldest = 0

        init(_ capacity: Int) { self.capacity = capacity }

        mutating func ask(_ key: Int) -> Bool {
            now += 1
            let known = stamps.updateValue(now, forKey: key)
            keys[now] = key
            if let known { keys[known] = nil }
            while stamps.count > capacity {
                oldest += 1
                if let victim = keys.removeValue(forKey: oldest) { stamps[victim] = nil }
            }
            return known != nil
        }
    }

    private struct LeastFrequentlyUsed: Policy {
        let capacity: Int
        var uses: [Int: Int] = [:]

        init(_ capacity: Int) { self.capacity = capacity }

        mutating func ask(_ key: Int) -> Bool {
            if let count = uses[key] {
                uses[key] = count + 1
                return true
            }
            if uses.count >= capacity, let victim = uses.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
                uses[victim.key] = nil
            }
            uses[key] = 1
            return false
        }
    }

    private func hitRate(_ policy: some Policy, _ keys: [Int]) -> Double {
        var policy = policy
        var hits = 0
        for key in keys where policy.ask(key) { hits += 1 }
        return Double(hits) / Double(keys.count)
    }

    /// Keys with the popularity of web pages: the n-th is asked for 1/n as often as the first.
    private func zipf(_ count: Int, of keys: Int, from first: Int = 0, _ random: inout SeededGenerator) -> [Int] {
        var sums: [Double] = []
        var sum = 0.0
        for rank in 1...keys {
            sum += 1 / Double(rank)
            sums.append(sum)
        }
        return (0..<count).map { _ in
            let point = Double.random(in: 0..<sum, using: &random)
            return first + (sums.firstIndex { $0 > point } ?? 0)
        }
    }

    /// 100 answers fit.
    private func rates(_ keys: [Int]) -> (order: Double, recent: Double, frequent: Double) {
        (
            hitRate(ByOrder(100), keys), hitRate(LeastRecentlyUsed(100), keys), hitRate(LeastFrequentlyUsed(100), keys)
        )
    }

    @Test("scans: popular answers stay while thousands are asked for once")
    func scanning() {
        var random = SeededGenerator(seed: 1)
        var keys: [Int] = []
        for round in 0..<40 {
            keys += zipf(500, of: 400, &random)
            keys += (0..<300).map { 1_000_000 + round * 300 + $0 }
        }
        let rates = rates(keys)
        print("hit rates while scanning: S3-FIFO \(rates.order), LRU \(rates.recent), LFU \(rates.frequent)")
        #expect(rates.order >= rates.recent)
        #expect(rates.order >= rates.frequent - 0.01)
    }

    @Test("what is popular changes: nothing stays for having been liked once")
    func shifting() {
        var random = SeededGenerator(seed: 2)
        let keys = (0..<20).flatMap { zipf(2_000, of: 400, from: $0 * 400, &random) }
        let rates = rates(keys)
        print("hit rates while shifting: S3-FIFO \(rates.order), LRU \(rates.recent), LFU \(rates.frequent)")
        #expect(rates.order >= rates.recent)
        #expect(rates.order >= rates.frequent)
    }

    @Test("bytes and entries are those that are there, whatever happens", arguments: 1...100 as ClosedRange<UInt64>)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var order = EvictionOrder<Int>()
        var bytes: [Int: Int] = [:]
        let capacity = 1_000
        for step in 0..<2_000 {
            switch random.next() % 4 {
            case 0, 1:
                let size = Int(random.next() % 60) + 1
                bytes[order.insert(step % 700, bytes: size)] = size
                while order.bytes > capacity, let victim = order.evict(capacity: capacity) { bytes[victim.slot] = nil }
            case 2: if let slot = bytes.keys.min() { order.noteUse(slot) }
            default:
                if let slot = bytes.keys.max() {
                    order.remove(slot)
                    bytes[slot] = nil
                }
            }
            #expect(order.bytes == bytes.values.reduce(0, +) && order.count == bytes.count)
        }
        var left = order.count
        while order.evict(capacity: capacity) != nil { left -= 1 }
        #expect(left == 0 && order.bytes == 0)
    }
}
