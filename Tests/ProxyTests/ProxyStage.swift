import Balancing
import Kernel
import Logging
import Reactor
import Simulation
import TLS
import Telemetry
import Testing

@testable import Proxy

/// A whole worker on a simulated network, with as many servers behind it as a test asks for.
///
/// `snapshot` may be changed until the first client comes; then the worker is made of it.
final class ProxyStage {
    static let front = SocketAddress.loopback(port: 8080)
    static let secureFront = SocketAddress.loopback(port: 8443)

    let network: SimulatedNetwork
    /// What the worker logs to; nil: nothing.
    var log: Logger?
    /// Takes finished calls.
    var ring = CallRing.none
    var snapshot = Snapshot()
    private(set) var metrics: Metrics
    private(set) var table: ServerTable?
    private var mailbox: Mailbox<WorkerMessage>?
    /// The first of the workers of a process, if this is another one of them: they share metrics and servers.
    private var first: ProxyStage?
    private var index = 0
    private var workerCount = 1
    var worker: Worker<SimulatedWorld>?
    /// Turns of a worker in a row and in one simulated second, at most, in which nothing new came from outside. What
    /// arrives in pieces of a byte may wake it any number of times.
    private static let maximumIdleTurns = 1_000
    private(set) var turns = 0
    private var runs = 0
    private var secondBegan: UInt64 = 0
    private var idleTurns = 0
    private var hasSpun = false

    init(seed: UInt64, servers: Int = 1, _ conditions: Conditions = .varied) {
        network = SimulatedNetwork(seed: seed, conditions: conditions)
        snapshot.listeners = [ListenerPlan(address: ProxyStage.front)]
        for index in 0..<servers {
            snapshot.servers.append(
                ServerPlan(address: ProxyStage.server(index), name: "mcp-\(index):3001", upstream: 0))
        }
        var plan = UpstreamPlan(name: "mcp", servers: 0..<servers)
        plan.healthCheck.interval = .seconds(2)
        snapshot.upstreams = [plan]
        snapshot.keys = [ProxyStage.key(1)]
        metrics = Metrics(workers: 1, servers: servers)
    }

    /// A descriptor of nobody's, to wake the worker with: it looks for mail, of which there is none.
    static let alarm = Descriptor(900_000)

    static func server(_ index: Int) -> SocketAddress { .loopback(port: UInt16(3001 + index)) }
    static func key(_ number: UInt8) -> SigningKey { SigningKey([UInt8](repeating: number, count: 32)) }

    /// The first upstream's plan.
    var plan: UpstreamPlan {
        get { snapshot.upstreams[0] }
        set { snapshot.upstreams[0] = newValue }
    }
    var listener: ListenerPlan {
        get { snapshot.listeners[0] }
        set { snapshot.listeners[0] = newValue }
    }

    /// The workers of one process, each with a network of its own and the same servers behind it.
    static func workers(_ count: Int, seed: UInt64, servers: Int) -> [ProxyStage] {
        let stages = (0..<count).map { ProxyStage(seed: seed + UInt64($0) * 1_000, servers: servers) }
        for (index, stage) in stages.enumerated() {
            stage.index = index
            stage.workerCount = count
            if index > 0 { stage.first = stages[0] }
        }
        return stages
    }

    /// Makes the worker, if there is none yet. A second call after `stop` is a restart with the same machine.
    func start(healthChecks: Bool = false, peers: [Mailbox<WorkerMessage>] = []) {
        guard worker == nil else { return }
        first?.start()
        let workers = max(workerCount, 1 + peers.count)
        metrics = first?.metrics ?? Metrics(workers: workers, servers: snapshot.servers.count + 16)
        do {
            let table = first?.table ?? ServerTable(metrics)
            try table.register(&snapshot)
            self.table = table
            let mailbox = try Mailbox<WorkerMessage>(limit: 64)
            self.mailbox = mailbox
            worker = try Worker(
                world: SimulatedWorld(network), snapshot: snapshot, index: index, metrics: metrics, mailbox: mailbox,
                peers: peers, trafficWorkers: workers, healthChecks: healthChecks, log: log, ring: ring)
            _ = worker?.io.world.watch(ProxyStage.alarm, token: Token(.mailbox).raw)
            for (plan, listener) in snapshot.listeners.enumerated() {
                worker?.listen(on: network.listen(on: listener.address), plan: plan)
            }
        } catch {
            Issue.record("the worker could not start: \(error)")
        }
    }

    /// Tells the worker something, as another thread would.
    func post(_ message: WorkerMessage) {
        guard let mailbox else { return }
        mailbox.post(message)
        network.ring(mailbox.descriptor)
    }

