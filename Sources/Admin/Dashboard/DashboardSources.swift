import Balancing
import Kernel
package import Proxy
package import Telemetry

/// Where the dashboard's figures come from.
package struct DashboardSources: Sendable {
    let proxy: ProxyServer
    let changes: AdminChanges?
    /// What calls are recorded; nil: none are, and the page shows none.
    let calls: RecentCalls?
    let version: String
    /// Nil: nothing watches for alerts.
    let alerts: AlertWatch?

    package init(
        _ proxy: ProxyServer, changes: AdminChanges?, calls: RecentCalls?, version: String,
        alerts: AlertWatch? = nil
    ) {
        self.proxy = proxy
        self.changes = changes
        self.calls = calls
        self.version = version
        self.alerts = alerts
    }

    var process: DashboardDocument.Process {
        let status = changes?.status
        return DashboardDocument.Process(
            version: version, pid: ThisProcess.id,
            uptimeSeconds: Int((Instant.now() - proxy.startedAt).milliseconds / 1_000),
            workers: proxy.metrics.workers - 1, clients: proxy.metrics.view.clientCount, draining: proxy.isDraining,
            hash: status?.hash, loadedAt: status.map { UInt64($0.loadedAt) * 1_000 },
            reloads: status.map {
                StatusDocument.Reloads(applied: $0.applied, unchanged: $0.unchanged, rejected: $0.rejected)
            },
            lastError: status?.lastError, changes: changes?.offered ?? [])
    }
}

extension DashboardDocument.Alert {
    /// The alerts there are, those that are over left out.
    static func all(_ watch: AlertWatch) -> [DashboardDocument.Alert] {
        let now = Instant.now()
        let wallClock = DashboardNames.wallMilliseconds
        return watch.alerts.filter { $0.state != .resolved }.map { alert in
            // Whole seconds: the same every time.
            let seconds = (wallClock - min(wallClock, (now - alert.since).nanoseconds / 1_000_000) + 500) / 1_000
            return DashboardDocument.Alert(
                name: alert.rule.summary, subject: alert.subject, state: alert.state.rawValue,
                severity: alert.rule.severity.rawValue, since: seconds * 1_000, summary: alert.message)
        }
    }
}

extension DashboardDocument.Listener {
    /// Where clients connect, by listener and route.
    static func all(_ snapshot: Snapshot, _ addresses: [SocketAddress]) -> [DashboardDocument.Listener] {
        var found: [DashboardDocument.Listener] = []
        for (listener, address) in zip(snapshot.listeners, addresses) where listener.role == .traffic {
            let isSecure = listener.tls != nil || listener.forwardsAsHTTPS
            let isAnywhere = address.high == 0 && (address.low == 0 || address.low == 0xffff_0000_0000)
            let host = isAnywhere ? "*" : address.isIPv4 ? address.host : "[\(address.host)]"
            let authority = host + port(address.port, isSecure)
            for target in targets(snapshot) {
                let place = target.host.map { $0 + port(address.port, isSecure) } ?? authority
                let url = "\(isSecure ? "https" : "http")://\(place)\(target.path)"
                guard found.count < 32, !found.contains(where: { $0.url == url }) else { continue }
                found.append(DashboardDocument.Listener(name: target.name, url: url))
            }
        }
        return found
    }

    private static func port(_ port: UInt16, _ isSecure: Bool) -> String {
        port == (isSecure ? 443 : 80) ? "" : ":\(port)"
    }

    /// Where requests lead: by route, or all to the first upstream.
    private static func targets(_ snapshot: Snapshot) -> [(name: String, host: String?, path: String)] {
        guard !snapshot.routes.isEmpty else { return snapshot.upstreams.prefix(1).map { ($0.name, nil, "/mcp") } }
        return snapshot.routes.filter(\.hasUpstream).map { route in
            let path =
                switch route.path {
                case .any: "/mcp"
                case .exact(let bytes): String(decoding: bytes, as: UTF8.self)
                case .prefix(let bytes):
                    String(decoding: bytes, as: UTF8.self) + (bytes.last == UInt8(ascii: "/") ? "mcp" : "")
                }
            return (
                snapshot.upstreams[route.upstream].name, route.host.map { String(decoding: $0, as: UTF8.self) }, path
            )
        }
    }
}
