import HTTP
import Kernel
import Reactor

/// Stopping without breaking anything that can be finished.
extension Worker where Outside: ~Copyable {
    /// Stops accepting, closes what idles, and goes on with what is under way.
    mutating func drain() {
        guard !lifecycle.isDraining else { return }
        lifecycle.isDraining = true
        lifecycle.drainBeganAt = clock.now
        closeListeners()
        for slot in 0..<clients.slots {
            if let client = clients.handle(inSlot: slot) { drain(client) }
        }
        for slot in 0..<upstreams.slots {
            if let connection = upstreams.handle(inSlot: slot), upstreams[connection].phase == .parked {
                closeUpstream(connection)
            }
        }
        clock.scheduleHousekeeping(at: clock.now)
    }

    private mutating func drain(_ client: Handle) {
        if clients[client].phase == .http2, let connection = clients.http2Connection(of: client) {
            clients.sendGoAway(connection, &clock)
        }
        guard clients[client].phase == .reading, !clients.isStream(client) else { return }
        // A request may be on its way in: what has begun to arrive is served, and the connection closed after it.
        if clients[client].hasServed, clients[client].transport.input.isEmpty, clients[client].transport.output.isEmpty,
            !clients[client].transport.mayRead
        {
            clients.close(client, reset: false, &io, metrics)
        }
    }

    /// Event streams have no end of their own: they are ended, properly, when the calls are done. Clients come back at
    /// once, to whoever listens then.
    mutating func endStreams() {
        for slot in 0..<exchanges.slots {
            guard let exchange = exchanges.handle(inSlot: slot), exchanges[exchange].isEventStream else { continue }
            act(on: exchange, .streamStopped)
        }
    }

    /// During a drain, every housekeeping: are only event streams left, or nothing at all?
    mutating func checkDrained() {
        var calls = 0
        for slot in 0..<exchanges.slots {
            guard let exchange = exchanges.handle(inSlot: slot) else { continue }
            let hasNoEnd = exchanges[exchange].isEventStream && exchanges[exchange].method == .get
            if !hasNoEnd { calls += 1 }
        }
        if calls == 0 { endStreams() }
        var busy = 0
        for slot in 0..<clients.slots {
            if let client = clients.handle(inSlot: slot), isBusy(client) { busy += 1 }
        }
        if busy == 0, !hasClosingListeners { lifecycle.isDone = true }
    }

    private mutating func isBusy(_ client: Handle) -> Bool {
        switch clients[client].phase {
        case .exchanging: return true
        case .http2: if !clients.hasSentFinalGoAway(client, &clock) { return true }
        // A response is complete, and the client has not taken all of it.
        case .lingering: if clients.isStream(client) { return true }
        // Its first request is on its way: the kernel had accepted it, or we had.
        case .reading, .handshaking, .awaitingProxyHeader:
            if !clients[client].hasServed, clock.now - lifecycle.drainBeganAt < Self.firstRequestTime { return true }
        }
        return !clients[client].transport.output.isEmpty || !clients[client].transport.input.isEmpty
    }

    /// How long a connection that has not asked anything keeps a drain from its end.
    private static var firstRequestTime: Interval { .seconds(1) }
}
