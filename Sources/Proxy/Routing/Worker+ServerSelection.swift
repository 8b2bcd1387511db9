import Balancing
import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// Which server an exchange goes to: its session's, if it has one, else the one that the upstream's policy proposes.
extension Worker where Outside: ~Copyable {
    /// What is known of a server that is asked to take work of an exchange.
    @inline(__always)
    func condition(of server: Int, tried: Bool = false) -> ServerCondition {
        let upstream = servers.upstream(of: server)
        var condition = servers.condition(of: server, metrics)
        condition.wasTried = tried
        condition.isFull =
            (metrics.load(.connections, server: server) >= servers.upstreams[upstream].plan.pool.maximum
                && servers[server].pool.parkedCount == 0 && servers[server].spareClaims == 0)
            || isBusy(server, upstream)
        return condition
    }

    /// Whether a server has as many calls in progress as it may.
    @inline(__always)
    private func isBusy(_ server: Int, _ upstream: Int) -> Bool {
        let maximum = servers.upstreams[upstream].plan.maximumCalls
        return maximum < .max && metrics.load(.calls, server: server) >= maximum
    }

    /// Whether a server has as many sessions as it may, and the exchange may open one.
    @inline(__always)
    func hasNoPlace(for exchange: Handle, at server: Int, _ upstream: Int) -> Bool {
        let maximum = servers.upstreams[upstream].plan.maximumSessions
        return maximum < .max && exchanges[exchange].mayOpenSession
            && metrics.load(.sessions, server: server) >= maximum
    }

    /// Whether there is no server for an exchange because all that might have it hold as many sessions as they may.
    func isShortOfSessions(_ exchange: Handle) -> Bool {
        let upstream = Int(exchanges[exchange].upstream)
        return servers.upstreams[upstream].members.contains { server in
            condition(of: server).isEligible && hasNoPlace(for: exchange, at: server, upstream)
        }
    }

    /// The server for an exchange that may go anywhere; nil if none may get it.
    mutating func chooseServer(_ exchange: Handle) -> Int? {
        let upstream = Int(exchanges[exchange].upstream)
        servers.refreshEligibility(upstream, metrics)
        if let key = affinityKey(exchange) { return chooseServer(exchange, key: key) }
        let key = selectionKey(exchange, upstream)
        let random = servers.upstreams[upstream].drawsAtRandom ? io.world.random() : 0
        let turn = sharedTurn(exchange, upstream)
        var required = ServerRequirements.capacity
        if key == nil, servers.upstreams[upstream].slowStart.isActive {
            beginSlowChoice(upstream)
            required.insert(.earnedTurn)
        }
        if needsModernServer(exchange) { required.insert(.modernRevision) }
        // Where others wait, no server has capacity: a newcomer need not ask them all, unless others wait for other servers.
        if servers.upstreams[upstream].waiting > 0, servers.upstreams[upstream].queue.unrestrictedCount > 0,
            exchanges[exchange].waitsUntil == .never, !servers.upstreams[upstream].separatesRevisions
        {
            required.subtract([.capacity, .earnedTurn])
        }
        while true {
            if let chosen = choose(exchange, upstream, key, random, turn, required) { return chosen }
            guard let less = required.relaxed else { return nil }
            required = less
        }
    }

    /// Some servers are known to refuse the exchange's request for its revision, and others are not.
    @inline(__always)
    func needsModernServer(_ exchange: Handle) -> Bool {
        guard servers.upstreams[Int(exchanges[exchange].upstream)].separatesRevisions else { return false }
        return if case .modern = exchanges[exchange].kind { true } else { false }
    }

    /// Servers that start slowly gain a part of a turn.
    private mutating func beginSlowChoice(_ upstream: Int) {
        let duration = servers.upstreams[upstream].plan.healthCheck.slowStart
        servers.upstreams[upstream].slowStart.beginChoice(at: clock.now.nanoseconds, duration: duration.nanoseconds)
    }

