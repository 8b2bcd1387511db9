import Balancing
import Configuration
package import Proxy
import Telemetry

/// The pages of the admin address, and the changes that can be made there. Safe to use from any thread.
package struct AdminPages: Sendable {
    private let proxy: ProxyServer
    private let changes: AdminChanges?
    private let upgrade: Upgrade?
    private let metrics: MetricsPage
    private let alerts: AlertWatch?
    private let dashboard: Dashboard?

    /// The pages of `proxy`, which must be running. Without `changes` there is nothing to change. `version` is Berth's; `alerts`
    /// knows which alerts there are.
    package init(
        _ proxy: ProxyServer, changes: AdminChanges? = nil, upgrade: Upgrade? = nil, version: String = "unknown",
        alerts: AlertWatch? = nil, dashboard: Dashboard? = nil
    ) {
        self.alerts = alerts
        self.dashboard = dashboard
        self.proxy = proxy
        self.changes = changes
        self.upgrade = upgrade
        metrics = MetricsPage(proxy: proxy, version: version)
    }

    /// Answers a request, now or later. GET: `/healthz`: 200 while the process runs. `/readyz`: 200 if every upstream has a
    /// healthy server that takes new sessions and the proxy is not draining, otherwise 503. `/metrics`: all metrics, for Prometheus. `/stats`: the same as JSON.
    /// `/alerts`: the rules and which of them fire. `/config`: the configuration in force. `/dashboard`, to which `/` leads: all of it
    /// for people. POST: `AdminChanges`.
    package func answer(_ request: AdminRequest, _ respond: @escaping @Sendable (AdminResponse) -> Void) {
        guard request.isPost else {
            if let dashboard, dashboard.answer(request, respond) { return }
            if request.path == "/metrics" {
                metrics.answer(request, changes?.status, upgrade, respond)
                return
            }
            respond(page(request.path))
            return
        }
        guard let changes else {
            respond(AdminResponse(status: 404, body: "this process takes no changes\n"))
            return
        }
        changes.perform(request, respond)
    }

    /// The response to a GET of `path`.
    package func page(_ path: String) -> AdminResponse {
        switch path {
        case "/healthz": AdminResponse(status: 200, body: "ok\n")
        case "/readyz": readiness
        case "/stats": stats
        case "/config": configuration
        case "/alerts" where alerts != nil: alertsPage
        default:
            AdminResponse(
                status: 404,
                body: "no such page; there are /dashboard, /healthz, /readyz, /metrics, /stats, /alerts and /config\n")
        }
    }

    private var readiness: AdminResponse {
        if proxy.isDraining { return AdminResponse(status: 503, body: "draining\n") }
        let snapshot = proxy.snapshot
        for upstream in snapshot.upstreams where !snapshot.servers[upstream.servers].contains(where: isUsable) {
            return AdminResponse(
                status: 503, body: "no server of upstream \(upstream.name) is healthy and takes new sessions\n")
        }
        return AdminResponse(status: 200, body: "ready\n")
    }

    private func isUsable(_ server: ServerPlan) -> Bool {
        let health = proxy.metrics.view.load(.health, server: Int(server.id.slot))
        return !server.drains && HealthTracker(packed: UInt64(bitPattern: health)).isHealthy
    }

    private var stats: AdminResponse {
        JSONPage.response(StatusDocument(proxy, changes?.status, upgrade))
    }

    private var alertsPage: AdminResponse {
        guard let alerts else { return AdminResponse(status: 404, body: "nothing watches for alerts\n") }
        return JSONPage.response(AlertsDocument(alerts))
    }

    private var configuration: AdminResponse {
        guard let status = changes?.status else {
            return AdminResponse(status: 404, body: "this process runs without a configuration file\n")
        }
        return AdminResponse(
            status: 200, contentType: "application/toml; charset=utf-8",
            body: "# configuration \(status.hash)\n" + status.file.effectiveText())
    }
}
