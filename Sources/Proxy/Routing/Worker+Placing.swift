import Balancing
import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// Where a request goes: its session's server if it has one, else wherever the balance says.
extension Worker where Outside: ~Copyable {
    /// Connections tried for one request before it is given up, refused ones not counted: those cost no time, and each
    /// server is tried once.
    private static var attemptLimit: UInt8 { 3 }

    /// Finds an endpoint and a connection for an exchange whose request is at the front of the scratch and parsed.
    mutating func place(_ e: Handle) {
        guard exchanges[e].isPinned || pin(e) else { return }
        if exchanges[e].isPinned {
            placePinned(e)
        } else {
            placeFreely(e)
        }
    }

    /// Ties the exchange to its session's endpoint, if it has a session. False if the session is gone and the client was
    /// told so.
    private mutating func pin(_ e: Handle) -> Bool {
        let upstream = Int(exchanges[e].upstreamIndex)
        guard sessions.identity(upstream) != .off else { return true }
        let owner: SessionOwner
        switch exchanges[e].kind {
        case .session:
            owner = sessions.owner(
                ofSession: received, (requestHead.sessionID ?? .empty).range, in: upstream, now: now)
        case .legacyMessage:
            owner = sessions.owner(ofLegacy: received, requestHead.target.range, in: upstream, now: now)
        case .modern, .streamOpening, .resumption, .sessionless, .preflight, .other:
            return true
        }
        guard case .endpoint(let endpoint, let mintedAt) = owner,
            Int64(mintedAt) >= board.load(.lastRefused, endpoint: endpoint)
        else {
            sessionGone(e, owner)
            return false
        }
        exchanges[e].isPinned = true
        exchanges[e].endpoint = Int16(truncatingIfNeeded: endpoint)
        return true
    }

    private mutating func sessionGone(_ e: Handle, _ owner: SessionOwner) {
        if case .endpoint(let endpoint, _) = owner { exchanges[e].endpoint = Int16(truncatingIfNeeded: endpoint) }
        count(.sessionsGone, endpoint: Int(exchanges[e].endpoint))
        fail(e, exchanges[e].kind == .legacyMessage ? .legacySessionGone : .sessionGone)
    }

    /// A session's server is asked even if its health checks fail: one that is slow still has the session, and a 404
    /// would end it. Only a connection that cannot be had shows that it is gone.
    private mutating func placePinned(_ e: Handle) {
        obtain(e, Int(exchanges[e].endpoint))
    }

    private mutating func placeFreely(_ e: Handle) {
        let upstream = Int(exchanges[e].upstreamIndex)
        guard let endpoint = choose(e, upstream) else {
            count(.unavailable, endpoint: snapshot.upstreams[upstream].endpoints.lowerBound)
            fail(e, .noServerAvailable)
            return
        }
        exchanges[e].endpoint = Int16(truncatingIfNeeded: endpoint)
        obtain(e, endpoint)
    }

    /// Gets the exchange a connection to `endpoint`: a parked one, a new one, or a place in the queue.
    private mutating func obtain(_ e: Handle, _ endpoint: Int) {
        // What cannot be sent again does not go out on a connection whose server may just be closing it.
        if exchanges[e].isWhole, !exchanges[e].wantsFresh, let u = takeParked(endpoint) {
            start(e, on: u)
            return
        }
        switch dial(endpoint) {
        case .connection(let u):
            exchanges[e].phase = .connecting
            exchanges[e].upstream = u
            upstreams[u].exchange = e
            count(.active, endpoint: endpoint)
        case .failed(let code):
            dialFailed(e, endpoint, code: code)
        case .noRoom:
            if let u = takeParked(endpoint) { start(e, on: u) } else { enqueue(e, for: endpoint) }
        }
    }

    /// A connection could not be opened: try another server, or say so. Nothing was sent, so any request may move on.
    mutating func dialFailed(_ e: Handle, _ endpoint: Int, code: CInt) {
        if code != refusedCode { exchanges[e].attempts += 1 }
        exchanges[e].tried |= triedBit(endpoint)
        if isOwnFault(code) {
            // No server can do anything about it, and no session has ended.
            count(.unavailable, endpoint: Int(exchanges[e].endpoint))
            fail(e, .noServerAvailable)
            return
        }
        if exchanges[e].isPinned {
            // Nobody listens there: the process that held the session is gone, and the session with it.
            if code == refusedCode || !isHealthy(endpoint) {
                sessionGone(e, .endpoint(endpoint, mintedAt: 0))
            } else {
                fail(e, .connectFailed)
            }
        } else if exchanges[e].attempts < Worker.attemptLimit {
            placeFreely(e)
        } else {
            count(.badGateway, endpoint: Int(exchanges[e].endpoint))
            fail(e, .connectFailed)
        }
    }