    @inline(__always)
    private mutating func choose(
        _ exchange: Handle, _ upstream: Int, _ key: UInt64?, _ random: UInt64, _ turn: UInt64?,
        _ required: ServerRequirements
    ) -> Int? {
        servers.upstreams[upstream].selection.begin(key: key, random: random, turn: turn)
        var passedOver: Int64 = 0
        let needsCalls = servers.upstreams[upstream].comparesCalls
        let tried = exchanges[exchange].tried
        while let position = servers.upstreams[upstream].selection.next() {
            let server = servers.upstreams[upstream].members[position]
            let wasTried =
                position < UInt64.bitWidth
                ? tried & 1 << UInt64(position) != 0 : exchanges.wasTried(exchange, position)
            let condition = condition(of: server, tried: wasTried)
            guard !condition.wasTried, !required.contains(.capacity) || !condition.isFull,
                !required.contains(.earnedTurn) || servers.upstreams[upstream].slowStart.admits(position),
                !required.contains(.modernRevision) || metrics.revisions(server: server).mayBeModern,
                !hasNoPlace(for: exchange, at: server, upstream)
            else {
                passedOver += 1
                continue
            }
            servers.upstreams[upstream].selection.accept(
                position, calls: needsCalls ? Int(metrics.activeCalls(server: server)) : 0)
        }
        guard let chosen = servers.upstreams[upstream].selection.finish() else { return nil }
        if servers.upstreams[upstream].slowStart.isActive { servers.upstreams[upstream].slowStart.chose(chosen) }
        // The next turn is that of the server behind the chosen one.
        if turn != nil, passedOver > 0 { _ = metrics.writer.takeTurns(passedOver, upstream: upstream) }
        return servers.upstreams[upstream].members[chosen]
    }

    /// The turn of a request that may open a session, in the rotation that all workers share: sessions are few and stay
    /// where they are placed, so they are spread evenly however few they are. Nil for all other requests, for which each
    /// worker counts alone.
    private func sharedTurn(_ exchange: Handle, _ upstream: Int) -> UInt64? {
        guard metrics.trafficWorkers > 1, servers.upstreams[upstream].plan.policy == .roundRobin else { return nil }
        switch exchanges[exchange].kind {
        case .sessionless, .streamOpening: return metrics.writer.takeTurns(upstream: upstream)
        case .modern, .legacyMessage, .session, .resumption, .preflight, .other: return nil
        }
    }

    /// What hashing policies place by: the client's address, or a key made here that the session id will carry. Nil where
    /// servers take turns: requests that open no session have no use for a key of their own.
    private mutating func selectionKey(_ exchange: Handle, _ upstream: Int) -> UInt64? {
        switch servers.upstreams[upstream].plan.policy {
        case .ipHash:
            let address = clientAddress(exchanges[exchange].client)
            return AddressKey.key(high: address.high, low: address.low, isIPv4: address.isIPv4)
        case .sessionHash:
            guard case .sessionless = exchanges[exchange].kind else { return nil }
            if exchanges[exchange].affinityKey == 0 { exchanges[exchange].affinityKey = io.world.random() | 1 }
            return exchanges[exchange].affinityKey
        case .roundRobin, .leastRequests, .powerOfTwo:
            return nil
        }
    }
}

/// What a server has to have to be chosen, beyond being eligible and not tried.
private struct ServerRequirements: OptionSet {
    let rawValue: UInt8
    /// A connection that is free, or may be opened.
    static let capacity = ServerRequirements(rawValue: 1)
    /// A turn that it has earned, where it starts slowly.
    static let earnedTurn = ServerRequirements(rawValue: 2)
    /// Requests of revisions without sessions are not known to be refused.
    static let modernRevision = ServerRequirements(rawValue: 4)

    /// What is asked if no server has all of these; nil if nothing less will do.
    var relaxed: ServerRequirements? {
        if contains(.earnedTurn) { return subtracting(.earnedTurn) }
        return contains(.capacity) ? subtracting(.capacity) : nil
    }
}
