import Balancing
import Kernel
import MCP
import Reactor
import Telemetry

/// Exchanges that wait for a connection: bounded over all workers, timed, and served in turn, agent by agent.
extension Worker where Outside: ~Copyable {
    /// Puts an exchange into its upstream's queue; rejects it if the queue is full, or its agent has enough places in it.
    mutating func enqueue(_ exchange: Handle, for server: Int) -> PhaseResult {
        let upstream = Int(exchanges[exchange].upstream)
        let limit = servers.upstreams[upstream].plan.queueLimit
        // One that was called up and found the connection taken keeps its place and its deadline.
        let isBack = exchanges[exchange].waitsUntil < .never
        let key = fairKey(exchange)
        let need = need(of: exchange, server)
        guard isBack || (mayWait(key, need, upstream) && mayPend(need, upstream)),
            metrics.writer.claimQueuePlace(upstream: upstream, limit: limit) == .granted
        else { return .respond(.queueFull) }
        exchanges[exchange].server = Int32(truncatingIfNeeded: server)
        act(on: exchange, .queued)
        exchanges[exchange].times.noteQueued(at: clock.now)
        metrics.count(.waiting, server: server)
        if !isBack {
            exchanges[exchange].waitsUntil = clock.now + servers.upstreams[upstream].plan.queueTimeout
        }
        servers.upstreams[upstream].queue.insert(
            exchange.slot, key: key.rawValue, need, at: isBack ? .first : .last)
        servers.upstreams[upstream].waiting += 1
        exchanges.setDeadline(exchange, exchanges[exchange].waitsUntil, &clock)
        if condition(of: server).isFull {
            requestIdleEviction(server)
        } else if !isBack {
            // It stands behind others that may have the connection before it.
            servers.hasFreedCapacity = true
        }
        return .wait
    }

    /// What an exchange waits for that was to go to `server`. Where only some servers speak its revision, it waits for the one
    /// that was selected: another that is free may be one that does not. A key's requests wait for the key's server.
    private func need(of exchange: Handle, _ server: Int) -> FairQueue.Need {
        FairQueue.Need(
            server: exchanges[exchange].isPinned || needsModernServer(exchange) || affinityKey(exchange) != nil
                ? server : nil,
            isUpload: !exchanges[exchange].isWhole)
    }

    /// Whether one more of a key's exchanges may wait: three times as many of them as places are left for others. Alone, a
    /// key may have three quarters of the queue.
    private func mayWait(_ key: FairKey, _ need: FairQueue.Need, _ upstream: Int) -> Bool {
        let free = servers.upstreams[upstream].plan.queueLimit - metrics.writer.waiting(upstream: upstream)
        return servers.upstreams[upstream].queue.count(of: key.rawValue, need) < max(1, 3 * max(0, free))
    }

    /// Whether one more exchange may wait that can go to one server only.
    private func mayPend(_ need: FairQueue.Need, _ upstream: Int) -> Bool {
        let maximum = servers.upstreams[upstream].plan.maximumPending
        guard maximum < .max, let server = need.server else { return true }
        let pending = (0..<metrics.workers).reduce(0) { $0 + metrics.read(.waiting, worker: $1, server: server) }
        return pending < maximum
    }

    /// `pool.max` counts over all workers, and a connection that idles with one of them is of no use to the others: asks
    /// one that has such to close it.
    private func requestIdleEviction(_ server: Int) {
        for position in inbox.peers.indices {
            guard metrics.read(.parked, worker: workerIndex(ofPeer: position), server: server) > 0 else { continue }
            inbox.peers[position].post(.idleEvictionRequested(server: server))
            return
        }
    }

    /// Takes an exchange out of the queue, wherever it stands.
    mutating func dequeue(_ exchange: Handle) {
        guard exchanges[exchange].isQueued else { return }
        let upstream = Int(exchanges[exchange].upstream)
        servers.upstreams[upstream].queue.remove(exchange.slot)
        servers.upstreams[upstream].waiting -= 1
        metrics.writer.releaseQueuePlace(upstream: upstream)
        metrics.count(.waiting, server: Int(exchanges[exchange].server), -1)
    }

    /// Whether others wait for this server that come before a newcomer.
    func othersWait(for server: Int, of upstream: Int) -> Bool {
        guard servers.upstreams[upstream].waiting > 0 else { return false }
        let offer = offer(of: server)
        let limit = shareLimit(of: server)
        return servers.upstreams[upstream].queue.next(for: server, offer) { mayHave($0, of: server, limit) } != nil
    }

