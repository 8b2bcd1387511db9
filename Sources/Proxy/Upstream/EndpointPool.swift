import Kernel
import Reactor
import TLS
import Telemetry

/// One worker's connections to one endpoint: the parked ones as a list through their slab slots, newest first, so that
/// a quiet pool shrinks from its cold end.
struct EndpointPool {
    var firstParked = UInt32.max
    var lastParked = UInt32.max
    var parked = 0
    /// Connections of this worker that count against `pool.max`: connecting, parked or serving calls.
    var connections = 0
    /// Connections being opened to keep `pool.min`, for nobody yet.
    var warming = 0
}

/// One worker's view of an upstream: the queue of exchanges that wait for a connection, first come first served.
struct UpstreamGroup {
    var firstWaiting = UInt32.max
    var lastWaiting = UInt32.max
    var waiting = 0
    var placement: Placement

    init(_ plan: UpstreamPlan) {
        placement = Placement(plan)
    }
}

/// What came of opening a connection.
enum Dialled {
    case connection(Handle)
    /// The bound is reached: somebody else's connection must end first.
    case noRoom
    /// errno.
    case failed(CInt)
}

extension Worker where Outside: ~Copyable {
    /// Puts an idle connection at the warm end of its endpoint's list.
    mutating func park(_ u: Handle) {
        let endpoint = Int(upstreams[u].endpoint)
        upstreams[u].phase = .parked
        upstreams[u].exchange = .none
        upstreams[u].previous = .max
        upstreams[u].next = pools[endpoint].firstParked
        if let first = upstreams.handle(inSlot: Int(pools[endpoint].firstParked)) {
            upstreams[first].previous = u.slot
        } else {
            pools[endpoint].lastParked = u.slot
        }
        pools[endpoint].firstParked = u.slot
        pools[endpoint].parked += 1
        count(.parked, endpoint: Int(upstreams[u].endpoint))
        let plan = snapshot.upstreams[snapshot.endpoints[endpoint].upstream].pool
        setDeadline(upstream: u, now + plan.idleTimeout)
    }

    /// Takes a connection out of its endpoint's list, wherever it stands.
    mutating func unpark(_ u: Handle) {
        let endpoint = Int(upstreams[u].endpoint)
        let (before, after) = (upstreams[u].previous, upstreams[u].next)
        if let neighbour = upstreams.handle(inSlot: Int(before)) {
            upstreams[neighbour].next = after
        } else {
            pools[endpoint].firstParked = after
        }
        if let neighbour = upstreams.handle(inSlot: Int(after)) {
            upstreams[neighbour].previous = before
        } else {
            pools[endpoint].lastParked = before
        }
        upstreams[u].previous = .max
        upstreams[u].next = .max
        pools[endpoint].parked -= 1
        count(.parked, endpoint: Int(upstreams[u].endpoint), -1)
    }

    /// The warmest parked connection, out of the list; nil if there is none.
    mutating func takeParked(_ endpoint: Int) -> Handle? {
        guard let u = upstreams.handle(inSlot: Int(pools[endpoint].firstParked)) else { return nil }
        unpark(u)
        return u
    }

    /// Opens a connection if the bound over all workers allows.
    mutating func dial(_ endpoint: Int) -> Dialled {
        let plan = snapshot.upstreams[snapshot.endpoints[endpoint].upstream].pool
        guard !upstreams.isFull, board.claim(.connections, endpoint: endpoint, limit: plan.maximum) else {
            return .noRoom
        }
        switch world.dial(snapshot.endpoints[endpoint].address) {
        case .failed(let code):
            board.add(.connections, endpoint: endpoint, -1)
            connectFailed(endpoint, code: code)
            return .failed(code)
        case .started(let descriptor):
            let connection = UpstreamConnection(descriptor: descriptor, endpoint: endpoint, openedAt: now)
            guard let u = upstreams.insert(connection) else { return .noRoom }
            pools[endpoint].connections += 1
            guard world.watch(descriptor, token: Token(.upstream, u).raw) else {
                dropUpstream(u)
                return .failed(outOfMemoryCode)
            }
            count(.connectionsOpened, endpoint: endpoint)
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
            wire.clear()
            engine.finish(&session, wire: &wire)
            if !wire.isEmpty, connection.output.isEmpty { _ = world.send(connection.descriptor, wire) }
            wire.clear()
        }
        // What floods leave behind would fill the kernel's tables, and its search for a free port takes longer and longer.
        world.close(connection.descriptor, reset: isToiling)
        connection.input.clear()
        connection.output.clear()
        spare.collect(&connection.input)
        spare.collect(&connection.output)
        let endpoint = Int(connection.endpoint)
        guard connection.phase != .probing else { return }
        if connection.isStreaming {
            board.add(.streams, endpoint: endpoint, -1)
            count(.streaming, endpoint: Int(connection.endpoint), -1)
        } else {
            pools[endpoint].connections -= 1
            board.add(.connections, endpoint: endpoint, -1)
        }
        roomMade(endpoint)
    }

    /// An exchange is over and its connection could carry another: park it, hand it on, or retire it.
    mutating func releaseUpstream(_ u: Handle) {
        let endpoint = Int(upstreams[u].endpoint)
        let plan = snapshot.upstreams[snapshot.endpoints[endpoint].upstream].pool
        upstreams[u].exchange = .none
        upstreams[u].isReused = true
        if upstreams[u].tls != nil, upstreams[u].uses == 1 { keepTicket(u) }
        if upstreams[u].isStreaming {
            guard board.claim(.connections, endpoint: endpoint, limit: plan.maximum) else {
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
        let upstream = snapshot.endpoints[endpoint].upstream
        let isWantedElsewhere =
            board.load(.waiting, endpoint: snapshot.upstreams[upstream].endpoints.lowerBound)
            > Int64(groups[upstream].waiting)
        if isWantedElsewhere {
            dropUpstream(u)
            return
        }
        spare.collect(&upstreams[u].input)
        spare.collect(&upstreams[u].output)
        park(u)
        roomMade(endpoint)
    }

    /// The connection carries an event stream from now on: it leaves the calls' bound for the streams'. False if that
    /// bound is reached.
    mutating func beginStreaming(_ u: Handle) -> Bool {
        let endpoint = Int(upstreams[u].endpoint)
        let plan = snapshot.upstreams[snapshot.endpoints[endpoint].upstream].pool
        guard board.claim(.streams, endpoint: endpoint, limit: plan.maximumStreams) else { return false }
        upstreams[u].isStreaming = true
        pools[endpoint].connections -= 1
        board.add(.connections, endpoint: endpoint, -1)
        count(.streaming, endpoint: Int(upstreams[u].endpoint))
        roomMade(endpoint)
        return true
    }

    private mutating func endStreaming(_ u: Handle) {
        let endpoint = Int(upstreams[u].endpoint)
        upstreams[u].isStreaming = false
        pools[endpoint].connections += 1
        board.add(.streams, endpoint: endpoint, -1)
        count(.streaming, endpoint: Int(upstreams[u].endpoint), -1)
    }
}
