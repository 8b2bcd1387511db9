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
        endListenStreams(all: true)
        for slot in 0..<upstreams.slots {
            if let connection = upstreams.handle(inSlot: slot), upstreams[connection].phase == .parked {
                closeUpstream(connection)
            }
        }
        clock.scheduleHousekeeping(at: clock.now)
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
        if clock.now + Self.lastCallTime >= lifecycle.drainBeganAt + snapshot.drainTimeout { endCalls() }
        var calls = 0
        for slot in 0..<exchanges.slots {
            guard let exchange = exchanges.handle(inSlot: slot) else { continue }
            if !isEndless(exchange) { calls += 1 }
        }
        if calls == 0 { endStreams() }
        var busy = 0
        for slot in 0..<clients.slots {
            if let client = clients.handle(inSlot: slot), isBusy(client) { busy += 1 }
        }
        if busy == 0, !hasClosingListeners { lifecycle.isDone = true }
    }

    /// The drain is nearly over: tells clients of calls that will not end in time. Without that, some wait for ever.
    private mutating func endCalls() {
        for slot in 0..<exchanges.slots {
            guard let exchange = exchanges.handle(inSlot: slot) else { continue }
            if exchanges[exchange].state.phase != .relaying {
                act(on: exchange, .rejected(.shuttingDown))
            } else if !isEndless(exchange) {
                act(on: exchange, .serverWentDown)
            }
        }
    }

    private mutating func isBusy(_ client: Handle) -> Bool {
        switch clients[client].phase {
        case .exchanging: return true
        case .http2: if isServing(http2: client) { return true }
        // A response is complete, and the client has not taken all of it.
        case .lingering: if clients.isStream(client) { return true }
        case .reading, .handshaking, .awaitingProxyHeader:
            if clock.now - lifecycle.drainBeganAt < idleTime(of: client) { return true }
            return closeIdle(client) == .busy
        }
        return !clients[client].transport.output.isEmpty || !clients[client].transport.input.isEmpty
    }

    /// Whether a client between two requests is gone.
    private enum IdleClient { case closed, busy }

    /// Closes a client that has had its time, unless something has begun to arrive, or to leave.
    private mutating func closeIdle(_ client: Handle) -> IdleClient {
        guard !clients.isStream(client), clients[client].transport.input.isEmpty,
            clients[client].transport.output.isEmpty
        else { return .busy }
        guard !clients[client].transport.mayRead else { return .busy }
        clients.close(client, reset: false, &io, metrics)
        return .closed
    }

    /// An HTTP/2 connection with streams goes on: some clients take any GOAWAY for the end of their calls. It is told to go
    /// when it has none, or late in the drain if it always has some.
    private mutating func isServing(http2 client: Handle) -> Bool {
        guard let connection = clients.http2Connection(of: client) else { return false }
        let isLate = clock.now - lifecycle.drainBeganAt >= lateTime
        guard isLate || clients.http2Connections[connection].streams.isEmpty else { return true }
        return !clients.hasSentFinalGoAway(client, &clock)
    }

    /// How long a connection between two requests keeps a drain from its end: closing it would cross with a request that
    /// is on its way. A request that comes is served, and its response says that the connection closes.
    private func idleTime(of client: Handle) -> Interval {
        // Where another process has taken over there is no hurry: the timeouts that clients know end it.
        if lifecycle.hasSuccessor { return lateTime }
        return clients[client].hasServed ? min(Self.idleGrace, lateTime) : Self.firstRequestTime
    }

    /// Three quarters of the drain.
    private var lateTime: Interval { Interval(nanoseconds: snapshot.drainTimeout.nanoseconds / 4 * 3) }

    /// How long a connection that has not asked anything keeps a drain from its end.
    private static var firstRequestTime: Interval { .seconds(1) }
    /// The same for one that has.
    private static var idleGrace: Interval { .seconds(5) }
    /// Before the end of a drain: what is sent then still arrives.
    private static var lastCallTime: Interval { .milliseconds(600) }
}