    /// A connection to `server` was parked or closed: an exchange in the queue may have its place. Served after the
    /// present event, because the scratch is in use now.
    mutating func capacityFreed(_ server: Int) {
        let upstream = servers.upstream(of: server)
        if servers.upstreams[upstream].waiting > 0 {
            servers.hasFreedCapacity = true
            return
        }
        guard metrics.writer.waiting(upstream: upstream) > 0 else { return }
        for peer in inbox.peers { peer.post(.capacityFreedElsewhere) }
    }
}

// MARK: - Serving

extension Worker where Outside: ~Copyable {
    /// Gives waiting exchanges the connections that there are now. Each is tried once a turn.
    mutating func serveQueues() {
        guard servers.hasFreedCapacity else { return }
        servers.hasFreedCapacity = false
        for upstream in servers.upstreams.indices where servers.upstreams[upstream].waiting > 0 {
            serveQueue(upstream)
        }
        returnSpareClaims()
        io.received.clear()
    }

    private mutating func serveQueue(_ upstream: Int) {
        servers.refreshEligibility(upstream, metrics)
        var tries = servers.upstreams[upstream].queue.count
        if servers.upstreams[upstream].selection.eligibleCount == 0 {
            // With no server left to wait for, being called up is being told so.
            tries = servers.upstreams[upstream].queue.anyServerCount
            while tries > 0, let slot = servers.upstreams[upstream].queue.popAnyServer() {
                tries -= 1
                _ = callUp(slot, upstream)
            }
            tries = servers.upstreams[upstream].queue.count
        }
        // From the last to the first: one whose waiters have all gone makes way for the last.
        for index in (0..<servers.upstreams[upstream].queue.busyServers.count).reversed()
        where index < servers.upstreams[upstream].queue.busyServers.count {
            serve(servers.upstreams[upstream].queue.busyServers[index], upstream, &tries)
        }
        guard servers.upstreams[upstream].queue.anyServerCount > 0 else { return }
        for position in servers.upstreams[upstream].members.indices {
            guard servers.upstreams[upstream].queue.anyServerCount > 0 else { return }
            serve(servers.upstreams[upstream].members[position], upstream, &tries)
        }
    }

    /// Serves whoever a server may take, as long as it has capacity.
    private mutating func serve(_ server: Int, _ upstream: Int, _ tries: inout Int) {
        while tries > 0 {
            guard !condition(of: server).isFull else {
                requestIdleEviction(server)
                return
            }
            let offer = offer(of: server)
            let limit = shareLimit(of: server)
            let next = servers.upstreams[upstream].queue.next(for: server, offer) { mayHave($0, of: server, limit) }
            guard let next else { return }
            tries -= 1
            // It found no capacity after all, and is in front again: no other will find any.
            guard callUp(servers.upstreams[upstream].queue.pop(next), upstream) == .served else { return }
        }
    }

    private enum CallUp { case served, waitsOn }

    private mutating func callUp(_ slot: UInt32, _ upstream: Int) -> CallUp {
        guard let exchange = exchanges.handle(inSlot: Int(slot)), exchanges[exchange].isQueued else { return .served }
        dequeue(exchange)
        act(on: exchange, .calledUp)
        advance(exchange, from: .select, reloading: true)
        if exchanges.contains(exchange), exchanges[exchange].isQueued { return .waitsOn }
        servers.upstreams[upstream].serviceRate.noteServed(at: clock.now.nanoseconds)
        return .served
    }

    /// Whom a server takes of those that wait: uploads up to their bound, and those that may go anywhere if it may get new
    /// work.
    private func offer(of server: Int) -> FairQueue.Offer {
        FairQueue.Offer(takesAny: condition(of: server).isEligible, takesUploads: mayUpload(to: server))
    }

    /// What an overloaded upstream tells those that it rejects: in how many seconds its queue will have been served.
    mutating func retryAfterSeconds(_ upstream: Int) -> UInt32 {
        guard servers.upstreams.indices.contains(upstream) else { return 1 }
        let waiting = metrics.writer.waiting(upstream: upstream)
        let workers = Int64(max(1, metrics.trafficWorkers))
        let share = (waiting + workers - 1) / workers
        if let seconds = servers.upstreams[upstream].serviceRate.secondsToServe(share, at: clock.now.nanoseconds) {
            return UInt32(seconds)
        }
        // Nobody was served of late: who waits now will have gone after the longest wait.
        let longest = servers.upstreams[upstream].plan.queueTimeout.nanoseconds / 1_000_000_000
        return UInt32(min(30, max(1, longest)))
    }
}
