import Balancing
import Kernel
import MCP
import Reactor
import Telemetry

/// Exchanges that wait for a connection: bounded over all workers, timed, first come first served.
extension Worker where Outside: ~Copyable {
    /// Puts an exchange at the end of its upstream's queue; rejects it if the queue is full.
    mutating func enqueue(_ exchange: Handle, for server: Int) -> PhaseResult {
        let upstream = Int(exchanges[exchange].upstream)
        let limit = servers.upstreams[upstream].plan.queueLimit
        guard metrics.writer.claimQueuePlace(upstream: upstream, limit: limit) == .granted else {
            return .respond(.queueFull)
        }
        exchanges[exchange].server = Int32(truncatingIfNeeded: server)
        act(on: exchange, .queued)
        exchanges[exchange].times.noteQueued(at: clock.now)
        metrics.count(.waiting, server: server)
        // One that was called up and found the connection taken keeps its place and its deadline.
        let isBack = exchanges[exchange].waitsUntil < .never
        if !isBack {
            exchanges[exchange].waitsUntil = clock.now + servers.upstreams[upstream].plan.queueTimeout
        }
        servers.upstreams[upstream].queue.insert(
            exchange, isRestricted: exchanges[exchange].isRestricted, first: isBack)
        exchanges.setDeadline(exchange, exchanges[exchange].waitsUntil, &clock)
        requestIdleEviction(server)
        return .wait
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

    /// Takes an exchange out of the queue, wherever it stands.
    mutating func dequeue(_ exchange: Handle) {
        guard exchanges[exchange].isQueued else { return }
        let upstream = Int(exchanges[exchange].upstream)
        servers.upstreams[upstream].queue.remove(exchange, isRestricted: exchanges[exchange].isRestricted)
        metrics.writer.releaseQueuePlace(upstream: upstream)
        metrics.count(.waiting, server: Int(exchanges[exchange].server), -1)
    }

    /// A connection to `server` was parked or closed: an exchange in the queue may have its place. Served after the
    /// present event, because the scratch is in use now.
    mutating func capacityFreed(_ server: Int) {
        let upstream = servers.upstream(of: server)
        if servers.upstreams[upstream].queue.count > 0 {
            servers.hasFreedCapacity = true
            return
        }
        guard metrics.writer.waiting(upstream: upstream) > 0 else { return }
        for peer in inbox.peers { peer.post(.capacityFreedElsewhere) }
    }

    /// Gives waiting exchanges the connections that there are now. Each is tried once a turn.
    mutating func serveQueues() {
        guard servers.hasFreedCapacity else { return }
        servers.hasFreedCapacity = false
        for upstream in servers.upstreams.indices where servers.upstreams[upstream].queue.count > 0 {
            serveQueue(upstream)
        }
        io.received.clear()
    }

    private mutating func serveQueue(_ upstream: Int) {
        var position = 0
        for _ in 0..<servers.upstreams[upstream].queue.count {
            guard position < servers.upstreams[upstream].queue.count else { return }
            let exchange = servers.upstreams[upstream].queue.exchanges[position]
            let isRestricted = exchanges[exchange].isRestricted || needsModernServer(exchange)
            guard hasCapacity(for: exchange) else {
                requestIdleEviction(Int(exchanges[exchange].server))
                guard isRestricted else { return }
                position += 1
                continue
            }
            callUp(exchange)
            // It found no capacity after all, and is in front again: no other that is not restricted will find any.
            if exchanges.contains(exchange), exchanges[exchange].isQueued {
                guard isRestricted else { return }
                position += 1
            }
        }
    }

    private mutating func callUp(_ exchange: Handle) {
        dequeue(exchange)
        act(on: exchange, .calledUp)
        advance(exchange, from: .select, reloading: true)
    }

    /// Whether an exchange that waits may get a connection now. With no server left to wait for, being called up is being
    /// told so.
    private mutating func hasCapacity(for exchange: Handle) -> Bool {
        let upstream = Int(exchanges[exchange].upstream)
        let isUpload = !exchanges[exchange].isWhole
        if exchanges[exchange].isPinned {
            let server = Int(exchanges[exchange].server)
            return !condition(of: server).isFull && (!isUpload || mayUpload(to: server))
        }
        servers.refreshEligibility(upstream, metrics)
        guard servers.upstreams[upstream].selection.eligibleCount > 0 else { return true }
        let needsModern = needsModernServer(exchange)
        return servers.upstreams[upstream].members.contains { server in
            let isEligible = servers.upstreams[upstream].selection.isEligible(servers[server].position)
            if needsModern, !metrics.revisions(server: server).mayBeModern { return false }
            return isEligible && !condition(of: server).isFull && (!isUpload || mayUpload(to: server))
        }
    }
}
