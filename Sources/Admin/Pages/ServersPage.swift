import Balancing
import Kernel
import Proxy
import Telemetry

/// The document of `/servers`: one entry for each server, with what an operator decides by.
struct ServersPage: Encodable {
    /// One server.
    struct Server: Encodable {
        /// As orders name it: `upstream/host:port`.
        var server: String
        var upstream: String
        /// In one word: `healthy`, `down`, `ejected`, `draining`, `disabled` or `removed`.
        var state: String
        /// Why its last check failed; missing if that passed.
        var reason: String?
        /// When, in seconds since 1970.
        var reasonAt: UInt64?
        /// It was found, and does not stand in the configuration.
        var discovered: Bool
        var backup: Bool
        var weight: Int32
        /// What the configuration says, if an operator has ordered another weight.
        var configuredWeight: Int32?
        var sessions: Int64
        var calls: Int64
        var streams: Int64
        /// Exchanges that wait for a connection to it.
        var waiting: Int64
        /// Since the start.
        var requests: Int64
        var failures: Int64
    }

    var servers: [Server]
    /// What finds servers, for each upstream that says where.
    var discovery: [DiscoveryDocument]

    init(_ proxy: ProxyServer) {
        discovery = DiscoveryDocument.all(proxy)
        let snapshot = proxy.snapshot
        servers = snapshot.servers.map { plan in
            let slot = Int(plan.id.slot)
            let load = proxy.load(of: plan)
            let failure = ServerFailure(of: plan, proxy)
            func sum(_ metric: ServerMetric) -> Int64 { proxy.metrics.sum(metric, server: slot) }
            return Server(
                server: snapshot.path(of: plan), upstream: snapshot.upstreams[plan.upstream].name,
                state: ServersPage.state(of: plan, proxy), reason: failure?.reason,
                reasonAt: failure.map { $0.at / 1_000 }, discovered: plan.isDiscovered, backup: plan.isBackup,
                weight: plan.weight,
                configuredWeight: plan.orderedWeight == nil ? nil : plan.configuredWeight, sessions: load.sessions,
                calls: load.calls, streams: load.streams, waiting: sum(.waiting), requests: sum(.requests),
                failures: sum(.badGateway) + sum(.unavailable) + sum(.timedOut))
        }
    }

    /// A server's state in one word: what stands against it most firmly.
    static func state(of plan: ServerPlan, _ proxy: ProxyServer) -> String {
        let slot = Int(plan.id.slot)
        let metrics = proxy.metrics.view
        if plan.isRemoved { return "removed" }
        if plan.isDisabled { return "disabled" }
        if !HealthTracker(packed: UInt64(bitPattern: metrics.load(.health, server: slot))).isHealthy { return "down" }
        if plan.drains { return "draining" }
        let outlier = OutlierDetector(packed: UInt64(bitPattern: metrics.load(.outlier, server: slot)))
        return outlier.isEjected ? "ejected" : "healthy"
    }
}
