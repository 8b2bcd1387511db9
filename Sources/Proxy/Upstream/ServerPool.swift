import Kernel
import Reactor
import TLS
import Telemetry

/// One worker's connections to one endpoint: the parked ones as a list through their slab slots, newest first, so that
/// a quiet pool shrinks from its cold end.
struct ServerPool {
    var firstParked = UInt32.max
    var lastParked = UInt32.max
    var parked = 0
    /// Connections of this worker that count against `pool.max`: connecting, parked or serving calls.
    var connections = 0
    /// Connections being opened to keep `pool.min`, for nobody yet.
    var warming = 0
}

/// One worker's view of an upstream: the queue of exchanges that wait for a connection, first come first served.
struct UpstreamState {
    var firstWaiting = UInt32.max
    var lastWaiting = UInt32.max
    var waiting = 0
    var selection: UpstreamSelection

    init(_ plan: UpstreamPlan) {
        selection = UpstreamSelection(plan)
    }
}

/// What came of opening a connection.
enum PoolDialResult {
    case connection(Handle)
    /// The bound is reached: somebody else's connection must end first.
    case atCapacity
    /// errno.
    case failed(CInt)
}

extension Worker where Outside: ~Copyable {
    /// Puts an idle connection at the warm end of its endpoint's list.
    mutating func park(_ u: Handle) {
        let server = Int(upstreams[u].server)
        upstreams[u].phase = .parked
        upstreams[u].exchange = .none
        upstreams[u].previous = .max
        upstreams[u].next = servers.pools[server].firstParked
        if let first = upstreams.handle(inSlot: Int(servers.pools[server].firstParked)) {
            upstreams[first].previous = u.slot
        } else {
            servers.pools[server].lastParked = u.slot
        }
        servers.pools[server].firstParked = u.slot
        servers.pools[server].parked += 1
        metrics.count(.parked, server: Int(upstreams[u].server))
        let plan = snapshot.upstreams[snapshot.servers[server].upstream].pool
        upstreams.setDeadline(u, clock.now + plan.idleTimeout, &clock)
    }

    /// Takes a connection out of its endpoint's list, wherever it stands.
    mutating func unpark(_ u: Handle) {
        let server = Int(upstreams[u].server)
        let (before, after) = (upstreams[u].previous, upstreams[u].next)
        if let peer = upstreams.handle(inSlot: Int(before)) {
            upstreams[peer].next = after
        } else {
            servers.pools[server].firstParked = after
        }
        if let peer = upstreams.handle(inSlot: Int(after)) {
            upstreams[peer].previous = before
        } else {
            servers.pools[server].lastParked = before
        }
        upstreams[u].previous = .max
        upstreams[u].next = .max
        servers.pools[server].parked -= 1
        metrics.count(.parked, server: Int(upstreams[u].server), -1)
    }

    /// The warmest parked connection, out of the list; nil if there is none.
    mutating func takeParked(_ server: Int) -> Handle? {
        guard let u = upstreams.handle(inSlot: Int(servers.pools[server].firstParked)) else { return nil }
        unpark(u)
        return u
    }

    /// Opens a connection if the bound over all workers allows.
    mutating func dial(_ server: Int) -> PoolDialResult {
        let plan = snapshot.upstreams[snapshot.servers[server].upstream].pool
        guard !upstreams.isFull, metrics.claim(.connections, server: server, limit: plan.maximum) else {
            return .atCapacity
        }
        switch io.world.dial(snapshot.servers[server].address) {
        case .failed(let code):
            metrics.add(.connections, server: server, -1)
            connectFailed(server, code: code)
            return .failed(code)
        case .started(let descriptor):
            let connection = UpstreamConnection(descriptor: descriptor, server: server, openedAt: clock.now)
            guard let u = upstreams.insert(connection) else { return .atCapacity }
            servers.pools[server].connections += 1
            guard io.world.watch(descriptor, token: Token(.upstream, u).raw) else {
                dropUpstream(u)
                return .failed(outOfMemoryCode)
            }
            metrics.count(.connectionsOpened, server: server)
            upstreams.setDeadline(u, clock.now + plan.connectTimeout, &clock)
            return .connection(u)
        }
    }

