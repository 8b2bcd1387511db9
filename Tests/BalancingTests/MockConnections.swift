import Balancing

/// What a pool's decisions meet: the connections of several workers to one server, and the counters they share. It
/// executes actions and throws where one is impossible.
struct MockConnections {
    enum Impossible: Error, Equatable {
        case notParked(UInt32), notNewest(UInt32), notColdest(UInt32), waitsBesideParked, claimNotHeld, wrongCounts(
            String)
        case wrongRelease
    }

    struct Worker {
        var pool = ServerPool()
        var roles: [UInt32: ServerPool.Role] = [:]
        /// Coldest first.
        var parked: [UInt32] = []
        var uses: [UInt32: UInt32] = [:]

        /// Slots are used again, the lowest first.
        var freeSlot: UInt32 {
            var slot: UInt32 = 0
            while roles[slot] != nil { slot += 1 }
            return slot
        }

        func slots(_ role: ServerPool.Role) -> [UInt32] { roles.keys.filter { roles[$0] == role }.sorted() }
    }

    let limits: ServerPool.Limits
    let maximum: Int
    let maximumStreams: Int
    var workers: [Worker]
    /// The counters that workers share.
    var connectionClaims = 0
    var streamClaims = 0
    /// Exchanges that found no connection.
    var waited = 0

    init(workers: Int = 1, limits: ServerPool.Limits = .init(), maximum: Int = 4, maximumStreams: Int = 2) {
        self.limits = limits
        self.maximum = maximum
        self.maximumStreams = maximumStreams
        self.workers = Array(repeating: Worker(), count: workers)
    }

    // MARK: Executing actions

    /// An exchange wants a connection; returns what it got, or nil if it has to wait or the connection could not be opened.
    mutating func acquire(_ worker: Int, allowsParked: Bool = true, dialFails: Bool = false) throws -> UInt32? {
        switch workers[worker].pool.acquire(allowsParked: allowsParked) {
        case .use(let slot):
            try use(worker, slot)
            return slot
        case .claim: break
        }
        guard connectionClaims < maximum else {
            switch workers[worker].pool.claimDenied() {
            case .use(let slot):
                try use(worker, slot)
                return slot
            case .wait:
                guard workers[worker].parked.isEmpty else { throw Impossible.waitsBesideParked }
                waited += 1
                return nil
            }
        }
        return try open(worker, as: .connecting, dialFails: dialFails)
    }

    private mutating func use(_ worker: Int, _ slot: UInt32) throws {
        guard workers[worker].roles[slot] == .parked else { throw Impossible.notParked(slot) }
        guard workers[worker].parked.popLast() == slot else { throw Impossible.notNewest(slot) }
        workers[worker].roles[slot] = .serving
        workers[worker].uses[slot, default: 0] += 1
    }

    private mutating func open(_ worker: Int, as role: ServerPool.Role, dialFails: Bool) throws -> UInt32? {
        connectionClaims += 1
        workers[worker].pool.claimGranted(for: role)
        if dialFails {
            try release(workers[worker].pool.connectFailed(as: role), expecting: .connection)
            return nil
        }
        let slot = workers[worker].freeSlot
        workers[worker].roles[slot] = role
        workers[worker].uses[slot] = 0
        return slot
    }

    mutating func warm(_ worker: Int, isUsable: Bool = true, dialFails: Bool = false) throws {
        for _ in 0..<workers[worker].pool.missing(limits, isUsable: isUsable) {
            guard connectionClaims < maximum else { return }
            _ = try open(worker, as: .warming, dialFails: dialFails)
        }
    }

    mutating func establish(_ worker: Int, _ slot: UInt32) throws {
        guard let role = workers[worker].roles[slot] else { throw Impossible.wrongRelease }
        let step = workers[worker].pool.established(as: role)
        workers[worker].roles[slot] = .serving
        if step == .serve {
            workers[worker].uses[slot, default: 0] += 1
        } else {
            try release(worker, slot)
        }
    }

