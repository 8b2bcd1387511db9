import Balancing
import HTTP
package import Kernel
package import Logging
import MCP
package import Reactor
import Synchronization
package import TLS
package import Telemetry

/// One thread's share of the proxy: its own poller, connections, timers and scratch; nothing of it is shared.
///
/// `turn()` is the only loop of the program. Everything else is called from it, does what can be done without
/// waiting, and leaves the rest to a later event. Two rules keep it alive: output queued while reading is sent in the
/// same turn or waits for a writable event, and whatever stopped reading for lack of room is looked at again when the
/// room is there (`resume`).
package struct Worker<Outside: World & ~Copyable>: ~Copyable {
    package var world: Outside
    let snapshot: Snapshot
    let index: Int
    let metrics: MetricsWriter

    var listeners: [Listener]
    var clients: Slab<ClientConnection>
    var exchanges: Slab<Exchange>
    var upstreams: Slab<UpstreamConnection>
    var pools: [ServerPool]
    var upstreamStates: [UpstreamState]
    var sessions: SessionAffinity
    var http2Connections: Slab<HTTP2Connection>
    /// HTTP/2 connections with frames to send this turn.
    var dirtyHTTP2Connections: [Handle] = []
    var flushingHTTP2Connections: [Handle] = []
    var events = HTTP2Events()
    /// Streams of all HTTP/2 connections: clients without a socket.
    var streamCount = 0
    let streamLimit: Int
    let connectionLimit: Int

    var now: Instant
    var timers: TimerWheel
    var clientDeadlines: SlotDeadlines
    var upstreamDeadlines: SlotDeadlines
    var exchangeDeadlines: SlotDeadlines
    /// Connections to look at again before sleeping: they stopped for fairness or for want of room that is there now.
    var resuming: [Token] = []
    var resumingNext: [Token] = []
    /// Clients whose next step is dear.
    var deferredClients = HandleQueue()
    /// Such a step is being done.
    var isRunningDeferred = false

    // Scratch: one set per worker, empty between events.
    var received = ByteBuffer(capacity: Worker.scratchBytes)
    var composed = ByteBuffer(capacity: Worker.scratchBytes)
    var ciphertext = ByteBuffer(capacity: Worker.readBytes)
    var outgoing = ByteBuffer(capacity: Worker.scratchBytes)
    /// Bytes at the front of `received` that earlier reads had brought.
    var keptCount = 0
    var requestHead = RequestHead()
    var responseHead = ResponseHead()
    var candidates: [Candidate] = []
    var bufferPool = BufferPool(limit: 128)
    var engine: TLSEngine

    let mailbox: Mailbox<WorkerMessage>?
    /// The other workers' mailboxes.
    let peers: [Mailbox<WorkerMessage>]
    /// Rows of the board, the control thread's included.
    let workerCount: Int
    /// Workers that carry traffic.
    let trafficWorkers: Int
    let responseParser = ResponseParser(limits: HeadLimits())
    /// When the next round is due; one is on its way at most.
    var housekeepingAt = Instant.never
    var isDraining = false
    /// The worker has nothing left to do and was asked to leave.
    package var isDone = false
    /// A connection became free while somebody waited.
    var hasCapacity = false
    /// By upstream, what new connections to its servers are made with; nil: in clear.
    var upstreamTLS: [TLSClientContext?]
    /// By endpoint, what resumes TLS with it.
    var tickets: [TLSTicket?]
    /// No complaint about a server's TLS is logged before.
    var nextTLSLogAt = Instant(nanoseconds: 0)
    /// Health checks, on the worker that makes them.
    var healthChecks: [HealthCheck] = []
    let log: Logger?
    /// Answers requests on admin listeners.
    let admin: AdminHandler?
    /// A backlog was left with connections in it.
    var hasStalledAccepts = false
    /// Never read. A type with an atomic in it has an address of its own; one without is passed by value, and Swift 6.3
    /// then copies the whole worker, a KiB, for every call of a method that does not mutate it.
    private let anchor = Atomic(false)

    /// One read. A client's partial head is put in front of it, so the scratch holds more than that.
    static var readBytes: Int { 65_536 }
    static var scratchBytes: Int { 4 * 65_536 }
    /// Reads of one connection before others get their turn.
    static var readsPerTurn: Int { 8 }

    package init(
        world: consuming Outside, snapshot: Snapshot, index: Int, metrics: Metrics,
        mailbox: Mailbox<WorkerMessage>? = nil,
        peers: [Mailbox<WorkerMessage>] = [], trafficWorkers: Int = 1, healthChecks runsHealthChecks: Bool = false,
        admin: AdminHandler? = nil, log: Logger? = nil
    ) throws(TLSError) {
        var world = world
        now = world.now()
        self.world = world
        self.snapshot = snapshot
        self.index = index
        self.metrics = metrics.view
        workerCount = metrics.workers
        self.trafficWorkers = trafficWorkers
        self.mailbox = mailbox
        self.peers = peers
        self.admin = admin
        self.log = log
        listeners = []
        let most = snapshot.listeners.reduce(1_024) { max($0, $1.maximumConnections) }
        connectionLimit = most
        streamLimit = snapshot.streamLimit(connections: most)
        let all = most + streamLimit
        clients = Slab(limit: all)
        exchanges = Slab(limit: all)
        http2Connections = Slab(limit: most)
        upstreams = Slab(limit: all + most)
        timers = TimerWheel(now: now, expecting: most * 4)
        clientDeadlines = SlotDeadlines(.clientDeadline, limit: all)
        upstreamDeadlines = SlotDeadlines(.upstreamDeadline, limit: all + most)
        exchangeDeadlines = SlotDeadlines(.exchangeDeadline, limit: all)
        pools = snapshot.servers.map { _ in ServerPool() }
        upstreamTLS = snapshot.upstreams.map(\.tls)
        tickets = snapshot.servers.map { _ in nil }
        upstreamStates = snapshot.upstreams.map { UpstreamState($0) }
        sessions = SessionAffinity(snapshot)
        engine = try TLSEngine()
        if let mailbox { _ = self.world.watch(mailbox.descriptor, token: Token(.mailbox).raw) }
        if runsHealthChecks { scheduleHealthChecks() }
        scheduleHousekeeping(at: now)
    }

    /// Sleeps until something is ready, serves it, fires what is due, then settles what the turn left behind.
    package mutating func turn() {
        let isIdle = resuming.isEmpty && dirtyHTTP2Connections.isEmpty && deferredClients.isEmpty && !hasCapacity
        let nap = isIdle ? timers.millisecondsUntilNext(from: now) : 0
        let ready = world.wait(milliseconds: nap)
        // One clock read serves the whole batch: connections ready together see the same time.
        now = world.now()
        for event in 0..<ready {
            let (raw, readiness) = world.event(event)
            serve(Token(raw: raw), readiness)
        }
        fireTimers()
        settle()
    }

    /// Fires what is due, for a fraction of a millisecond: what is left is due in the next turn. Thousands of streams may
    /// have stalled at the same moment.
    private mutating func fireTimers() {
        var fired = 0
        while let raw = timers.popDue(at: now) {
            expire(Token(raw: raw))
            fired += 1
            if fired % 4 == 0, world.now() - now >= Worker.timerTime { return }
        }
    }

    private static var timerTime: Interval { Interval(nanoseconds: 100_000) }

    private mutating func serve(_ token: Token, _ readiness: Readiness) {
        switch token.kind {
        case .client: clientReady(token.handle, readiness)
        case .upstream: upstreamReady(token.handle, readiness)
        case .listener: accept(token.slot)
        case .mailbox: processMailbox()
        case .clientDeadline, .upstreamDeadline, .exchangeDeadline, .housekeeping, .healthCheck, nil: break
        }
    }

    private mutating func expire(_ token: Token) {
        let slot = token.slot
        switch token.kind {
        case .clientDeadline:
            if clientDeadlines.timerFired(slot, at: now), let c = clients.handle(inSlot: slot) { clientDue(c) }
        case .upstreamDeadline:
            if upstreamDeadlines.timerFired(slot, at: now), let u = upstreams.handle(inSlot: slot) { upstreamDue(u) }
        case .exchangeDeadline:
            if exchangeDeadlines.timerFired(slot, at: now), let e = exchanges.handle(inSlot: slot) { exchangeDue(e) }
        case .housekeeping: runHousekeeping()
        case .healthCheck: startHealthCheck(slot)
        case .listener, .client, .upstream, .mailbox, nil: break
        }
    }

    /// Gives those that stopped for fairness another go, and sends the turn's frames before dear work delays them. One
    /// pass: what stops again, or has frames to send then, waits for the next turn, which does not sleep.
    private mutating func settle() {
        serveQueues()
        resume()
        sendFrames()
        runDeferred()
    }

    private mutating func resume() {
        guard !resuming.isEmpty else { return }
        swap(&resuming, &resumingNext)
        var position = 0
        while position < resumingNext.count {
            let token = resumingNext[position]
            position += 1
            switch token.kind {
            case .client where clients.contains(token.handle):
                clients[token.handle].isResuming = false
                resumeClient(token.handle)
            case .upstream where upstreams.contains(token.handle):
                upstreams[token.handle].isResuming = false
                readUpstream(token.handle)
            default: break
            }
        }
        resumingNext.removeAll(keepingCapacity: true)
    }

    mutating func resumeLater(client c: Handle) {
        guard !clients[c].isResuming else { return }
        clients[c].isResuming = true
        resuming.append(Token(.client, c))
    }

    mutating func resumeLater(upstream u: Handle) {
        guard !upstreams[u].isResuming else { return }
        upstreams[u].isResuming = true
        resuming.append(Token(.upstream, u))
    }

    mutating func setDeadline(client c: Handle, _ deadline: Instant) {
        clients[c].deadline = deadline
        clientDeadlines.arm(c.slot, at: deadline, now: now, in: &timers)
    }

    mutating func setDeadline(upstream u: Handle, _ deadline: Instant) {
        upstreams[u].deadline = deadline
        upstreamDeadlines.arm(u.slot, at: deadline, now: now, in: &timers)
    }

    mutating func setDeadline(exchange e: Handle, _ deadline: Instant) {
        exchanges[e].deadline = deadline
        exchangeDeadlines.arm(e.slot, at: deadline, now: now, in: &timers)
    }

    /// Adds to this worker's row of the board.
    func count(_ metric: ServerMetric, server: Int, _ delta: Int64 = 1) {
        guard server >= 0 else { return }
        metrics.add(metric, worker: index, server: server, delta)
    }
}