    private func triedBit(_ endpoint: Int) -> UInt64 {
        1 << UInt64((endpoint - snapshot.upstreams[snapshot.endpoints[endpoint].upstream].endpoints.lowerBound) & 63)
    }

    private mutating func choose(_ e: Handle, _ upstream: Int) -> Int? {
        let key = placementKey(e, upstream)
        fillCandidates(e, upstream, needingRoom: true)
        if let chosen = select(e, upstream, key) { return chosen }
        // None has room: queue for one that will.
        fillCandidates(e, upstream, needingRoom: false)
        if let chosen = select(e, upstream, key) { return chosen }
        let endpoints = snapshot.upstreams[upstream].endpoints
        let available = endpoints.reduce(0) { $0 + (isHealthy($1) ? 1 : 0) }
        let threshold = snapshot.upstreams[upstream].panicThreshold
        guard Panic.panicApplies(available: available, total: endpoints.count, thresholdPercent: threshold) else {
            return nil
        }
        for endpoint in endpoints where exchanges[e].tried & triedBit(endpoint) == 0 {
            candidates[endpoint - endpoints.lowerBound].isAvailable = true
        }
        return select(e, upstream, key)
    }

    private mutating func select(_ e: Handle, _ upstream: Int, _ key: UInt64) -> Int? {
        var isPlain = false
        var random: UInt64 = 0
        switch snapshot.upstreams[upstream].policy {
        case .sessionHash: if case .sessionless = exchanges[e].kind {} else { isPlain = true }
        case .powerOfTwo: random = world.random()
        case .roundRobin, .leastRequests, .ipHash: break
        }
        let chosen = groups[upstream].placement.select(
            from: candidates, key: key, random: random, excluding: -1, plainly: isPlain)
        return chosen.map { $0 + snapshot.upstreams[upstream].endpoints.lowerBound }
    }

    /// Plans are read where they lie: a copy of one costs a reference count for each of its strings.
    private mutating func fillCandidates(_ e: Handle, _ upstream: Int, needingRoom: Bool) {
        let tried = exchanges[e].tried
        let maximum = snapshot.upstreams[upstream].pool.maximum
        candidates.removeAll(keepingCapacity: true)
        for endpoint in snapshot.upstreams[upstream].endpoints {
            var isAvailable = !snapshot.endpoints[endpoint].isDraining && isHealthy(endpoint)
            if tried != 0, tried & triedBit(endpoint) != 0 { isAvailable = false }
            if isAvailable, needingRoom, pools[endpoint].parked == 0 {
                isAvailable = board.load(.connections, endpoint: endpoint) < maximum
            }
            candidates.append(
                Candidate(
                    isAvailable: isAvailable, isBackup: snapshot.endpoints[endpoint].isBackup,
                    weight: snapshot.endpoints[endpoint].weight,
                    calls: Int32(truncatingIfNeeded: liveCalls(endpoint)), tag: snapshot.endpoints[endpoint].tag))
        }
    }

    private func liveCalls(_ endpoint: Int) -> Int64 {
        var sum: Int64 = 0
        for worker in 0..<workerCount { sum += board.read(.active, worker: worker, endpoint: endpoint) }
        return sum
    }

    /// What hashing policies hash: the client's address, or a key minted here that the session id will carry.
    private mutating func placementKey(_ e: Handle, _ upstream: Int) -> UInt64 {
        switch snapshot.upstreams[upstream].policy {
        case .ipHash:
            let address = clientAddress(exchanges[e].client)
            return AddressKey.key(high: address.high, low: address.low, isIPv4: address.isIPv4)
        case .sessionHash:
            if exchanges[e].affinityKey == 0 { exchanges[e].affinityKey = world.random() | 1 }
            return exchanges[e].affinityKey
        case .roundRobin, .leastRequests, .powerOfTwo:
            return 0
        }
    }
}
