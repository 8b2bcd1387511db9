import Balancing
import TestSupport
import Testing

@Suite("Fair queue")
struct FairQueueTests {
    private static let all = FairQueue.Offer(takesAny: true, takesUploads: true)

    private static func any(_ isUpload: Bool = false) -> FairQueue.Need { .init(server: nil, isUpload: isUpload) }

    private static func popNext(
        _ queue: inout FairQueue, for server: Int, _ offer: FairQueue.Offer = all,
        mayHave: (UInt64) -> Bool = { _ in true }
    ) -> UInt32? {
        guard let next = queue.next(for: server, offer, mayHave: mayHave) else { return nil }
        return queue.pop(next)
    }

    @Test("a key with a thousand waiters delays another's by one call")
    func greedy() {
        var queue = FairQueue()
        for waiter in 0..<1_000 { queue.insert(UInt32(waiter), key: 1, Self.any()) }
        #expect(Self.popNext(&queue, for: 0) == 0)
        for waiter in 0..<3 { queue.insert(UInt32(2_000 + waiter), key: 2, Self.any()) }
        queue.insert(3_000, key: 3, Self.any())
        let order = (0..<8).compactMap { _ in Self.popNext(&queue, for: 0) }
        #expect(order == [1, 2_000, 3_000, 2, 2_001, 3, 2_002, 4])
        #expect(queue.count == 995 && queue.keyCount == 1)
    }

    @Test("one that was served in vain is next again, whoever came meanwhile")
    func comesBack() {
        var queue = FairQueue()
        for waiter in 0..<4 { queue.insert(UInt32(waiter), key: UInt64(waiter / 2), Self.any()) }
        #expect(Self.popNext(&queue, for: 0) == 0)
        queue.insert(9, key: 9, Self.any())
        queue.insert(0, key: 0, Self.any(), at: .first)
        #expect((0..<5).compactMap { _ in Self.popNext(&queue, for: 0) } == [0, 2, 9, 1, 3])
    }

    @Test("a server serves its own and those that may go anywhere in proportion to their keys")
    func bands() {
        var queue = FairQueue()
        for waiter in 0..<300 {
            queue.insert(UInt32(waiter), key: UInt64(waiter % 3), .init(server: 7, isUpload: false))
        }
        for waiter in 300..<600 { queue.insert(UInt32(waiter), key: 9, Self.any()) }
        var own = 0
        for turn in 1...80 {
            guard let waiter = Self.popNext(&queue, for: 7) else { break }
            if waiter < 300 { own += 1 }
            #expect(abs(own * 4 - turn * 3) <= 4, "three keys in four are the server's own")
        }
        #expect(Self.popNext(&queue, for: 7, .init(takesAny: false, takesUploads: false)).map { $0 < 300 } == true)
        #expect(Self.popNext(&queue, for: 8).map { $0 >= 300 } == true, "another server has only the others")
        #expect(Self.popNext(&queue, for: 8, .init(takesAny: false, takesUploads: true)) == nil)
        #expect(queue.busyServers == [7])
    }

    @Test("a key that may not have more is passed over, and keeps its turn")
    func passedOver() {
        var queue = FairQueue()
        for waiter in 0..<6 { queue.insert(UInt32(waiter), key: UInt64(waiter % 3), Self.any()) }
        #expect(Self.popNext(&queue, for: 0, mayHave: { $0 == 1 }) == 1)
        #expect(Self.popNext(&queue, for: 0, mayHave: { $0 == 9 }) == nil)
        #expect((0..<5).compactMap { _ in Self.popNext(&queue, for: 0) } == [0, 2, 4, 3, 5])
    }

