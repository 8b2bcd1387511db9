import Balancing
import FoundationEssentials
import Glibc
import Kernel
import Proxy
import Telemetry

/// The document of `/stats`: the state of the proxy, its upstreams and their servers.
struct StatusDocument: Encodable {
    /// One server of an upstream.
    struct Server: Encodable {
        var address: String
        var healthy: Bool
        /// False until a health check has passed or `fall` have failed.
        var checked: Bool
        /// Kept from new work by outlier detection, because its answers failed.
        var ejected: Bool
        /// How often it was, since the start.
        var ejections: Int64
        /// Protocol revisions that it speaks, by an mcp check; empty: not known.
        var revisions: [String]
        /// Stands for the tools that it lists, by an mcp check; nil: not known.
        var catalog: String?
        /// It keeps its sessions and gets no new ones.
        var draining: Bool
        /// An operator has ordered that it gets no work at all.
        var disabled: Bool
        /// In one word: `healthy`, `down`, `ejected`, `draining`, `disabled` or `removed`.
        var state: String
        /// Why its last check failed; missing if that passed.
        var reason: String?
        /// When, in seconds since 1970.
        var reasonAt: UInt64?
        /// It stands in the configuration no more, or is found no more, and is forgotten when its sessions are over.
        var removed: Bool
        /// It was found, and does not stand in the configuration.
        var discovered: Bool
        var backup: Bool
        var weight: Int32
        var pool: Pool
        /// Open event streams.
        var streams: Int64
        /// Sessions that the server is believed to hold now.
        var sessions: Int64
        var requests: Int64
        var errors: Errors
        var retries: Retries
    }

    /// Connections by state. `total` is idle plus active; `opened`, `connectFailures` and `replays` count since the
    /// start.
    struct Pool: Encodable {
        var max: Int64
        var total: Int64
        var idle: Int64
        var active: Int64
        var streaming: Int64
        var waiting: Int64
        var opened: Int64
        var connectFailures: Int64
        var replays: Int64
    }

    /// Requests sent again, counted at the server that failed, and retries that the budget refused, since the start.
    struct Retries: Encodable {
        var granted: Int64
        var refused: Int64
    }

    /// Error responses of the proxy, since the start: 404 for unknown sessions, 502, 503, 504.
    struct Errors: Encodable {
        var sessionsNotFound: Int64
        var badGateway: Int64
        var unavailable: Int64
        var timedOut: Int64
        /// Those of them that were sent with status 200 (`legacy_errors`).
        var inBand: Int64
    }

    /// Changed certificate files that were loaded, and those that could not be, since the start.
    struct Certificates: Encodable {
        var renewed: Int
        var refused: Int
    }

    /// Excesses of HTTP/2 clients, since the start. All but the last four closed a connection.
    struct Abuse: Encodable {
        var resets, refusals, pings, settings, emptyData, priorities, windowUpdates, continuations: Int64
        var ignoredFrames, headerLists, headText, queuedFrames, slowHeads, brokenConnections: Int64
        var stalledStreams, refusedStreams, largeHeads, malformedRequests: Int64
    }

    /// Connections rejected by the PROXY protocol, since the start.
    struct ProxyProtocol: Encodable {
        var untrusted, malformed, timedOut: Int64
    }

    /// What became of sessions whose server was lost, since the start. `recovered` went on with another server; `swallowed`
    /// counts messages for a server that was gone, `abandoned` sessions that were ended because nobody could use them.
    struct Recoveries: Encodable {
        var recovered, degraded: Int64
        var off, unknown, dirty, budget, crowded, noServer, refused, differs, timedOut: Int64
        var swallowed, abandoned: Int64
    }

    /// One upstream.
    struct Upstream: Encodable {
        var name: String
        /// Its servers list different tools, as far as that is known.
        var catalogsDiffer: Bool
        /// What finds its servers; missing if all stand in the configuration.
        var discovery: DiscoveryDocument?
        /// The answers that are kept; missing if none are.
        var cache: CacheDocument?
        var servers: [Server]
    }

    /// The configuration in force, and reloads since the start.
    struct Configuration: Encodable {
        var hash: String
        /// When it came into force, in seconds since 1970.
        var loadedAt: UInt32
        var reloads: Reloads
        /// Why the last reload was rejected; missing if it was not.
        var lastError: String?
    }

    /// Reloads by what they came to.
    struct Reloads: Encodable {
        var applied, unchanged, rejected: Int
    }

    /// Upgrades that this process was asked for.
    struct Upgrades: Encodable {
        /// One is under way.
        var running: Bool
        /// Those that failed.
        var failures: Int
        /// Why the last one failed; missing if it did not.
        var lastError: String?
    }

    var pid: Int32
    var upgrade: Upgrades?
    var configuration: Configuration?
    var uptimeSeconds: Double
    var draining: Bool
    var workers: Int
    /// Open client connections, without those of the admin address.
    var clients: Int64
    /// TLS connections that ended before their handshake was complete, since the start.
    var failedHandshakes: Int64
    var certificates: Certificates
    var http2Abuse: Abuse
    var recoveries: Recoveries
    var proxyProtocol: ProxyProtocol
    /// Error responses of the proxy to requests, since the start, by the reason in their body.
    var rejected: [String: Int64]
    /// Event streams whose server died and which ended with an error event, since the start.
    var streamsFailed: Int64
    var upstreams: [Upstream]
    /// Tools that were called, those with the most calls first.
    var tools: [ToolStatistics]

