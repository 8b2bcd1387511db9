import Kernel
import MCP
import Reactor
import Telemetry

/// Exchanges that wait for a connection: bounded over all workers, timed, first come first served.
extension Worker where Outside: ~Copyable {
    /// Puts an exchange at the end of its upstream's queue, or fails it if the queue is full.
    mutating func enqueue(_ e: Handle, for server: Int) {
        let upstream = Int(exchanges[e].upstreamIndex)
        let plan = snapshot.upstreams[upstream]
        // All endpoints of an upstream share one bound, counted at the first of them.
        guard metrics.claim(.waiting, server: plan.servers.lowerBound, limit: plan.queueLimit) else {
            fail(e, .queueFull)
            return
        }
        exchanges[e].phase = .waiting
        exchanges[e].server = Int16(truncatingIfNeeded: server)
        metrics.count(.waiting, server: Int(exchanges[e].server))
        // Who was called up and found the place taken meanwhile has its old turn and its old patience.
        let isBack = exchanges[e].waitsUntil < .never
        if !isBack { exchanges[e].waitsUntil = clock.now + plan.queueTimeout }
        link(e, in: upstream, first: isBack)
        exchanges[e].isQueued = true
        exchanges.setDeadline(e, exchanges[e].waitsUntil, &clock)
        requestIdleEviction(server)
    }

    /// `pool.max` counts over all workers, and a connection that idles with one of them is of no use to the others: asks
    /// one that has such to close it.
    private func requestIdleEviction(_ server: Int) {
        for position in inbox.peers.indices {
            let worker = position < metrics.worker ? position : position + 1
            guard metrics.read(.parked, worker: worker, server: server) > 0 else { continue }
            inbox.peers[position].post(.idleEvictionRequested(server: server))
            return
        }
    }

    /// Another worker has exchanges that wait for an endpoint to which a connection idles here.
    mutating func evictIdle(_ server: Int) {
        guard servers.pools.indices.contains(server), servers.pools[server].parked > 0,
            let u = upstreams.handle(inSlot: Int(servers.pools[server].lastParked))
        else { return }
        dropUpstream(u)
    }

    private mutating func link(_ e: Handle, in upstream: Int, first: Bool) {
        exchanges[e].previous = first ? .max : servers.upstreams[upstream].lastWaiting
        exchanges[e].next = first ? servers.upstreams[upstream].firstWaiting : .max
        if let after = exchanges.handle(inSlot: Int(exchanges[e].next)) {
            exchanges[after].previous = e.slot
        } else {
            servers.upstreams[upstream].lastWaiting = e.slot
        }
        if let before = exchanges.handle(inSlot: Int(exchanges[e].previous)) {
            exchanges[before].next = e.slot
        } else {
            servers.upstreams[upstream].firstWaiting = e.slot
        }
        servers.upstreams[upstream].waiting += 1
    }

    /// Takes an exchange out of the queue, wherever it stands.
    mutating func dequeue(_ e: Handle) {
        guard exchanges[e].isQueued else { return }
        let upstream = Int(exchanges[e].upstreamIndex)
        let (before, after) = (exchanges[e].previous, exchanges[e].next)
        if let peer = exchanges.handle(inSlot: Int(before)) {
            exchanges[peer].next = after
        } else {
            servers.upstreams[upstream].firstWaiting = after
        }
        if let peer = exchanges.handle(inSlot: Int(after)) {
            exchanges[peer].previous = before
        } else {
            servers.upstreams[upstream].lastWaiting = before
        }
        exchanges[e].isQueued = false
        exchanges[e].previous = .max
        exchanges[e].next = .max
        servers.upstreams[upstream].waiting -= 1
        metrics.add(.waiting, server: snapshot.upstreams[upstream].servers.lowerBound, -1)
        metrics.count(.waiting, server: Int(exchanges[e].server), -1)
    }

    /// A connection to `server` was parked or closed: somebody in the queue may have its place. Served after the
    /// present event, because the scratch is in use now.
    mutating func capacityFreed(_ server: Int) {
        let upstream = snapshot.servers[server].upstream
        if servers.upstreams[upstream].waiting > 0 {
            servers.hasFreedCapacity = true
            return
        }
        guard metrics.load(.waiting, server: snapshot.upstreams[upstream].servers.lowerBound) > 0 else { return }
        for peer in inbox.peers { peer.post(.capacityFreedElsewhere) }
    }

    /// Gives waiting exchanges the connections there are now. Each is tried once a turn.
    mutating func serveQueues() {
        guard servers.hasFreedCapacity else { return }
        servers.hasFreedCapacity = false
        for upstream in servers.upstreams.indices where servers.upstreams[upstream].waiting > 0 {
            var next = servers.upstreams[upstream].firstWaiting
            for _ in 0..<servers.upstreams[upstream].waiting {
                guard let e = exchanges.handle(inSlot: Int(next)) else { break }
                next = exchanges[e].next
                let wanted = exchanges[e].isPinned ? Int(exchanges[e].server) : -1
                guard hasCapacity(upstream, pinned: wanted) else {
                    requestIdleEviction(Int(exchanges[e].server))
                    if wanted < 0 { break }
                    continue
                }
                dequeue(e)
                if reloadRequest(e) { selectServer(e) } else { abortInconsistent(e) }
                // It found no room after all: nobody behind it will.
                if wanted < 0, exchanges.contains(e), exchanges[e].isQueued { break }
            }
        }
        io.received.clear()
    }

    private func acceptsNewWork(_ server: Int) -> Bool {
        !snapshot.servers[server].isDraining && isHealthy(server)
    }

    private func hasCapacity(_ upstream: Int, pinned: Int) -> Bool {
        let plan = snapshot.upstreams[upstream]
        let range = pinned >= 0 ? pinned..<(pinned + 1) : plan.servers
        // With none left to wait for, being placed is being told so.
        guard pinned >= 0 || plan.servers.contains(where: { acceptsNewWork($0) }) else { return true }
        for server in range where pinned >= 0 || acceptsNewWork(server) {
            if servers.pools[server].parked > 0 { return true }
            if metrics.load(.connections, server: server) < plan.pool.maximum { return true }
        }
        return false
    }
}
