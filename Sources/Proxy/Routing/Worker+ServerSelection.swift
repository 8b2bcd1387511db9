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
    mutating func selectServer(_ e: Handle) {
        guard exchanges[e].isPinned || resolveSession(e) else { return }
        if exchanges[e].isPinned {
            selectPinned(e)
        } else {
            selectUnpinned(e)
        }
    }

    /// Ties the exchange to its session's endpoint, if it has a session. False if the session is gone and the client was
    /// told so.
    private mutating func resolveSession(_ e: Handle) -> Bool {
        let upstream = Int(exchanges[e].upstreamIndex)
        guard sessions.affinity(upstream) != .off else { return true }
        let owner: SessionOwner
        switch exchanges[e].kind {
        case .session:
            owner = sessions.owner(
                ofSession: io.received, (io.requestHead.sessionID ?? .empty).range, in: upstream, now: clock.now)
        case .legacyMessage:
            owner = sessions.owner(ofLegacy: io.received, io.requestHead.target.range, in: upstream, now: clock.now)
        case .modern, .streamOpening, .resumption, .sessionless, .preflight, .other:
            return true
        }
        guard case .server(let server, let issuedAt) = owner,
            Int64(issuedAt) >= metrics.load(.lastRefused, server: server)
        else {
            sessionGone(e, owner)
            return false
        }
        exchanges[e].isPinned = true
        exchanges[e].server = Int16(truncatingIfNeeded: server)
        return true
    }

    private mutating func sessionGone(_ e: Handle, _ owner: SessionOwner) {
        if case .server(let server, _) = owner { exchanges[e].server = Int16(truncatingIfNeeded: server) }
        metrics.count(.sessionsNotFound, server: Int(exchanges[e].server))
        fail(e, exchanges[e].kind == .legacyMessage ? .legacySessionGone : .sessionGone)
    }

    /// A session's server is asked even if its health checks fail: one that is slow still has the session, and a 404
    /// would end it. Only a connection that cannot be had shows that it is gone.
    private mutating func selectPinned(_ e: Handle) {
        acquireConnection(e, Int(exchanges[e].server))
    }

    private mutating func selectUnpinned(_ e: Handle) {
        let upstream = Int(exchanges[e].upstreamIndex)
        guard let server = chooseServer(e, upstream) else {
            metrics.count(.unavailable, server: snapshot.upstreams[upstream].servers.lowerBound)
            fail(e, .noServerAvailable)
            return
        }
        exchanges[e].server = Int16(truncatingIfNeeded: server)
        acquireConnection(e, server)
    }

    /// Gets the exchange a connection to `server`: a parked one, a new one, or a place in the queue.
    private mutating func acquireConnection(_ e: Handle, _ server: Int) {
        // What cannot be sent again does not go out on a connection whose server may just be closing it.
        if exchanges[e].isWhole, !exchanges[e].wantsFresh, let u = takeParked(server) {
            sendRequest(e, on: u)
            return
        }
        switch dial(server) {
        case .connection(let u):
            exchanges[e].phase = .connecting
            exchanges[e].upstream = u
            upstreams[u].exchange = e
            metrics.count(.active, server: server)
        case .failed(let code):
            dialFailed(e, server, code: code)
        case .atCapacity:
            if let u = takeParked(server) { sendRequest(e, on: u) } else { enqueue(e, for: server) }
        }
    }

    /// A connection could not be opened: try another server, or say so. Nothing was sent, so any request may move on.
    mutating func dialFailed(_ e: Handle, _ server: Int, code: CInt) {
        if code != refusedCode { exchanges[e].attempts += 1 }
        exchanges[e].tried |= triedBit(server)
        if isOwnFault(code) {
            // No server can do anything about it, and no session has ended.
            metrics.count(.unavailable, server: Int(exchanges[e].server))
            fail(e, .noServerAvailable)
            return
        }
        if exchanges[e].isPinned {
            // Nobody listens there: the process that held the session is gone, and the session with it.
            if code == refusedCode || !isHealthy(server) {
                sessionGone(e, .server(server, issuedAt: 0))
            } else {
                fail(e, .connectFailed)
            }
        } else if exchanges[e].attempts < Worker.attemptLimit {
            selectUnpinned(e)
        } else {
            metrics.count(.badGateway, server: Int(exchanges[e].server))
            fail(e, .connectFailed)
        }
    }

    private func triedBit(_ server: Int) -> UInt64 {
        1 << UInt64((server - snapshot.upstreams[snapshot.servers[server].upstream].servers.lowerBound) & 63)
    }

    private mutating func chooseServer(_ e: Handle, _ upstream: Int) -> Int? {
        let key = selectionKey(e, upstream)
        fillCandidates(e, upstream, needingCapacity: true)
        if let chosen = select(e, upstream, key) { return chosen }
        // None has room: queue for one that will.
        fillCandidates(e, upstream, needingCapacity: false)
        if let chosen = select(e, upstream, key) { return chosen }
        let range = snapshot.upstreams[upstream].servers
        let available = range.reduce(0) { $0 + (isHealthy($1) ? 1 : 0) }
        let threshold = snapshot.upstreams[upstream].panicThreshold
        guard PanicThreshold.applies(available: available, total: range.count, thresholdPercent: threshold) else {
            return nil
        }
        for server in range where exchanges[e].tried & triedBit(server) == 0 {
            servers.candidates[server - range.lowerBound].isAvailable = true
        }
        return select(e, upstream, key)
    }

    private mutating func select(_ e: Handle, _ upstream: Int, _ key: UInt64) -> Int? {
        var isPlain = false
        var random: UInt64 = 0
        switch snapshot.upstreams[upstream].policy {
        case .sessionHash: if case .sessionless = exchanges[e].kind {} else { isPlain = true }
        case .powerOfTwo: random = io.world.random()
        case .roundRobin, .leastRequests, .ipHash: break
        }
        let chosen = servers.upstreams[upstream].selection.select(
            from: servers.candidates, key: key, random: random, excluding: -1, plainly: isPlain)
        return chosen.map { $0 + snapshot.upstreams[upstream].servers.lowerBound }
    }

    /// Plans are read where they lie: a copy of one costs a reference count for each of its strings.
    private mutating func fillCandidates(_ e: Handle, _ upstream: Int, needingCapacity: Bool) {
        let tried = exchanges[e].tried
        let maximum = snapshot.upstreams[upstream].pool.maximum
        servers.candidates.removeAll(keepingCapacity: true)
        for server in snapshot.upstreams[upstream].servers {
            var isAvailable = !snapshot.servers[server].isDraining && isHealthy(server)
            if tried != 0, tried & triedBit(server) != 0 { isAvailable = false }
            if isAvailable, needingCapacity, servers.pools[server].parked == 0 {
                isAvailable = metrics.load(.connections, server: server) < maximum
            }
            servers.candidates.append(
                Candidate(
                    isAvailable: isAvailable, isBackup: snapshot.servers[server].isBackup,
                    weight: snapshot.servers[server].weight,
                    calls: Int32(truncatingIfNeeded: metrics.activeCalls(server: server)),
                    tag: snapshot.servers[server].tag))
        }
    }

    /// What hashing policies hash: the client's address, or a key minted here that the session id will carry.
    private mutating func selectionKey(_ e: Handle, _ upstream: Int) -> UInt64 {
        switch snapshot.upstreams[upstream].policy {
        case .ipHash:
            let address = clientAddress(exchanges[e].client)
            return AddressKey.key(high: address.high, low: address.low, isIPv4: address.isIPv4)
        case .sessionHash:
            if exchanges[e].affinityKey == 0 { exchanges[e].affinityKey = io.world.random() | 1 }
            return exchanges[e].affinityKey
        case .roundRobin, .leastRequests, .powerOfTwo:
            return 0
        }
    }
}
