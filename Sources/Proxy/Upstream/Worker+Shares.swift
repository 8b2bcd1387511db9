import Balancing
import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// Whose a call is, and how much of a server one agent may have.
extension Worker where Outside: ~Copyable {
    /// Whose turn an exchange takes, by its request, which is in the scratch: its session's; else its credential's; else its
    /// address's. A session counts only if it was found, because anybody can make up an id.
    mutating func fairKey(_ exchange: Handle) -> FairKey {
        if servers.keySeed == 0 { servers.keySeed = io.world.random() | 1 }
        let bytes = io.received.span
        if exchanges[exchange].isPinned {
            if let session = io.requestHead.sessionID {
                return FairKey(agent: bytes.extracting(session.range), seed: servers.keySeed)
            }
            return FairKey(agent: bytes.extracting(io.requestHead.target.range), seed: servers.keySeed)
        }
        for index in 0..<io.requestHead.fields.count {
            guard case .other = io.requestHead.fields[index].kind,
                io.received.hasName(io.requestHead.fields[index], Self.authorization)
            else { continue }
            let value = io.requestHead.fields[index].value.range
            return FairKey(agent: bytes.extracting(value), seed: servers.keySeed)
        }
        let address = clientAddress(exchanges[exchange].client)
        return FairKey(
            address: AddressKey.key(high: address.high, low: address.low, isIPv4: address.isIPv4))
    }

    private static var authorization: [UInt8] { Array("authorization".utf8) }

    /// The connections to a server that nobody uses, if so many are in use that an agent may not have all the others; nil if
    /// there are plenty.
    @inline(__always)
    func shareLimit(of server: Int) -> Int64? {
        let upstream = servers.upstream(of: server)
        let floor = servers.upstreams[upstream].unsharedConnections
        // Connections that idle are counted here as well: what is cheap to see comes first.
        guard metrics.load(.connections, server: server) >= floor else { return nil }
        let active = metrics.activeCalls(server: server)
        return active >= floor ? servers.upstreams[upstream].plan.pool.maximum - active : nil
    }

    /// Whether a key may have one more connection to a server.
    func mayHave(_ key: UInt64, of server: Int, _ limit: Int64?) -> Bool {
        guard let limit, FairKey(rawValue: key).isAgent else { return true }
        return servers.shares.mayTake(key, of: server, free: limit, workers: metrics.trafficWorkers)
    }

    /// What comes of asking for a part of a server.
    enum HoldingClaim {
        case granted
        /// Others come first, or its agent or its server has enough in hand: the exchange stands in the queue.
        case wait
        /// The server may not have another session.
        case tryAnother
    }

    /// Claims what an exchange needs of a server besides a connection. What is granted is given back when it parts from the
    /// server, or does not get there.
    @inline(__always)
    mutating func claimHoldings(_ exchange: Handle, _ server: Int) -> HoldingClaim {
        let upstream = Int(exchanges[exchange].upstream)
        if servers.upstreams[upstream].waiting > 0, exchanges[exchange].waitsUntil == .never,
            othersWait(for: server, of: upstream)
        {
            return .wait
        }
        if let limit = shareLimit(of: server), claimShare(exchange, server, limit) == .denied { return .wait }
        if servers.upstreams[upstream].plan.hasServerLimits { return claimLimited(exchange, server, upstream) }
        return .granted
    }

    private mutating func claimShare(_ exchange: Handle, _ server: Int, _ limit: Int64) -> Claim {
        let key = fairKey(exchange)
        guard key.isAgent else { return .granted }
        guard mayHave(key.rawValue, of: server, limit) else { return .denied }
        servers.holdings[exchange.slot, default: []].insert(.share)
        servers.shares.take(key.rawValue, of: server, by: exchange.slot)
        return .granted
    }

    private mutating func claimLimited(_ exchange: Handle, _ server: Int, _ upstream: Int) -> HoldingClaim {
        let (calls, sessions) = (
            servers.upstreams[upstream].plan.maximumCalls, servers.upstreams[upstream].plan.maximumSessions
        )
        if calls < .max, case .post = exchanges[exchange].method {
            guard metrics.claim(.calls, server: server, limit: calls) == .granted else {
                releaseHoldings(exchange)
                return .wait
            }
            servers.holdings[exchange.slot, default: []].insert(.call)
        }
        if sessions < .max, exchanges[exchange].mayOpenSession {
            guard metrics.claim(.sessions, server: server, limit: sessions) == .granted else {
                releaseHoldings(exchange)
                return .tryAnother
            }
            servers.holdings[exchange.slot, default: []].insert(.session)
        }
        return .granted
    }

    /// The exchange parts from its server: what it had of it is free for others.
    @inline(__always)
    mutating func releaseHoldings(_ exchange: Handle) {
        if !servers.holdings.isEmpty { releaseHeld(exchange) }
    }

    private mutating func releaseHeld(_ exchange: Handle) {
        if returnHeld(exchange) == .aCall { callFreed(Int(exchanges[exchange].server)) }
    }

    /// The exchange gets no connection now: what it has just claimed is returned. Nobody has more than before, so nobody is called
    /// up: it would be this exchange again, turn after turn.
    mutating func returnHoldings(_ exchange: Handle) {
        if !servers.holdings.isEmpty { _ = returnHeld(exchange) }
    }

    /// What else was returned than a part of a server that only its agent misses.
    private enum Returned { case nothing, aCall }

    private mutating func returnHeld(_ exchange: Handle) -> Returned {
        guard let held = servers.holdings.removeValue(forKey: exchange.slot) else { return .nothing }
        let server = Int(exchanges[exchange].server)
        if held.contains(.share) { servers.shares.release(by: exchange.slot) }
        if held.contains(.session) { metrics.sessionEnded(server: server) }
        guard held.contains(.call) else { return .nothing }
        metrics.add(.calls, server: server, -1)
        return .aCall
    }

    /// The exchange's connection does not count in its agent's share any more.
    mutating func releaseShare(_ exchange: Handle) {
        if servers.holdings.isEmpty { return }
        guard servers.holdings[exchange.slot]?.contains(.share) == true else { return }
        servers.holdings[exchange.slot]?.remove(.share)
        servers.shares.release(by: exchange.slot)
    }
}

/// What an exchange has of its server besides a connection.
struct ServerHoldings: OptionSet {
    let rawValue: UInt8
    /// Its connection is counted in its agent's share.
    static var share: ServerHoldings { ServerHoldings(rawValue: 1) }
    /// It is counted among the calls in progress.
    static var call: ServerHoldings { ServerHoldings(rawValue: 2) }
    /// It may open a session, and has a place for it.
    static var session: ServerHoldings { ServerHoldings(rawValue: 4) }
}
