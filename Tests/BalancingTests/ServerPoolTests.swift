import Balancing
import TestSupport
import Testing

@Suite("Server pool")
struct ServerPoolTests {
    /// A worker with so many parked connections, slot 0 the coldest.
    static func parked(_ count: Int, limits: ServerPool.Limits = .init(), maximum: Int = 4) throws -> MockConnections {
        var mock = MockConnections(limits: limits, maximum: maximum)
        for _ in 0..<count { _ = try mock.acquire(0) }
        for slot in 0..<UInt32(count) {
            try mock.establish(0, slot)
            try mock.release(0, slot)
        }
        try mock.check()
        return mock
    }

    @Test("the newest parked connection is used first, the coldest closed first")
    func order() throws {
        var mock = try Self.parked(4)
        #expect(try mock.acquire(0) == 3)
        #expect(try mock.acquire(0) == 2)
        try mock.release(0, 3)
        try mock.evictColdest(0)
        #expect(mock.workers[0].pool.coldest == 1)
        #expect(try mock.acquire(0) == 3)
        try mock.check()
    }

    @Test("a request that cannot be sent again gets a new connection, or a parked one if the bound is reached")
    func fresh() throws {
        var mock = try Self.parked(3)
        #expect(try mock.acquire(0, allowsParked: false) == 3)
        #expect(mock.workers[0].roles[3] == .connecting)
        #expect(try mock.acquire(0, allowsParked: false) == 2)
        #expect(mock.workers[0].roles[2] == .serving)
        try mock.check()
    }

    @Test("with the bound reached and nothing parked an exchange waits")
    func full() throws {
        var mock = MockConnections(workers: 2, maximum: 2)
        #expect(try mock.acquire(0) == 0)
        #expect(try mock.acquire(1) == 0)
        #expect(try mock.acquire(0) == nil)
        #expect(mock.waited == 1)
        try mock.close(1, 0)
        #expect(try mock.acquire(0) == 1)
        try mock.check()
    }

    @Test("a dial that fails at once gives its claim back")
    func dialFails() throws {
        var mock = MockConnections(limits: .init(minimum: 2))
        #expect(try mock.acquire(0, dialFails: true) == nil)
        try mock.warm(0, dialFails: true)
        try mock.check()
        #expect(mock.connectionClaims == 0)
    }

    @Test("a connection leaves the middle of the parked ones")
    func middle() throws {
        var mock = try Self.parked(4)
        try mock.close(0, 2)
        #expect(try mock.acquire(0) == 3)
        #expect(try mock.acquire(0) == 1)
        #expect(try mock.acquire(0) == 0)
        try mock.check()
    }

    @Test(
        "a connection that is worn, broken or wanted elsewhere is closed, others are parked",
        arguments: [
            (ServerPool.Wear(uses: 9, age: 99), false, false, .park),
            (ServerPool.Wear(uses: 10, age: 0), false, false, .close),
            (ServerPool.Wear(uses: 11, age: 0), false, false, .close),
            (ServerPool.Wear(uses: 1, age: 100), false, false, .close),
            (ServerPool.Wear(uses: 1, age: 0, hasEnded: true), false, false, .close),
            (ServerPool.Wear(uses: 1, age: 0), true, false, .close),
            (ServerPool.Wear(uses: 1, age: 0), false, true, .close),
        ] as [(ServerPool.Wear, Bool, Bool, ServerPool.Release)])
    func wear(_ wear: ServerPool.Wear, isDraining: Bool, isWanted: Bool, expected: ServerPool.Release) {
        var pool = ServerPool()
        pool.claimGranted(for: .connecting)
        #expect(pool.established(as: .connecting) == .serve)
        let limits = ServerPool.Limits(maximumUses: 10, maximumAge: 100)
        #expect(pool.released(1, wear, limits, isDraining: isDraining, isWantedElsewhere: isWanted) == expected)
        #expect(pool.parkedCount == (expected == .park ? 1 : 0))
        #expect(pool.connectionCount == 1)
    }

    @Test("an event stream leaves the bound for calls, and comes back if there is a claim for it")
    func streams() throws {
        var mock = try Self.parked(2, maximum: 2)
        #expect(try mock.acquire(0) == 1)
        try mock.beginStream(0, 1)
        try mock.check()
        #expect(mock.connectionClaims == 1 && mock.streamClaims == 1)
        try mock.endStream(0, 1)
        #expect(mock.workers[0].parked == [0, 1] && mock.streamClaims == 0)

        #expect(try mock.acquire(0) == 1)
        try mock.beginStream(0, 1)
        #expect(try mock.acquire(0, allowsParked: false) == 2)
        try mock.endStream(0, 1)
        #expect(mock.workers[0].roles[1] == nil && mock.streamClaims == 0)
        try mock.check()
    }

