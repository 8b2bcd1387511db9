import Balancing
import Kernel
import Reactor
import Telemetry

/// Places below `pool.max` that go from one worker to another. The bound counts over all workers, and an agent whose calls
/// all come to one of them must not keep the others' clients from a server: where exchanges wait elsewhere for it, a place
/// that becomes free is given to a worker that has fewer connections. It goes by message and never back into the counter,
/// where whoever comes first would take it.
extension Worker where Outside: ~Copyable {
    /// Who gets a place that is about to become free here.
    enum FreedPlace: Equatable {
        /// This worker, if it wants it.
        case own
        /// The worker behind this mailbox waits for it and has fewer.
        case peer(Int)
        /// Somebody elsewhere waits for a server of the upstream, and nobody here.
        case anyPeer
    }

    /// The row of a peer in the metrics.
    func workerIndex(ofPeer position: Int) -> Int { position < metrics.worker ? position : position + 1 }

    /// Decides who gets the place of a connection to `server` that has no exchange any more. With exchanges waiting here as
    /// well, one is given in a millisecond: the other's connections are counted only when it has them.
    ///
    /// - Parameter closed: Connections that the pool does not count any more and whose place this is: 0 or 1.
    @inline(__always)
    func freedPlace(_ server: Int, _ upstream: Int, closed: Int) -> FreedPlace {
        let waiting = Int64(servers.upstreams[upstream].waiting)
        guard metrics.writer.waiting(upstream: upstream) > waiting, !inbox.peers.isEmpty else { return .own }
        return wantedPlace(server, upstream, closed: closed, waiting: waiting)
    }

    /// Who needs a place for which exchanges of other workers wait, and perhaps of this one.
    private func wantedPlace(_ server: Int, _ upstream: Int, closed: Int, waiting: Int64) -> FreedPlace {
        var least: (position: Int, connections: Int64)?
        for position in inbox.peers.indices {
            let worker = workerIndex(ofPeer: position)
            guard metrics.read(.waiting, worker: worker, server: server) > 0 else { continue }
            let connections =
                metrics.read(.active, worker: worker, server: server)
                + metrics.read(.parked, worker: worker, server: server)
            if least.map({ connections < $0.connections }) ?? true { least = (position, connections) }
        }
        let isWantedHere = waiting > 0 && othersWait(for: server, of: upstream)
        guard let least else { return isWantedHere ? .own : .anyPeer }
        let own = servers[server].pool.connectionCount + closed
        if isWantedHere, Int64(own) <= least.connections || clock.now - servers[server].gaveClaimAt < Self.givingPause {
            return .own
        }
        return .peer(least.position)
    }

    private static var givingPause: Interval { .milliseconds(1) }

    /// A claim on the bound for calls has ended here: gives the place to whoever it is for.
    mutating func releasePlace(_ server: Int) {
        let upstream = servers.upstream(of: server)
        if case .peer(let position) = freedPlace(server, upstream, closed: 1),
            inbox.peers[position].post(.claimTransferred(server: server))
        {
            servers[server].gaveClaimAt = clock.now
            return
        }
        metrics.add(.connections, server: server, -1)
    }

    /// A server that may have so many calls in progress has one less. Where exchanges wait here and elsewhere, every other
    /// place is left to the others, who come later.
    mutating func callFreed(_ server: Int) {
        let upstream = servers.upstream(of: server)
        if metrics.writer.waiting(upstream: upstream) > Int64(servers.upstreams[upstream].waiting) {
            servers.leavesCall.toggle()
            // With none in progress nothing else would remind this worker of its own.
            if servers.leavesCall, metrics.load(.calls, server: server) > 0 {
                for peer in inbox.peers { peer.post(.capacityFreedElsewhere) }
                return
            }
        }
        capacityFreed(server)
    }

    /// Another worker gave its place at a server to this one.
    mutating func receiveClaim(_ server: Int) {
        guard servers.slots.contains(server) else {
            metrics.add(.connections, server: server, -1)
            return
        }
        servers[server].spareClaims += 1
        servers.receivedClaims.append(server)
        servers.hasFreedCapacity = true
    }

    /// Gives up the places for which nobody waits here any more, and says so to everybody.
    mutating func returnSpareClaims() {
        guard !servers.receivedClaims.isEmpty else { return }
        var hasReturned = false
        for server in servers.receivedClaims where servers[server].spareClaims > 0 {
            metrics.add(.connections, server: server, -servers[server].spareClaims)
            servers[server].spareClaims = 0
            hasReturned = true
        }
        servers.receivedClaims.removeAll(keepingCapacity: true)
        if hasReturned { for peer in inbox.peers { peer.post(.capacityFreedElsewhere) } }
    }
}
