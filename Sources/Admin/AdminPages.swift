import Balancing
import Configuration
import Dispatch
package import Proxy
import Telemetry

/// The pages of the admin address, and the changes that can be made there. Safe to use from any thread.
package struct AdminPages: Sendable {
    let proxy: ProxyServer
    let changes: AdminChanges?
    private let upgrade: Upgrade?
    private let metrics: MetricsPage
    private let alerts: AlertWatch?
    private let dashboard: Dashboard?
    private let followers: CallFollowers

    /// Where pages are made that take long: the control thread has health checks to make.
    private static let slow = DispatchQueue(label: "berth.admin")

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
        followers = CallFollowers(proxy)
    }

    /// Answers a request, now or later. GET: `/healthz`: 200 while the process runs. `/readyz`: 200 if every upstream has a
    /// healthy server that takes new sessions and the proxy is not draining, otherwise 503. `/metrics`: all metrics, for Prometheus.
    /// `/stats`: the same as JSON. `/servers`, `/sessions`: lists of them. `/alerts`: the rules and which of them fire. `/logs`: calls
    /// as they end. `/config`: the configuration in force. `/dashboard`, to which `/` leads: all of it for people. POST: `AdminChanges`;
    /// `/explain` and `/whose`, whose bodies are not for a target; `/mcp`: the same for agents.
    package func answer(_ request: AdminRequest, _ respond: @escaping @Sendable (AdminResponse) -> Void) {
        if let refusal = access.refusal(of: request) {
            respond(refusal)
            return
        }
        guard request.isPost else {
            if let dashboard, dashboard.answer(request, respond) { return }
            switch request.path {
            case "/metrics": metrics.answer(request, changes?.status, upgrade, respond)
            case "/logs": followers.answer(request, respond)
            case "/sessions": Self.slow.async { respond(sessions(SessionQuery(query: request.query))) }
            default: respond(page(request.path))
            }
            return
        }
        guard let changes else {
            respond(AdminResponse(status: 404, body: "this process takes no changes\n"))
            return
        }
        switch request.path {
        case "/mcp": MCPTools(self, changes).answer(request, respond)
        case "/explain", "/whose":
            if let refusal = access.refusal(ofChange: request) {
                respond(refusal)
            } else {
                Self.slow.async { respond(request.path == "/whose" ? whose(request) : explanation(request)) }
            }
        default: changes.perform(request, respond)
        }
    }

    /// Who may ask for what.
    var access: AdminAccess { AdminAccess(global: changes?.status.file.configuration.global) }

    /// The response to a GET of `path`.
    package func page(_ path: String) -> AdminResponse {
        switch path {
        case "/healthz": AdminResponse(status: 200, body: "ok\n")
        case "/readyz": readiness
        case "/stats": stats
        case "/servers": JSONPage.response(ServersPage(proxy))
        case "/config": configuration
        case "/alerts" where alerts != nil: alertsPage
        case "/mcp" where changes != nil:
            AdminResponse(status: 405, body: "MCP opens no streams here: POST what is asked\n")
        default:
            AdminResponse(
                status: 404,
                body: "no such page; there are /dashboard, /healthz, /readyz, /metrics, /stats, /servers, /sessions, "
                    + "/logs, /alerts and /config\n")
        }
    }

    /// The sessions of a query. It may take some tenths of a second.
    func sessions(_ query: SessionQuery) -> AdminResponse { JSONPage.response(SessionsPage(proxy.sessions(query))) }

    /// Does something that takes too long for the control thread.
    func later(_ body: @escaping @Sendable () -> Void) { Self.slow.async(execute: body) }

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