    @Test("the minimum is opened to usable servers, and idle connections are kept for it unless they are too old")
    func minimum() throws {
        var mock = MockConnections(limits: .init(minimum: 2, maximumAge: 100))
        try mock.warm(0, isUsable: false)
        #expect(mock.connectionClaims == 0)
        try mock.warm(0)
        #expect(mock.workers[0].slots(.warming) == [0, 1])
        #expect(mock.workers[0].pool.missing(mock.limits, isUsable: true) == 0)
        try mock.establish(0, 0)
        try mock.establish(0, 1)
        #expect(mock.workers[0].parked == [0, 1])

        #expect(try mock.acquire(0, allowsParked: false) == 2)
        try mock.establish(0, 2)
        try mock.release(0, 2)
        try mock.timeOutIdle(0, 0, age: 50)
        #expect(mock.workers[0].parked == [1, 2])
        try mock.timeOutIdle(0, 1, age: 50)
        #expect(mock.workers[0].parked == [1, 2])
        try mock.timeOutIdle(0, 1, age: 100)
        #expect(mock.workers[0].parked == [2])
        #expect(mock.workers[0].pool.missing(mock.limits, isUsable: true) == 1)
        try mock.check()
    }

    @Test(
        "whatever happens, every action is possible and every claim is given back", arguments: 0..<60 as Range<UInt64>)
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let limits = ServerPool.Limits(
            minimum: .random(in: 0...3, using: &generator), maximumUses: .random(in: 1...6, using: &generator),
            maximumAge: 100)
        var mock = MockConnections(
            workers: .random(in: 1...3, using: &generator), limits: limits,
            maximum: .random(in: 1...8, using: &generator), maximumStreams: .random(in: 0...3, using: &generator))
        for _ in 0..<2_000 {
            try Self.step(&mock, &generator)
            try mock.check()
        }
        for worker in mock.workers.indices {
            for slot in mock.workers[worker].roles.keys.sorted() { try mock.close(worker, slot) }
        }
        try mock.check()
        #expect(mock.connectionClaims == 0 && mock.streamClaims == 0)
    }

    private static func step(_ mock: inout MockConnections, _ generator: inout SeededGenerator) throws {
        let worker = Int.random(in: mock.workers.indices, using: &generator)
        func pick(_ role: ServerPool.Role) -> UInt32? {
            mock.workers[worker].slots(role).randomElement(using: &generator)
        }
        func chance(_ parts: Int) -> Bool { Int.random(in: 0..<parts, using: &generator) == 0 }
        switch Int.random(in: 0..<12, using: &generator) {
        case 0...2: _ = try mock.acquire(worker, allowsParked: !chance(4), dialFails: chance(8))
        case 3, 4: if let slot = pick(chance(2) ? .connecting : .warming) { try mock.establish(worker, slot) }
        case 5: if let slot = pick(chance(2) ? .connecting : .warming) { try mock.close(worker, slot) }
        case 6, 7:
            if let slot = pick(.serving) {
                try mock.release(
                    worker, slot, age: .random(in: 0...105, using: &generator), hasEnded: chance(6),
                    isDraining: chance(20), isWantedElsewhere: chance(10))
            }
        case 8:
            if chance(3), let slot = pick(.streaming) { try mock.close(worker, slot) }
            if let slot = pick(.serving) { try mock.beginStream(worker, slot) }
        case 9: if let slot = pick(.streaming) { try mock.endStream(worker, slot) }
        case 10:
            if chance(2) { try mock.warm(worker, isUsable: !chance(4), dialFails: chance(4)) }
            if chance(3), let slot = pick(chance(2) ? .parked : .serving) { try mock.close(worker, slot) }
        default:
            if chance(3) { try mock.evictColdest(worker) }
            if let slot = pick(.parked) {
                try mock.timeOutIdle(worker, slot, age: .random(in: 0...105, using: &generator))
            }
        }
    }

    @Test("a health check's connection is nothing to the pool")
    func healthCheck() {
        var pool = ServerPool()
        #expect(pool.closed(3, as: .healthCheck) == .none)
        #expect(pool.connectionCount == 0)
    }

    @Test("what cannot happen is a mistake of the owner, and traps")
    func misuse() async {
        await #expect(processExitsWith: .failure) {
            var pool = ServerPool()
            _ = pool.closed(1, as: .serving)
        }
        await #expect(processExitsWith: .failure) {
            var pool = ServerPool()
            pool.claimGranted(for: .connecting)
            _ = pool.closed(1, as: .parked)
        }
        await #expect(processExitsWith: .failure) {
            var pool = ServerPool()
            pool.claimGranted(for: .connecting)
            _ = pool.established(as: .parked)
        }
        await #expect(processExitsWith: .failure) {
            var pool = ServerPool()
            pool.claimGranted(for: .serving)
        }
    }

    @Test("a connection warms up once, however that ends")
    func warmsUpOnce() async {
        await #expect(processExitsWith: .failure) {
            var pool = ServerPool()
            pool.claimGranted(for: .warming)
            guard pool.established(as: .warming) == .release else { return }
            _ = pool.established(as: .warming)
        }
        await #expect(processExitsWith: .failure) {
            var pool = ServerPool()
            pool.claimGranted(for: .warming)
            pool.claimGranted(for: .connecting)
            guard pool.connectFailed(as: .warming) == .connection else { return }
            _ = pool.established(as: .warming)
        }
        await #expect(processExitsWith: .failure) {
            var pool = ServerPool()
            pool.claimGranted(for: .warming)
            pool.claimGranted(for: .connecting)
            guard pool.closed(0, as: .warming) == .connection else { return }
            _ = pool.established(as: .warming)
        }
    }
}
