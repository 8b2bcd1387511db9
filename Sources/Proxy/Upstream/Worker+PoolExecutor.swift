import Balancing
import Kernel
import Reactor
import TLS
import Telemetry

/// What came of looking for a connection.
enum PoolResult {
    /// A connected one.
    case ready(Handle)
    /// One that is being opened.
    case connecting(Handle)
    /// The bound is reached: another connection must end first.
    case atCapacity
    /// It could not be opened; errno says why.
    case failed(CInt)
}

/// Does with sockets and shared counters what the pools decide.
extension Worker where Outside: ~Copyable {
    /// Gets a connection to a server: a parked one if any will do, else a new one as far as the bound over all workers
    /// allows.
    mutating func acquireConnection(_ server: Int, allowsParked: Bool) -> PoolResult {
        if case .use(let slot) = servers[server].pool.acquire(allowsParked: allowsParked) {
            return unparked(slot, server)
        }
        guard claimConnection(server) == .granted else {
            switch servers[server].pool.claimDenied() {
            case .use(let slot): return unparked(slot, server)
            case .wait: return .atCapacity
            }
        }
        return connect(server, as: .connecting)
    }

    private mutating func unparked(_ slot: UInt32, _ server: Int) -> PoolResult {
        metrics.count(.parked, server: server, -1)
        guard let connection = upstreams.handle(inSlot: Int(slot)) else { return .atCapacity }
        return .ready(connection)
    }

    /// Claims one more connection to a server: a slot of this worker, and a place below the bound over all workers.
    private mutating func claimConnection(_ server: Int) -> Claim {
        if upstreams.isFull { return .denied }
        if servers[server].spareClaims > 0 {
            servers[server].spareClaims -= 1
            return .granted
        }
        return claimCall(server)
    }

    /// Claims a place below the bound on connections for calls, for one that is open or to be opened.
    private func claimCall(_ server: Int) -> Claim {
        let maximum = servers.upstreams[servers.upstream(of: server)].plan.pool.maximum
        return metrics.claim(.connections, server: server, limit: maximum)
    }

    /// Opens a connection whose claim was granted.
    private mutating func connect(_ server: Int, as role: ServerPool.Role) -> PoolResult {
        servers[server].pool.claimGranted(for: role)
        let (result, address) = dial(server)
        switch result {
        case .failed(let code):
            releaseClaim(servers[server].pool.closed(.max, as: role), server)
            noteConnectFailure(server, code: code)
            return .failed(code)
        case .started(let descriptor):
            var connection = UpstreamConnection(
                descriptor: descriptor, server: server, openedAt: clock.now, isWarming: role == .warming)
            connection.address = address
            return watch(connection, server, role)
        }
    }

    private mutating func watch(
        _ connection: consuming UpstreamConnection, _ server: Int, _ role: ServerPool.Role
    ) -> PoolResult {
        let descriptor = connection.transport.descriptor
        guard let handle = upstreams.insert(connection) else {
            releaseClaim(servers[server].pool.closed(.max, as: role), server)
            return .atCapacity
        }
        servers[server].openConnections += 1
        guard io.world.watch(descriptor, token: Token(.upstream, handle).raw) else {
            closeUpstream(handle, as: role)
            return .failed(ErrorNumber.outOfMemory)
        }
        metrics.count(.connectionsOpened, server: server)
        setDialDeadline(handle, limit: servers.upstreams[servers.upstream(of: server)].plan.pool.connectTimeout)
        return .connecting(handle)
    }

    private mutating func releaseClaim(_ claim: ServerPool.ClaimRelease, _ server: Int) {
        switch claim {
        case .none: break
        case .connection: releasePlace(server)
        case .stream:
            metrics.add(.streams, server: server, -1)
            metrics.count(.streaming, server: server, -1)
        }
    }

    /// Closes a connection, whatever it was doing, and lets another have its place. Its exchange, if any, must have been
    /// detached.
    mutating func closeUpstream(_ connection: Handle) {
        guard upstreams.contains(connection) else { return }
        closeUpstream(connection, as: upstreams[connection].role)
    }

    /// The same with the role that it had: one that failed before it had an exchange.
    mutating func closeUpstream(_ connection: Handle, as role: ServerPool.Role) {
        guard var removed = upstreams.remove(connection) else { return }
        let server = Int(removed.server)
        if role == .parked { metrics.count(.parked, server: server, -1) }
        // What floods leave behind would fill the kernel's tables, and its search for a free port takes longer and longer.
        io.close(&removed.transport, reset: clients.isRunningDeferred)
        switch role {
        case .healthCheck: return
        case .connecting, .warming: break
        case .serving, .streaming, .parked: metrics.add(.established, server: server, -1)
        }
        servers[server].openConnections -= 1
        releaseClaim(servers[server].pool.closed(connection.slot, as: role), server)
        capacityFreed(server)
    }

