package import Kernel
package import Logging
package import Reactor
package import TLS
package import Telemetry

/// One thread's share of the proxy: its own poller, connections, timers and scratch buffers; nothing of it is shared.
///
/// `turn()` is the only loop of the program. Everything else is called from it, does what can be done without
/// waiting, and leaves the rest to a later event. Each stored property is a part that owns its state; a method that
/// needs one part belongs to that part's type, and a method that moves something between parts belongs here. Two
/// rules keep the worker alive: output queued while reading is sent in the same turn or waits for a writable event, and
/// whatever stopped reading for want of credit is looked at again when the credit is there (`resumeLater`).
package struct Worker<Outside: World & ~Copyable>: ~Copyable {
    var io: ConnectionIO<Outside>
    var clock: Clock
    var clients: ClientConnections
    var exchanges: Exchanges
    var upstreams: UpstreamConnections
    var servers: Servers
    var sessions: Sessions
    var snapshot: Snapshot
    let metrics: WorkerMetrics
    let inbox: Inbox
    var control: Control
    var lifecycle: Lifecycle

    /// Makes a worker of `index` that writes that row of `metrics`. `peers` are the mailboxes of the other workers. With
    /// `healthChecks` it is the control thread's worker and makes the health checks; `admin` answers admin listeners. The snapshot
    /// must be registered with the server table that `metrics` belong to.
    package init(
        world: consuming Outside, snapshot: Snapshot, index: Int, metrics: Metrics,
        mailbox: Mailbox<WorkerMessage>? = nil, peers: [Mailbox<WorkerMessage>] = [], trafficWorkers: Int = 1,
        healthChecks runsHealthChecks: Bool = false, admin: AdminHandler? = nil, log: Logger? = nil,
        ring: CallRing = .none
    ) throws(TLSError) {
        io = try ConnectionIO(world)
        let connections = snapshot.connectionLimit
        let streams = snapshot.streamLimit()
        clock = Clock(now: io.world.now(), timers: connections * 4)
        clients = ClientConnections(
            connectionLimit: connections, streamLimit: streams, addresses: snapshot.addresses)
        exchanges = Exchanges(limit: connections + streams)
        exchanges.countsCalls = snapshot.countsCalls
        upstreams = UpstreamConnections(limit: 2 * connections + streams)
        servers = Servers(snapshot, now: clock.now, worker: index, of: trafficWorkers)
        sessions = Sessions(snapshot, metrics.view)
        self.snapshot = snapshot
        self.metrics = WorkerMetrics(
            writer: metrics.view, calls: metrics.calls.recorder(worker: index), ring: ring, worker: index,
            workers: metrics.workers,
            trafficWorkers: trafficWorkers)
        inbox = Inbox(mailbox: mailbox, peers: peers)
        control = Control(runsHealthChecks: runsHealthChecks, admin: admin, log: log)
        lifecycle = Lifecycle()
        if let mailbox { _ = io.world.watch(mailbox.descriptor, token: Token(.mailbox).raw) }
        updateHealthChecks()
        clock.scheduleHousekeeping(at: clock.now)
    }

    /// The worker has nothing left to do and was asked to stop.
    package var isDone: Bool { lifecycle.isDone }

    /// Sleeps until something is ready, serves it, fires what is due, then settles what the turn left behind.
    package mutating func turn() {
        let ready = io.world.wait(milliseconds: isIdle ? clock.timers.millisecondsUntilNext(from: clock.now) : 0)
        clock.now = io.world.now()
        for event in 0..<ready {
            let (raw, readiness) = io.world.event(event)
            serve(Token(raw: raw), readiness)
            io.expectEmptyScratch()
        }
        fireTimers()
        settle()
    }

    @inline(__always)
    private var isIdle: Bool {
        clients.resuming.isEmpty && upstreams.resuming.isEmpty && clients.unsentHTTP2Connections.isEmpty
            && !sessions.recoveries.hasWork && !clients.internalRequests.hasEnded && clients.deferred.isEmpty
            && sessions.shared.waking.isEmpty && !upstreams.stores.hasWork && exchanges.caching.waking.isEmpty
            && exchanges.caching.listenStarts.isEmpty && exchanges.authentication.waking.isEmpty
            && !servers.hasFreedCapacity
            && servers.goingDown.isEmpty
    }

    private mutating func serve(_ token: Token, _ readiness: Readiness) {
        switch token.kind {
        case .client: clientReady(token.handle, readiness)
        case .upstream: upstreamReady(token.handle, readiness)
        case .listener: accept(token.slot)
        case .mailbox: processMailbox()
        case .store: storeReady(token.handle, readiness)
        case .clientDeadline, .upstreamDeadline, .exchangeDeadline, .housekeeping, .healthCheck, .internalDeadline,
            .ejection, .storeDeadline, nil:
            break
        }
    }

    /// Fires what is due, for a fraction of a millisecond: what is left is due in the next turn. Thousands of streams may
    /// have stalled at the same moment.
    private mutating func fireTimers() {
        var fired = 0
        while let raw = clock.timers.popDue(at: clock.now) {
            expire(Token(raw: raw))
            io.expectEmptyScratch()
            fired += 1
            if fired % 4 == 0, io.world.now() - clock.now >= Worker.timerBudget { return }
        }
    }

    private static var timerBudget: Interval { Interval(nanoseconds: 100_000) }

    private mutating func expire(_ token: Token) {
        let slot = token.slot
        switch token.kind {
        case .clientDeadline:
            if clients.deadlines.timerFired(slot, at: clock.now) == .due, let client = clients.handle(inSlot: slot) {
                clientTimedOut(client)
            }
        case .upstreamDeadline:
            if upstreams.deadlines.timerFired(slot, at: clock.now) == .due,
                let connection = upstreams.handle(inSlot: slot)
            {
                upstreamTimedOut(connection)
            }
        case .exchangeDeadline:
            if exchanges.deadlines.timerFired(slot, at: clock.now) == .due,
                let exchange = exchanges.handle(inSlot: slot)
            {
                exchangeTimedOut(exchange)
            }
        case .housekeeping: runHousekeeping()
        case .healthCheck: startHealthCheck(slot)
        case .internalDeadline: internalTimedOut(token.handle)
        case .ejection: endEjection(slot)
        case .storeDeadline: storeTimedOut(slot)
        case .listener, .client, .upstream, .mailbox, .store, nil: break
        }
    }

    /// Gives those that stopped for fairness another go, and sends the turn's frames before expensive work delays them.
    /// One pass: what stops again, or has frames to send then, waits for the next turn, which does not sleep.
    @inline(__always)
    private mutating func settle() {
        if !servers.goingDown.isEmpty { settleDownServers() }
        if sessions.recoveries.hasWork || clients.internalRequests.hasEnded { continueRecoveries() }
        if !sessions.shared.waking.isEmpty { wakeStoreWaiters() }
        if !exchanges.caching.waking.isEmpty { wakeCacheWaiters() }
        if !exchanges.caching.listenStarts.isEmpty { startListening() }
        if !exchanges.authentication.waking.isEmpty { wakeAuthenticated() }
        if servers.hasFreedCapacity { serveQueues() }
        if !clients.resuming.isEmpty { resumeClients() }
        if !upstreams.resuming.isEmpty { resumeUpstreams() }
        if !clients.unsentHTTP2Connections.isEmpty { sendFrames() }
        if !clients.deferred.isEmpty { runDeferred() }
        if upstreams.stores.hasWork { serviceStores() }
        forgetHeads()
        io.expectEmptyScratch()
    }

    private mutating func resumeClients() {
        clients.resuming.beginRound()
        while let client = clients.resuming.popFirst(from: &clients.slab) { resumeClient(client) }
    }

    private mutating func resumeUpstreams() {
        upstreams.resuming.beginRound()
        while let connection = upstreams.resuming.popFirst(from: &upstreams.slab) { readUpstream(connection) }
    }
}
