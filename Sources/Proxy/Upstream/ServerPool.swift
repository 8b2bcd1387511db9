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
        upstreams[u].next = pools[server].firstParked
        if let first = upstreams.handle(inSlot: Int(pools[server].firstParked)) {
            upstreams[first].previous = u.slot
        } else {
            pools[server].lastParked = u.slot
        }
        pools[server].firstParked = u.slot
        pools[server].parked += 1
        count(.parked, server: Int(upstreams[u].server))
        let plan = snapshot.upstreams[snapshot.servers[server].upstream].pool
        setDeadline(upstream: u, now + plan.idleTimeout)
    }

    /// Takes a connection out of its endpoint's list, wherever it stands.
    mutating func unpark(_ u: Handle) {
        let server = Int(upstreams[u].server)
        let (before, after) = (upstreams[u].previous, upstreams[u].next)
        if let peer = upstreams.handle(inSlot: Int(before)) {
            upstreams[peer].next = after
        } else {
            pools[server].firstParked = after
        }
        if let peer = upstreams.handle(inSlot: Int(after)) {
            upstreams[peer].previous = before
        } else {
            pools[server].lastParked = before
        }
        upstreams[u].previous = .max
        upstreams[u].next = .max
        pools[server].parked -= 1
        count(.parked, server: Int(upstreams[u].server), -1)
    }

    /// The warmest parked connection, out of the list; nil if there is none.
    mutating func takeParked(_ server: Int) -> Handle? {
        guard let u = upstreams.handle(inSlot: Int(pools[server].firstParked)) else { return nil }
        unpark(u)
        return u
    }

    /// Opens a connection if the bound over all workers allows.
    mutating func dial(_ server: Int) -> PoolDialResult {
        let plan = snapshot.upstreams[snapshot.servers[server].upstream].pool
        guard !upstreams.isFull, metrics.claim(.connections, server: server, limit: plan.maximum) else {
            return .atCapacity
        }
        switch world.dial(snapshot.servers[server].address) {
        case .failed(let code):
            metrics.add(.connections, server: server, -1)
            connectFailed(server, code: code)
            return .failed(code)
        case .started(let descriptor):
            let connection = UpstreamConnection(descriptor: descriptor, server: server, openedAt: now)
            guard let u = upstreams.insert(connection) else { return .atCapacity }
            pools[server].connections += 1
            guard world.watch(descriptor, token: Token(.upstream, u).raw) else {
                dropUpstream(u)
                return .failed(outOfMemoryCode)
            }
            count(.connectionsOpened, server: server)
            setDeadline(upstream: u, now + plan.connectTimeout)
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
            outgoing.clear()
            engine.appendCloseNotify(&session, outgoing: &outgoing)
            if !outgoing.isEmpty, connection.output.isEmpty { _ = world.send(connection.descriptor, outgoing) }
            outgoing.clear()
        }
        // What floods leave behind would fill the kernel's tables, and its search for a free port takes longer and longer.
        world.close(connection.descriptor, reset: isRunningDeferred)
        connection.input.clear()
        connection.output.clear()
        bufferPool.release(&connection.input)
        bufferPool.release(&connection.output)
        let server = Int(connection.server)
        guard connection.phase != .healthChecking else { return }
        if connection.isStreaming {
            metrics.add(.streams, server: server, -1)
            count(.streaming, server: Int(connection.server), -1)
        } else {
            pools[server].connections -= 1
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
        let isWorn = upstreams[u].uses >= plan.maximumUses || now - upstreams[u].openedAt >= plan.maximumAge
        if isWorn || upstreams[u].hasEnded || isDraining {
            dropUpstream(u)
            return
        }
        // Others wait for this endpoint and none of them here: let them dial in its place.
        let upstream = snapshot.servers[server].upstream
        let isWantedElsewhere =
            metrics.load(.waiting, server: snapshot.upstreams[upstream].servers.lowerBound)
            > Int64(upstreamStates[upstream].waiting)
        if isWantedElsewhere {
            dropUpstream(u)
            return
        }
        bufferPool.release(&upstreams[u].input)
        bufferPool.release(&upstreams[u].output)
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
        pools[server].connections -= 1
        metrics.add(.connections, server: server, -1)
        count(.streaming, server: Int(upstreams[u].server))
        capacityFreed(server)
        return true
    }

    private mutating func endStreaming(_ u: Handle) {
        let server = Int(upstreams[u].server)
        upstreams[u].isStreaming = false
        pools[server].connections += 1
        metrics.add(.streams, server: server, -1)
        count(.streaming, server: Int(upstreams[u].server), -1)
    }
}