    /// An exchange is over and its connection could carry another: parks it, or closes it.
    mutating func releaseUpstream(_ connection: Handle) {
        let server = Int(upstreams[connection].server)
        let upstream = servers.upstream(of: server)
        upstreams[connection].exchange = .none
        upstreams[connection].isReused = true
        if upstreams[connection].uses == 1,
            let ticket = upstreams.ticket(connection, madeWith: servers.upstreams[upstream].tls)
        {
            servers[server].ticket = ticket
        }
        if upstreams[connection].isStreaming {
            let isGranted = claimCall(server) == .granted
            guard servers[server].pool.streamEnded(claimGranted: isGranted) == .keep else {
                closeUpstream(connection)
                return
            }
            releaseClaim(.stream, server)
            upstreams[connection].isStreaming = false
        }
        let wear = ServerPool.Wear(
            uses: upstreams[connection].uses,
            age: (clock.now - upstreams[connection].openedAt).nanoseconds,
            hasEnded: upstreams[connection].transport.hasEnded)
        let decision = servers[server].pool.released(
            connection.slot, wear, poolLimits(upstream),
            isDraining: lifecycle.isDraining || isObsolete(connection),
            isWantedElsewhere: freedPlace(server, upstream, closed: 0) != .own)
        guard case .park = decision else {
            closeUpstream(connection)
            return
        }
        park(connection, server, upstream)
    }

    private mutating func park(_ connection: Handle, _ server: Int, _ upstream: Int) {
        upstreams[connection].phase = .parked
        io.bufferPool.release(&upstreams[connection].transport.input)
        io.bufferPool.release(&upstreams[connection].transport.output)
        metrics.count(.parked, server: server)
        upstreams.setDeadline(connection, clock.now + servers.upstreams[upstream].plan.pool.idleTimeout, &clock)
        capacityFreed(server)
    }

    private func poolLimits(_ upstream: Int) -> ServerPool.Limits {
        ServerPool.Limits(
            minimum: Int(metrics.share(of: servers.upstreams[upstream].plan.pool.minimum)),
            maximumUses: servers.upstreams[upstream].plan.pool.maximumUses,
            maximumAge: servers.upstreams[upstream].plan.pool.maximumAge.nanoseconds)
    }

    /// The connection carries an event stream from now on, if one more may be open at the server: it leaves the calls'
    /// bound for the streams'.
    mutating func claimStream(_ connection: Handle) -> Claim {
        let server = Int(upstreams[connection].server)
        let maximum = servers.upstreams[servers.upstream(of: server)].plan.pool.maximumStreams
        guard metrics.claim(.streams, server: server, limit: maximum) == .granted else { return .denied }
        upstreams[connection].isStreaming = true
        releaseClaim(servers[server].pool.becameStream(), server)
        metrics.count(.streaming, server: server)
        servers.callEnded(server, metrics)
        let exchange = upstreams[connection].exchange
        if exchanges.contains(exchange) { releaseShare(exchange) }
        capacityFreed(server)
        return .granted
    }

    /// Closes a connection that was idle for its time, unless the pool would fall below its minimum.
    mutating func parkedTimedOut(_ connection: Handle) {
        let server = Int(upstreams[connection].server)
        let upstream = servers.upstream(of: server)
        let age = (clock.now - upstreams[connection].openedAt).nanoseconds
        switch servers[server].pool.idleTimedOut(age: age, poolLimits(upstream)) {
        case .close: closeUpstream(connection)
        case .keep:
            upstreams.setDeadline(connection, clock.now + servers.upstreams[upstream].plan.pool.idleTimeout, &clock)
        }
    }

    /// Another worker has exchanges that wait for a server to which a connection idles here: closes the coldest.
    mutating func evictIdle(_ server: Int) {
        guard servers.slots.contains(server), let slot = servers[server].pool.coldest,
            let connection = upstreams.handle(inSlot: Int(slot))
        else { return }
        closeUpstream(connection)
    }

    /// Opens what is missing to the pools' minimum, to servers that are healthy.
    mutating func warmPools() {
        guard control.healthChecks.isEmpty else { return }
        for server in servers.slots where !servers[server].isRetired {
            let upstream = servers.upstream(of: server)
            guard servers.upstreams[upstream].plan.pool.minimum > 0 else { continue }
            let missing = servers[server].pool.missing(
                poolLimits(upstream), isUsable: metrics.isHealthy(server: server))
            for _ in 0..<missing {
                guard claimConnection(server) == .granted, case .connecting = connect(server, as: .warming) else {
                    break
                }
            }
        }
    }
}