    /// Registers a changed snapshot and posts it to the worker, with sockets for its listeners, the first of which are new.
    func reload(sockets: [Descriptor] = [], _ change: (inout Snapshot) -> Void) throws {
        change(&snapshot)
        try table?.register(&snapshot)
        let opened = zip(snapshot.listeners, sockets).map { ListenerSocket(listener: $0.id, descriptor: $1) }
        post(.snapshot(snapshot, sockets: opened))
        run(for: .milliseconds(5))
    }

    /// The process goes away with all that it has open.
    func stop() {
        worker = nil
        snapshot.lease = nil
    }

    func connect(from address: SocketAddress? = nil) -> ScriptedClient {
        start()
        return ScriptedClient(network.connect(to: ProxyStage.front, from: address))
    }

    // MARK: TLS and more than one of everything

    private static let listenerTLS = SimulatedCertificate.server(protocols: ["h2", "http/1.1"])
    private static let upstreamTLS = SimulatedCertificate.client()

    /// A listener that speaks TLS, with HTTP/2 for who asks for it.
    func addSecureListener() {
        var plan = ListenerPlan(address: ProxyStage.secureFront)
        plan.tls = ProxyStage.listenerTLS
        snapshot.listeners.append(plan)
    }

    /// An upstream "other" of so many servers more, for what is asked for below `/other`.
    func addUpstream(servers count: Int, isSecure: Bool) {
        let first = snapshot.servers.count
        for index in first..<first + count {
            var server = ServerPlan(address: ProxyStage.server(index), name: "other-\(index):3001", upstream: 1)
            server.serverName = SimulatedCertificate.name
            snapshot.servers.append(server)
        }
        var other = UpstreamPlan(name: "other", servers: first..<first + count)
        other.healthCheck = plan.healthCheck
        if isSecure { other.tls = ProxyStage.upstreamTLS }
        snapshot.upstreams.append(other)
        var route = RoutePlan(upstream: 1)
        route.path = .prefix(Array("/other".utf8))
        snapshot.routes = [route, RoutePlan(upstream: 0)]
    }

    /// Whether the proxy speaks TLS to a server; to one that a later snapshot adds, it does not.
    func speaksTLS(server: Int) -> Bool {
        guard snapshot.servers.indices.contains(server) else { return false }
        return snapshot.upstreams[snapshot.servers[server].upstream].tls != nil
    }

    /// An HTTP/1.1 client of the TLS listener.
    func connectSecurely(
        _ context: TLSClientContext = ClientTLS.http1, resuming ticket: TLSTicket? = nil
    ) -> ScriptedClient {
        ScriptedClient(securePeer(context, resuming: ticket))
    }

    /// An HTTP/2 client: of the plain listener by prior knowledge, or of the TLS listener by ALPN.
    func connectHTTP2(
        isSecure: Bool = false, settings: [(HTTP2Frame.Setting, UInt32)] = [], connectionWindow: Int = 1 << 20
    ) -> ScriptedHTTP2Client {
        start()
        let peer = isSecure ? securePeer(ClientTLS.http2) : network.connect(to: ProxyStage.front)
        return ScriptedHTTP2Client(peer, settings: settings, connectionWindow: connectionWindow)
    }

    private func securePeer(_ context: TLSClientContext, resuming ticket: TLSTicket? = nil) -> SimulatedPeer {
        start()
        let peer = network.connect(to: ProxyStage.secureFront)
        peer.layer = ClientTLS.layer(context, resuming: ticket)
        return peer
    }

    // MARK: Time

    /// Turns until `isDone`, or for as long as `limit` of simulated time; false in the second case.
    @discardableResult
    func run(within limit: Interval = .seconds(20), until isDone: () -> Bool) -> Bool {
        start()
        runs += 1
        let run = runs
        var isOver = false
        // Time passes only in the worker's waits: an alarm bounds them.
        network.after(limit) { [weak self] in
            guard let self, runs == run else { return }
            isOver = true
            network.ring(ProxyStage.alarm)
        }
        defer { runs += 1 }
        while !isDone() {
            guard !isOver else { return false }
            turn()
        }
        return true
    }

    func run(for interval: Interval) {
        run(within: interval) { false }
    }

    private func turn() {
        let before = network.occurrences
        worker?.turn()
        turns += 1
        let second = network.now.nanoseconds / 1_000_000_000
        if second != secondBegan || network.occurrences != before {
            secondBegan = second
            idleTurns = 0
        }
        idleTurns += 1
        if idleTurns > ProxyStage.maximumIdleTurns, !hasSpun {
            hasSpun = true
            let trace = network.traceText.split(separator: "\n").suffix(24).joined(separator: "\n")
            Issue.record(
                """
                the worker spins: \(idleTurns) turns without cause in a second, seed \(network.seed)
                \(trace)
                \(inventory.joined(separator: "\n"))
                """)
        }
        if hasSpun { network.advance(by: .milliseconds(10)) }
    }

    // MARK: Figures

    var clientCount: Int { worker?.clients.count ?? 0 }
    var exchangeCount: Int { worker?.exchanges.count ?? 0 }
    var upstreamCount: Int { worker?.upstreams.count ?? 0 }