    /// Closes a connection, whatever it was doing, and lets somebody have its place. Its exchange, if any, must have
    /// been told already.
    mutating func dropUpstream(_ u: Handle) {
        guard upstreams.contains(u) else { return }
        if upstreams[u].phase == .parked { unpark(u) }
        guard var connection = upstreams.remove(u) else { return }
        if var session = connection.tls.take() {
            io.outgoing.clear()
            io.engine.finish(&session, outgoing: &io.outgoing)
            if !io.outgoing.isEmpty, connection.output.isEmpty { _ = io.world.send(connection.descriptor, io.outgoing) }
            io.outgoing.clear()
        }
        // What floods leave behind would fill the kernel's tables, and its search for a free port takes longer and longer.
        io.world.close(connection.descriptor, reset: clients.isRunningDeferred)
        connection.input.clear()
        connection.output.clear()
        io.bufferPool.release(&connection.input)
        io.bufferPool.release(&connection.output)
        let server = Int(connection.server)
        guard connection.phase != .healthChecking else { return }
        if connection.isStreaming {
            metrics.add(.streams, server: server, -1)
            metrics.count(.streaming, server: Int(connection.server), -1)
        } else {
            servers.pools[server].connections -= 1
            metrics.add(.connections, server: server, -1)
        }
        capacityFreed(server)
    }

    /// An exchange is over and its connection could carry another: park it, hand it on, or retire it.
    mutating func releaseUpstream(_ u: Handle) {
        let server = Int(upstreams[u].server)
        let plan = snapshot.upstreams[snapshot.servers[server].upstream].pool
        upstreams[u].exchange = .none
        upstreams[u].isReused = true
        if upstreams[u].tls != nil, upstreams[u].uses == 1 { keepTicket(u) }
        if upstreams[u].isStreaming {
            guard metrics.claim(.connections, server: server, limit: plan.maximum) else {
                dropUpstream(u)
                return
            }
            endStreaming(u)
        }
        let isWorn = upstreams[u].uses >= plan.maximumUses || clock.now - upstreams[u].openedAt >= plan.maximumAge
        if isWorn || upstreams[u].hasEnded || lifecycle.isDraining {
            dropUpstream(u)
            return
        }
        // Others wait for this endpoint and none of them here: let them dial in its place.
        let upstream = snapshot.servers[server].upstream
        let isWantedElsewhere =
            metrics.load(.waiting, server: snapshot.upstreams[upstream].servers.lowerBound)
            > Int64(servers.upstreams[upstream].waiting)
        if isWantedElsewhere {
            dropUpstream(u)
            return
        }
        io.bufferPool.release(&upstreams[u].input)
        io.bufferPool.release(&upstreams[u].output)
        park(u)
        capacityFreed(server)
    }

    /// The connection carries an event stream from now on: it leaves the calls' bound for the streams'. False if that
    /// bound is reached.
    mutating func beginStreaming(_ u: Handle) -> Bool {
        let server = Int(upstreams[u].server)
        let plan = snapshot.upstreams[snapshot.servers[server].upstream].pool
        guard metrics.claim(.streams, server: server, limit: plan.maximumStreams) else { return false }
        upstreams[u].isStreaming = true
        servers.pools[server].connections -= 1
        metrics.add(.connections, server: server, -1)
        metrics.count(.streaming, server: Int(upstreams[u].server))
        capacityFreed(server)
        return true
    }

    private mutating func endStreaming(_ u: Handle) {
        let server = Int(upstreams[u].server)
        upstreams[u].isStreaming = false
        servers.pools[server].connections += 1
        metrics.add(.streams, server: server, -1)
        metrics.count(.streaming, server: Int(upstreams[u].server), -1)
    }
}