    @Test("whatever happens, it does what a walk through lists does", arguments: 0..<60 as Range<UInt64>)
    func model(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var queue = FairQueue()
        var naive = NaiveFairQueue()
        var waiting: [UInt32] = []
        var next: UInt32 = 0
        let keys = UInt64.random(in: 1...12, using: &generator)
        for _ in 0..<1_500 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<5:
                let server = Int.random(in: -1..<4, using: &generator)
                let need = FairQueue.Need(
                    server: server < 0 ? nil : server, isUpload: Int.random(in: 0..<4, using: &generator) == 0)
                let key = UInt64.random(in: 0..<keys, using: &generator)
                let place = Int.random(in: 0..<6, using: &generator) == 0 ? FairQueue.Place.first : .last
                queue.insert(next, key: key, need, at: place)
                naive.insert(next, key: key, need, at: place)
                waiting.append(next)
                next += 1
            case 5:
                guard let gone = waiting.randomElement(using: &generator) else { continue }
                queue.remove(gone)
                naive.remove(gone)
                waiting.removeAll { $0 == gone }
            default:
                let offer = FairQueue.Offer(
                    takesAny: Bool.random(using: &generator), takesUploads: Bool.random(using: &generator))
                let server = Int.random(in: 0..<5, using: &generator)
                let barred = UInt64.random(in: 0...keys, using: &generator)
                let mine = Self.popNext(&queue, for: server, offer, mayHave: { $0 != barred })
                #expect(mine == naive.popNext(for: server, offer) { $0 != barred }, "seed \(seed)")
                waiting.removeAll { $0 == mine }
            }
            #expect(queue.count == naive.count && queue.count == waiting.count, "seed \(seed)")
            if queue.count != naive.count { return }
        }
        while queue.anyServerCount > 0, let waiter = queue.popAnyServer() { waiting.removeAll { $0 == waiter } }
        for waiter in waiting { queue.remove(waiter) }
        #expect(queue.count == 0 && queue.keyCount == 0 && queue.busyServers.isEmpty, "seed \(seed)")
    }

    /// The bound of the worst case: a key that has a waiter is served before any other of its band is served twice.
    @Test("no key of a band has two turns while another waits for one", arguments: 0..<20 as Range<UInt64>)
    func bound(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var queue = FairQueue()
        var keyOf: [UInt32: UInt64] = [:]
        /// By key that waits: how often each other key was served since it began to wait for its turn.
        var servedSince: [UInt64: [UInt64: Int]] = [:]
        var next: UInt32 = 0
        for _ in 0..<3_000 {
            if Bool.random(using: &generator) || queue.count == 0 {
                // One key in two is greedy.
                let key = UInt64.random(in: 0..<20, using: &generator)
                for _ in 0..<(key < 10 ? 1 : 20) where queue.count < 400 {
                    queue.insert(next, key: key, Self.any())
                    keyOf[next] = key
                    if servedSince[key] == nil { servedSince[key] = [:] }
                    next += 1
                }
            } else if let waiter = Self.popNext(&queue, for: 0), let key = keyOf[waiter] {
                for other in servedSince.keys where other != key { servedSince[other]?[key, default: 0] += 1 }
                let worst = servedSince.values.flatMap(\.values).max() ?? 0
                #expect(worst <= 1, "seed \(seed)")
                servedSince[key] = queue.count(of: key, Self.any()) > 0 ? [:] : nil
            }
        }
    }

    @Test("keys of agents and of addresses are told apart, and every byte of an identity counts")
    func keys() {
        let text = Array("b1.AAAA0123456789.82d3e3a9db724c70abb7da28667da2e9".utf8)
        let key = FairKey(agent: text.span, seed: 7)
        #expect(key.isAgent && key == FairKey(agent: text.span, seed: 7))
        #expect(key != FairKey(agent: text.span, seed: 8))
        for index in text.indices {
            var other = text
            other[index] ^= 1
            #expect(FairKey(agent: other.span, seed: 7) != key, "\(index)")
            #expect(FairKey(agent: text.span.extracting(0..<index), seed: 7) != key, "\(index)")
        }
        #expect(!FairKey(address: 3).isAgent && FairKey(rawValue: key.rawValue) == key)
    }
}

@Suite("Connection shares")
struct ConnectionSharesTests {
    /// Connections of 64 that are counted, taken as long as a key may.
    private func fill(_ shares: inout ConnectionShares, _ key: UInt64, _ used: inout Int64, workers: Int = 1) -> Int64 {
        let before = used
        while used < 64, shares.mayTake(key, of: 3, free: 64 - used, workers: workers) {
            shares.take(key, of: 3, by: UInt32(used))
            used += 1
        }
        return used - before
    }

    @Test("one greedy key has half of what is counted, the second a quarter, and some are always left")
    func thresholds() {
        var shares = ConnectionShares()
        var used: Int64 = 0
        #expect((1...7).map { fill(&shares, $0, &used) } == [32, 16, 8, 4, 2, 1, 1])
        #expect(shares.mayTake(1, of: 4, free: 64, workers: 1), "another server is another matter")
        for slot in 0..<64 { shares.release(by: UInt32(slot)) }
        #expect(shares.count == 0 && shares.mayTake(1, of: 3, free: 1, workers: 1))
        shares.release(by: 9)
    }

    @Test("workers that count for themselves leave some together")
    func workers() {
        var used: Int64 = 0
        for _ in 0..<8 {
            var shares = ConnectionShares()
            _ = fill(&shares, 1, &used, workers: 8)
        }
        #expect(used <= 48, "\(used) of 64")
    }
}

@Suite("Service rate")
struct ServiceRateTests {
    private static let second: UInt64 = 1_000_000_000

    @Test("the time is the queue's length by its rate, between 1 and 30 seconds")
    func hint() {
        var rate = ServiceRate()
        #expect(rate.secondsToServe(10, at: 100 * Self.second) == nil, "nothing is known")
        // Ten a second.
        for tenth in 0..<100 { rate.noteServed(at: 100 * Self.second + UInt64(tenth) * Self.second / 10) }
        let now = 110 * Self.second
        #expect(rate.secondsToServe(0, at: now) == 1)
        #expect([9, 10, 11].contains(rate.secondsToServe(100, at: now)))
        #expect(rate.secondsToServe(100_000, at: now) == 30)
        #expect(rate.secondsToServe(.max, at: now) == 30)
        #expect(rate.secondsToServe(100, at: now + 30 * Self.second) == nil, "of late nobody was served")
    }
}
