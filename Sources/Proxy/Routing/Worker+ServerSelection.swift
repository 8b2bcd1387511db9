import Balancing
import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// Which server an exchange goes to: its session's, if it has one, else the one that the upstream's policy proposes.
extension Worker where Outside: ~Copyable {
    /// What is known of a server that is asked to take work of an exchange.
    func condition(of server: Int, tried: Bool = false) -> ServerCondition {
        let upstream = servers.upstream(of: server)
        var condition = servers.condition(of: server, metrics)
        condition.wasTried = tried
        condition.isFull =
            servers[server].pool.parkedCount == 0
            && metrics.load(.connections, server: server) >= servers.upstreams[upstream].plan.pool.maximum
        return condition
    }

    /// The server for an exchange that may go anywhere; nil if none may get it.
    mutating func chooseServer(_ exchange: Handle) -> Int? {
        let upstream = Int(exchanges[exchange].upstream)
        servers.refreshEligibility(upstream, metrics)
        let key = selectionKey(exchange, upstream)
        let random = servers.upstreams[upstream].drawsAtRandom ? io.world.random() : 0
        // Where others wait, no server has capacity: a newcomer need not ask them all.
        if servers.upstreams[upstream].queue.unrestrictedCount == 0 || exchanges[exchange].waitsUntil < .never,
            let chosen = choose(exchange, upstream, key, random, needingCapacity: true)
        {
            return chosen
        }
        if let chosen = choose(exchange, upstream, key, random, needingCapacity: false) { return chosen }
        let threshold = servers.upstreams[upstream].plan.panicThreshold
        let total = servers.upstreams[upstream].members.count
        guard threshold > 0,
            PanicThreshold.applies(
                available: healthyCount(upstream), total: total, thresholdPercent: threshold)
        else { return nil }
        return choose(exchange, upstream, key, random, needingCapacity: false, scope: .all)
    }

    private func healthyCount(_ upstream: Int) -> Int {
        servers.upstreams[upstream].members.reduce(0) { $0 + (metrics.isHealthy(server: $1) ? 1 : 0) }
    }

    private mutating func choose(
        _ exchange: Handle, _ upstream: Int, _ key: UInt64?, _ random: UInt64, needingCapacity: Bool,
        scope: ServerSelection.Scope = .eligible
    ) -> Int? {
        servers.upstreams[upstream].selection.begin(key: key, random: random, scope: scope)
        let needsCalls = servers.upstreams[upstream].comparesCalls
        let tried = exchanges[exchange].tried
        while let position = servers.upstreams[upstream].selection.next() {
            let server = servers.upstreams[upstream].members[position]
            let wasTried =
                position < UInt64.bitWidth
                ? tried & 1 << UInt64(position) != 0 : exchanges.wasTried(exchange, position)
            let condition = condition(of: server, tried: wasTried)
            guard !condition.wasTried, !needingCapacity || !condition.isFull else { continue }
            servers.upstreams[upstream].selection.accept(
                position, calls: needsCalls ? Int(metrics.activeCalls(server: server)) : 0)
        }
        return servers.upstreams[upstream].selection.finish().map { servers.upstreams[upstream].members[$0] }
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
