import Kernel
import MCP
import Reactor
import Telemetry

/// Exchanges that wait for a connection: bounded over all workers, timed, first come first served.
extension Worker where Outside: ~Copyable {
    /// Puts an exchange at the end of its upstream's queue, or fails it if the queue is full.
    mutating func enqueue(_ e: Handle, for endpoint: Int) {
        let upstream = Int(exchanges[e].upstreamIndex)
        let plan = snapshot.upstreams[upstream]
        // All endpoints of an upstream share one bound, counted at the first of them.
        guard board.claim(.waiting, endpoint: plan.endpoints.lowerBound, limit: plan.queueLimit) else {
            fail(e, .queueFull)
            return
        }
        exchanges[e].phase = .waiting
        exchanges[e].endpoint = Int16(truncatingIfNeeded: endpoint)
        count(.waiting, endpoint: Int(exchanges[e].endpoint))
        // Who was called up and found the place taken meanwhile has its old turn and its old patience.
        let isBack = exchanges[e].waitsUntil < .never
        if !isBack { exchanges[e].waitsUntil = now + plan.queueTimeout }
        link(e, in: upstream, first: isBack)
        exchanges[e].isQueued = true
        setDeadline(exchange: e, exchanges[e].waitsUntil)
        askForRoom(endpoint)
    }

    /// `pool.max` counts over all workers, and a connection that idles with one of them is of no use to the others: asks
    /// one that has such to close it.
    private func askForRoom(_ endpoint: Int) {
        for position in neighbours.indices {
            let worker = position < index ? position : position + 1
            guard board.read(.parked, worker: worker, endpoint: endpoint) > 0 else { continue }
            neighbours[position].post(.roomWanted(endpoint: endpoint))
            return
        }
    }

    /// Another worker has exchanges that wait for an endpoint to which a connection idles here.
    mutating func giveRoom(_ endpoint: Int) {
        guard pools.indices.contains(endpoint), pools[endpoint].parked > 0,
            let u = upstreams.handle(inSlot: Int(pools[endpoint].lastParked))
        else { return }
        dropUpstream(u)
    }

    private mutating func link(_ e: Handle, in upstream: Int, first: Bool) {
        exchanges[e].previous = first ? .max : groups[upstream].lastWaiting
        exchanges[e].next = first ? groups[upstream].firstWaiting : .max
        if let after = exchanges.handle(inSlot: Int(exchanges[e].next)) {
            exchanges[after].previous = e.slot
        } else {
            groups[upstream].lastWaiting = e.slot
        }
        if let before = exchanges.handle(inSlot: Int(exchanges[e].previous)) {
            exchanges[before].next = e.slot
        } else {
            groups[upstream].firstWaiting = e.slot
        }
        groups[upstream].waiting += 1
    }

    /// Takes an exchange out of the queue, wherever it stands.
    mutating func dequeue(_ e: Handle) {
        guard exchanges[e].isQueued else { return }
        let upstream = Int(exchanges[e].upstreamIndex)
        let (before, after) = (exchanges[e].previous, exchanges[e].next)
        if let neighbour = exchanges.handle(inSlot: Int(before)) {
            exchanges[neighbour].next = after
        } else {
            groups[upstream].firstWaiting = after
        }
        if let neighbour = exchanges.handle(inSlot: Int(after)) {
            exchanges[neighbour].previous = before
        } else {
            groups[upstream].lastWaiting = before
        }
        exchanges[e].isQueued = false
        exchanges[e].previous = .max
        exchanges[e].next = .max
        groups[upstream].waiting -= 1
        board.add(.waiting, endpoint: snapshot.upstreams[upstream].endpoints.lowerBound, -1)
        count(.waiting, endpoint: Int(exchanges[e].endpoint), -1)
    }

    /// A connection to `endpoint` was parked or closed: somebody in the queue may have its place. Served after the
    /// present event, because the scratch is in use now.
    mutating func roomMade(_ endpoint: Int) {
        let upstream = snapshot.endpoints[endpoint].upstream
        if groups[upstream].waiting > 0 {
            hasRoom = true
            return
        }
        guard board.load(.waiting, endpoint: snapshot.upstreams[upstream].endpoints.lowerBound) > 0 else { return }
        for neighbour in neighbours { neighbour.post(.roomElsewhere) }
    }

    /// Gives waiting exchanges the connections there are now. Each is tried once a turn.
    mutating func serveQueues() {
        guard hasRoom else { return }
        hasRoom = false
        for upstream in groups.indices where groups[upstream].waiting > 0 {
            var next = groups[upstream].firstWaiting
            for _ in 0..<groups[upstream].waiting {
                guard let e = exchanges.handle(inSlot: Int(next)) else { break }
                next = exchanges[e].next
                let wanted = exchanges[e].isPinned ? Int(exchanges[e].endpoint) : -1
                guard hasRoomFor(upstream, pinned: wanted) else {
                    askForRoom(Int(exchanges[e].endpoint))
                    if wanted < 0 { break }
                    continue
                }
                dequeue(e)
                if recall(e) { place(e) } else { abandonLost(e) }
                // It found no room after all: nobody behind it will.
                if wanted < 0, exchanges.contains(e), exchanges[e].isQueued { break }
            }
        }
        received.clear()
    }

    private func takesNewcomers(_ endpoint: Int) -> Bool {
        !snapshot.endpoints[endpoint].isDraining && isHealthy(endpoint)
    }

    private func hasRoomFor(_ upstream: Int, pinned: Int) -> Bool {
        let plan = snapshot.upstreams[upstream]
        let range = pinned >= 0 ? pinned..<(pinned + 1) : plan.endpoints
        // With none left to wait for, being placed is being told so.
        guard pinned >= 0 || plan.endpoints.contains(where: { takesNewcomers($0) }) else { return true }
        for endpoint in range where pinned >= 0 || takesNewcomers(endpoint) {
            if pools[endpoint].parked > 0 { return true }
            if board.load(.connections, endpoint: endpoint) < plan.pool.maximum { return true }
        }
        return false
    }
}