    /// A serving connection's call is over.
    mutating func release(
        _ worker: Int, _ slot: UInt32, age: UInt64 = 0, hasEnded: Bool = false, isDraining: Bool = false,
        isWantedElsewhere: Bool = false
    ) throws {
        let wear = ServerPool.Wear(uses: workers[worker].uses[slot] ?? 0, age: age, hasEnded: hasEnded)
        let step = workers[worker].pool.released(
            slot, wear, limits, isDraining: isDraining, isWantedElsewhere: isWantedElsewhere)
        switch step {
        case .park:
            guard workers[worker].roles[slot] == .serving else { throw Impossible.wrongRelease }
            workers[worker].roles[slot] = .parked
            workers[worker].parked.append(slot)
        case .close:
            try close(worker, slot)
        }
    }

    mutating func close(_ worker: Int, _ slot: UInt32) throws {
        guard let role = workers[worker].roles.removeValue(forKey: slot) else { throw Impossible.wrongRelease }
        workers[worker].parked.removeAll { $0 == slot }
        let expected: ServerPool.ClaimRelease =
            switch role {
            case .streaming: .stream
            case .healthCheck: .none
            case .connecting, .warming, .serving, .parked: .connection
            }
        try release(workers[worker].pool.closed(slot, as: role), expecting: expected)
    }

    mutating func beginStream(_ worker: Int, _ slot: UInt32) throws {
        guard streamClaims < maximumStreams else { return }
        streamClaims += 1
        workers[worker].roles[slot] = .streaming
        try release(workers[worker].pool.becameStream(), expecting: .connection)
    }

    mutating func endStream(_ worker: Int, _ slot: UInt32) throws {
        let isGranted = connectionClaims < maximum
        if isGranted { connectionClaims += 1 }
        switch workers[worker].pool.streamEnded(claimGranted: isGranted) {
        case .keep:
            guard isGranted else { throw Impossible.claimNotHeld }
            workers[worker].roles[slot] = .serving
            try release(.stream, expecting: .stream)
            try release(worker, slot)
        case .close:
            try close(worker, slot)
        }
    }

    mutating func evictColdest(_ worker: Int) throws {
        guard let slot = workers[worker].pool.coldest else {
            guard workers[worker].parked.isEmpty else { throw Impossible.wrongCounts("nothing to evict") }
            return
        }
        guard workers[worker].parked.first == slot else { throw Impossible.notColdest(slot) }
        try close(worker, slot)
    }

    mutating func timeOutIdle(_ worker: Int, _ slot: UInt32, age: UInt64) throws {
        guard workers[worker].roles[slot] == .parked else { throw Impossible.notParked(slot) }
        if workers[worker].pool.idleTimedOut(age: age, limits) == .close { try close(worker, slot) }
    }

    private mutating func release(_ release: ServerPool.ClaimRelease, expecting expected: ServerPool.ClaimRelease)
        throws
    {
        guard release == expected else { throw Impossible.wrongRelease }
        switch release {
        case .none: break
        case .connection: connectionClaims -= 1
        case .stream: streamClaims -= 1
        }
        guard connectionClaims >= 0, streamClaims >= 0 else { throw Impossible.claimNotHeld }
    }

    // MARK: Checking

    /// The pools count what there is, and all of it holds a claim.
    func check() throws {
        var (calls, streams) = (0, 0)
        for worker in workers {
            let inCalls = worker.roles.values.filter { $0 != .streaming && $0 != .healthCheck }.count
            guard worker.pool.connectionCount == inCalls else { throw Impossible.wrongCounts("connections") }
            guard worker.pool.parkedCount == worker.parked.count else { throw Impossible.wrongCounts("parked") }
            calls += inCalls
            streams += worker.slots(.streaming).count
        }
        guard calls == connectionClaims, calls <= maximum else { throw Impossible.wrongCounts("claims for calls") }
        guard streams == streamClaims, streams <= maximumStreams else {
            throw Impossible.wrongCounts("claims for streams")
        }
    }
}
