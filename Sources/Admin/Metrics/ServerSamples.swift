import FoundationEssentials
import Kernel
import Proxy
import Telemetry

/// The metrics of every server of the configuration in force.
struct ServerSamples {
    /// What is said of a server. Each metric walks over all of them, so they are kept small.
    private struct Server {
        let slot: Int
        let condition: MetricsPage.ServerCondition
        let load: ServerLoad
        let maximumSessions: Int64
        let maximumStreams: Int64
        let maximumConnections: Int64
        let labels: LabelText
    }

    private let proxy: ProxyServer
    private let servers: [Server]

    init(_ proxy: ProxyServer) {
        self.proxy = proxy
        let snapshot = proxy.snapshot
        servers = snapshot.upstreams.flatMap { upstream in
            snapshot.servers[upstream.servers].map { plan in
                Server(
                    slot: Int(plan.id.slot), condition: MetricsPage.ServerCondition(plan, proxy),
                    load: proxy.load(of: plan), maximumSessions: Int64(clamping: upstream.maximumSessions),
                    maximumStreams: Int64(clamping: upstream.pool.maximumStreams),
                    maximumConnections: Int64(clamping: upstream.pool.maximum),
                    labels: LabelText(["upstream", "server"], [upstream.name, plan.name]))
            }
        }
    }

    func write(_ writer: inout ExpositionWriter) {
        writeState(&writer)
        writeSessions(&writer)
        writePool(&writer)
        writeRequests(&writer)
    }

    private func writeState(_ writer: inout ExpositionWriter) {
        for server in servers {
            writer.sample(
                MetricCatalog.serverUp, server.labels, server.condition.isHealthy && !server.condition.isEjected)
        }
        for server in servers { writer.sample(MetricCatalog.serverHealthy, server.labels, server.condition.isHealthy) }
        for server in servers { writer.sample(MetricCatalog.serverEjected, server.labels, server.condition.isEjected) }
        for server in servers { writer.sample(MetricCatalog.serverDraining, server.labels, server.condition.drains) }
        let wallClock = Int64(Date().timeIntervalSince1970 * 1e9)
        let now = Instant.now()
        for server in servers {
            let checkedAt = proxy.metrics.view.load(.checkedAt, server: server.slot)
            guard checkedAt > 0 else { continue }
            let age = Int64(clamping: (now - Instant(nanoseconds: UInt64(checkedAt))).nanoseconds)
            writer.sample(MetricCatalog.serverCheckedAt, server.labels, nanoseconds: wallClock - age)
        }
        write(.ejections, MetricCatalog.ejections, &writer)
    }

    private func writeSessions(_ writer: inout ExpositionWriter) {
        for server in servers { writer.sample(MetricCatalog.sessions, server.labels, server.load.sessions) }
        for server in servers where server.maximumSessions < .max {
            writer.sample(MetricCatalog.sessionLimit, server.labels, server.maximumSessions)
        }
        write(.sessionsOpened, MetricCatalog.sessionsOpened, &writer)
        write(.sessionsEnded, MetricCatalog.sessionsEnded, &writer)
        for counter in RecoveryCounter.allCases {
            writer.sample(
                MetricCatalog.recoveries, LabelText(["result"], [SnakeCase.text("\(counter)")]),
                proxy.metrics.view.load(counter))
        }
        for server in servers { writer.sample(MetricCatalog.streams, server.labels, server.load.streams) }
        for server in servers {
            writer.sample(MetricCatalog.streamLimit, server.labels, server.maximumStreams)
        }
    }

    private func writePool(_ writer: inout ExpositionWriter) {
        let states: [(String, ServerMetric)] = [("idle", .parked), ("active", .active), ("streaming", .streaming)]
        for server in servers {
            for (state, metric) in states {
                writer.sample(
                    MetricCatalog.poolConnections, server.labels.adding("state", state),
                    max(0, proxy.metrics.sum(metric, server: server.slot)))
            }
        }
        for server in servers { writer.sample(MetricCatalog.poolLimit, server.labels, server.maximumConnections) }
        for server in servers {
            writer.sample(
                MetricCatalog.poolWaiting, server.labels, max(0, proxy.metrics.sum(.waiting, server: server.slot)))
        }
        write(.connectionsOpened, MetricCatalog.poolOpened, &writer)
        write(.connectFailures, MetricCatalog.connectFailures, &writer)
    }

    private func writeRequests(_ writer: inout ExpositionWriter) {
        write(.requests, MetricCatalog.requests, &writer)
        write(
            [
                ("session_not_found", .sessionsNotFound), ("bad_gateway", .badGateway), ("unavailable", .unavailable),
                ("timed_out", .timedOut),
            ], "kind", MetricCatalog.serverErrors, &writer)
        write(.inBandErrors, MetricCatalog.serverErrorsInBand, &writer)
        write(.replays, MetricCatalog.replays, &writer)
        write([("granted", .retries), ("refused", .retriesRefused)], "result", MetricCatalog.retries, &writer)
        for server in servers {
            guard let bytes = proxy.metrics.calls.toolListBytes(server: server.slot) else { continue }
            writer.sample(MetricCatalog.toolListBytes, server.labels, bytes)
        }
    }

    private func write(_ metric: ServerMetric, _ definition: MetricDefinition, _ writer: inout ExpositionWriter) {
        for server in servers {
            writer.sample(definition, server.labels, proxy.metrics.sum(metric, server: server.slot))
        }
    }

    private func write(
        _ metrics: [(String, ServerMetric)], _ label: String, _ definition: MetricDefinition,
        _ writer: inout ExpositionWriter
    ) {
        for server in servers {
            for (value, metric) in metrics {
                writer.sample(
                    definition, server.labels.adding(label, value), proxy.metrics.sum(metric, server: server.slot))
            }
        }
    }
}