    /// Heap bytes that the worker keeps for connections now.
    var bufferedBytes: Int {
        worker?.bufferedBytes() ?? 0
    }

    var inventory: [String] { worker?.inventory() ?? [] }

    func sum(_ metric: ServerMetric) -> Int64 {
        snapshot.servers.indices.reduce(0) { $0 + metrics.sum(metric, server: $1) }
    }

    /// Exchanges in the queues of all upstreams, as all workers count them.
    var waitingExchanges: Int64 {
        snapshot.upstreams.indices.reduce(0) { $0 + metrics.view.waiting(upstream: $1) }
    }

    func shared(_ metric: SharedMetric) -> Int64 {
        snapshot.servers.indices.reduce(0) { $0 + metrics.view.load(metric, server: $1) }
    }

    var isHealthy: [Bool] {
        snapshot.servers.indices.map {
            HealthTracker(packed: UInt64(bitPattern: metrics.view.load(.health, server: $0))).isHealthy
        }
    }

    func isHealthy(slot: Int) -> Bool {
        HealthTracker(packed: UInt64(bitPattern: metrics.view.load(.health, server: slot))).isHealthy
    }

    /// Servers that have a slot: those of the snapshot, and removed ones that are still in use.
    var registeredServers: Int { table?.count ?? 0 }

    func markUnhealthy(_ server: Int) { mark(server, .failed) { $0.isHealthy } }

    /// What checks would say of a server that answers again.
    func markHealthy(_ server: Int) { mark(server, .passed) { !$0.isHealthy } }

    private func mark(_ server: Int, _ outcome: HealthTracker.Outcome, while isToGoOn: (HealthTracker) -> Bool) {
        var tracker = HealthTracker(packed: UInt64(bitPattern: metrics.view.load(.health, server: server)))
        while isToGoOn(tracker) { _ = tracker.record(outcome) }
        metrics.view.store(.health, server: server, Int64(bitPattern: tracker.packed))
        metrics.view.noteHealthChange()
    }

    /// The metrics say what is in the slabs.
    func expectGaugesMatch(_ comment: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
        let truth = worker?.gauges() ?? [:]
        for (metric, count) in truth {
            #expect(sum(metric) == count, "\(metric), seed \(network.seed) \(comment)", sourceLocation: sourceLocation)
        }
        let streams = truth[.streaming, default: 0]
        #expect(shared(.streams) == streams, "seed \(network.seed)", sourceLocation: sourceLocation)
        #expect(waitingExchanges == truth[.waiting, default: 0], "seed \(network.seed)", sourceLocation: sourceLocation)
    }

    /// Every exchange that began has passed the one end, in exactly one way, unless it is still under way.
    func expectEveryExchangeEndedOnce(_ comment: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
        let ends: [ExchangeMetric] = [
            .responded, .rejected, .streamsEnded, .streamsFailed, .responsesAborted, .requestsAborted,
            .clientsDisconnected, .inconsistent,
        ]
        let ended = ends.reduce(0) { $0 + metrics.sum($1) }
        let began = metrics.sum(.began)
        #expect(began > 0, "\(comment)", sourceLocation: sourceLocation)
        #expect(began == ended + Int64(exchangeCount), "\(comment)", sourceLocation: sourceLocation)
        #expect(metrics.sum(.inconsistent) == 0, "\(comment)", sourceLocation: sourceLocation)
    }

    /// Lets everything idle run out and expects no leaks: nothing in the slabs, all gauges at zero, nothing open
    /// but the listener, and a worker that sleeps.
    func expectNoLeaks(_ comment: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
        run(for: .seconds(200))
        let note = Comment(rawValue: "seed \(network.seed) \(comment)")
        #expect(clientCount == 0, note, sourceLocation: sourceLocation)
        #expect(exchangeCount == 0, note, sourceLocation: sourceLocation)
        #expect(upstreamCount == 0, note, sourceLocation: sourceLocation)
        for metric in [ServerMetric.parked, .active, .streaming, .waiting] {
            #expect(sum(metric) == 0, "\(metric), \(note.rawValue)", sourceLocation: sourceLocation)
        }
        #expect(waitingExchanges == 0, note, sourceLocation: sourceLocation)
        for metric in [SharedMetric.connections, .streams] {
            #expect(shared(metric) == 0, "\(metric), \(note.rawValue)", sourceLocation: sourceLocation)
        }
        #expect(bufferedBytes == 0, note, sourceLocation: sourceLocation)
        #expect(network.openDescriptors == snapshot.listeners.count, note, sourceLocation: sourceLocation)
        #expect(network.violations == [], note, sourceLocation: sourceLocation)
        let before = turns
        run(for: .seconds(60))
        #expect(turns - before < 10, "the idle worker keeps turning, \(note.rawValue)", sourceLocation: sourceLocation)
    }
}