    init(_ proxy: ProxyServer, _ reloads: ReloadStatus?, _ upgrade: Upgrade?) {
        pid = getpid()
        self.upgrade = upgrade.map { upgrade in
            let state = upgrade.state
            let error: String? = if case .failed(let reason) = state { reason } else { nil }
            return Upgrades(running: state == .running, failures: upgrade.failures, lastError: error)
        }
        configuration = reloads.map { status in
            Configuration(
                hash: status.hash, loadedAt: status.loadedAt,
                reloads: Reloads(applied: status.applied, unchanged: status.unchanged, rejected: status.rejected),
                lastError: status.lastError)
        }
        uptimeSeconds = (Instant.now() - proxy.startedAt).milliseconds / 1_000
        draining = proxy.isDraining
        workers = proxy.metrics.workers - 1
        clients = proxy.metrics.view.clientCount
        failedHandshakes = proxy.metrics.view.load(.failedHandshakes)
        let totals = proxy.certificates.totals
        certificates = Certificates(renewed: totals.renewed, refused: totals.refused)
        http2Abuse = Abuse(proxy.metrics.view)
        let metrics = proxy.metrics.view
        recoveries = Recoveries(metrics)
        proxyProtocol = ProxyProtocol(
            untrusted: metrics.load(.untrusted), malformed: metrics.load(.malformed),
            timedOut: metrics.load(.proxyHeaderTimedOut))
        rejected = proxy.rejections
        streamsFailed = proxy.metrics.sum(.streamsFailed)
        let snapshot = proxy.snapshot
        let discovery = DiscoveryDocument.all(proxy)
        upstreams = snapshot.upstreams.map { plan in
            let servers = snapshot.servers[plan.servers].map { Server(proxy, plan, $0) }
            let catalogs = Set(servers.filter(\.healthy).compactMap(\.catalog))
            return Upstream(
                name: plan.name, catalogsDiffer: catalogs.count > 1,
                discovery: discovery.first { $0.upstream == plan.name }, cache: CacheDocument(plan), servers: servers)
        }
        tools = ToolStatistics.all(proxy)
    }
}

extension StatusDocument.Abuse {
    init(_ metrics: MetricsWriter) {
        resets = metrics.load(.resets)
        refusals = metrics.load(.refusals)
        pings = metrics.load(.pings)
        settings = metrics.load(.settings)
        emptyData = metrics.load(.emptyData)
        priorities = metrics.load(.priorities)
        windowUpdates = metrics.load(.windowUpdates)
        continuations = metrics.load(.continuations)
        ignoredFrames = metrics.load(.ignoredFrames)
        headerLists = metrics.load(.headerLists)
        headText = metrics.load(.headText)
        queuedFrames = metrics.load(.queuedFrames)
        slowHeads = metrics.load(.slowHeads)
        brokenConnections = metrics.load(.brokenConnections)
        stalledStreams = metrics.load(.stalledStreams)
        refusedStreams = metrics.load(.refusedStreams)
        largeHeads = metrics.load(.largeHeads)
        malformedRequests = metrics.load(.malformedRequests)
    }
}

extension StatusDocument.Recoveries {
    init(_ metrics: MetricsWriter) {
        recovered = metrics.load(RecoveryCounter.recovered)
        degraded = metrics.load(RecoveryCounter.degraded)
        off = metrics.load(RecoveryCounter.off)
        unknown = metrics.load(RecoveryCounter.unknown)
        dirty = metrics.load(RecoveryCounter.dirty)
        budget = metrics.load(RecoveryCounter.budget)
        crowded = metrics.load(RecoveryCounter.crowded)
        noServer = metrics.load(RecoveryCounter.noServer)
        refused = metrics.load(RecoveryCounter.refused)
        differs = metrics.load(RecoveryCounter.differs)
        timedOut = metrics.load(RecoveryCounter.timedOut)
        swallowed = metrics.load(RecoveryCounter.swallowed)
        abandoned = metrics.load(RecoveryCounter.abandoned)
    }
}

extension StatusDocument.Server {
    init(_ proxy: ProxyServer, _ upstream: UpstreamPlan, _ plan: ServerPlan) {
        let index = Int(plan.id.slot)
        let metrics = proxy.metrics
        let tracker = HealthTracker(packed: UInt64(bitPattern: metrics.view.load(.health, server: index)))
        func sum(_ metric: ServerMetric) -> Int64 { metrics.sum(metric, server: index) }
        address = plan.name
        healthy = tracker.isHealthy
        checked = tracker.isProven
        ejected = OutlierDetector(packed: UInt64(bitPattern: metrics.view.load(.outlier, server: index))).isEjected
        ejections = sum(.ejections)
        revisions = proxy.revisions(server: index)
        let tools = metrics.view.load(.catalog, server: index)
        catalog = tools == 0 ? nil : String(UInt64(bitPattern: tools), radix: 16)
        draining = plan.drains
        disabled = plan.isDisabled
        state = ServersPage.state(of: plan, proxy)
        let failure = ServerFailure(of: plan, proxy)
        reason = failure?.reason
        reasonAt = failure.map { $0.at / 1_000 }
        removed = plan.isRemoved
        discovered = plan.isDiscovered
        backup = plan.isBackup
        weight = plan.weight
        pool = StatusDocument.Pool(
            max: upstream.pool.maximum, total: metrics.view.load(.connections, server: index), idle: sum(.parked),
            active: sum(.active), streaming: sum(.streaming), waiting: sum(.waiting), opened: sum(.connectionsOpened),
            connectFailures: sum(.connectFailures), replays: sum(.replays))
        let load = proxy.load(of: plan)
        streams = load.streams
        sessions = load.sessions
        requests = sum(.requests)
        errors = StatusDocument.Errors(
            sessionsNotFound: sum(.sessionsNotFound), badGateway: sum(.badGateway), unavailable: sum(.unavailable),
            timedOut: sum(.timedOut), inBand: sum(.inBandErrors))
        retries = StatusDocument.Retries(granted: sum(.retries), refused: sum(.retriesRefused))
    }
}
