import HTTP
import Kernel
import Reactor

/// Leaving without breaking anything that can be finished.
extension Worker where Outside: ~Copyable {
    mutating func processMailbox() {
        guard let mailbox = inbox.mailbox else { return }
        for message in mailbox.collect() {
            switch message {
            case .capacityFreedElsewhere: servers.hasFreedCapacity = true
            case .idleEvictionRequested(let server): evictIdle(server)
            case .drain: drain()
            case .endStreams: endStreams()
            case .stop: lifecycle.isDone = true
            case .certificates(let plan, let context): serveCertificates(of: context, plan: plan)
            case .upstreamCertificates(let upstream, let context): showCertificates(of: context, upstream: upstream)
            }
        }
    }

    /// Stops accepting, closes what idles, and goes on with what is under way.
    mutating func drain() {
        guard !lifecycle.isDraining else { return }
        lifecycle.isDraining = true
        stopListening()
        for slot in 0..<clients.slots {
            guard let c = clients.handle(inSlot: slot) else { continue }
            if clients[c].phase == .http2,
                let m = clients.http2Connections.handle(inSlot: Int(clients[c].http2Connection))
            {
                sendGoAway(m)
            }
            guard clients[c].phase == .reading, clients[c].stream == 0 else { continue }
            // A request may be on its way in: what has begun to arrive is served, and the connection closed after it.
            if clients[c].input.isEmpty, clients[c].output.isEmpty, !clients[c].mayRead {
                closeClient(c, reset: false)
            }
        }
        for slot in 0..<upstreams.slots {
            if let u = upstreams.handle(inSlot: slot), upstreams[u].phase == .parked { dropUpstream(u) }
        }
        clock.scheduleHousekeeping(at: clock.now)
    }

    /// Standing streams have no end of their own: they are ended, properly, when the calls are done. Clients come back
    /// at once, to whoever listens then.
    private mutating func endStreams() {
        for slot in 0..<exchanges.slots {
            if let e = exchanges.handle(inSlot: slot), exchanges[e].isEventStream, exchanges[e].phase == .relaying {
                endStream(e)
            }
        }
    }

    /// During a drain, every round: are only standing streams left, or nothing at all?
    mutating func checkDrained() {
        var calls = 0
        for slot in 0..<exchanges.slots {
            guard let e = exchanges.handle(inSlot: slot) else { continue }
            let isStanding = exchanges[e].isEventStream && exchanges[e].method == .get
            if !isStanding { calls += 1 }
        }
        if calls == 0 { endStreams() }
        var busy = 0
        for slot in 0..<clients.slots {
            guard let c = clients.handle(inSlot: slot) else { continue }
            if clients[c].phase == .exchanging || !clients[c].output.isEmpty || !clients[c].input.isEmpty { busy += 1 }
            // A response is complete, and the client has not taken all of it.
            if clients[c].phase == .lingering, clients[c].stream != 0 { busy += 1 }
            if clients[c].phase == .http2, !hasSentFinalGoAway(c) { busy += 1 }
        }
        if busy == 0 { lifecycle.isDone = true }
    }
}
