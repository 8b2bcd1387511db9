import Balancing
import Foundation
package import Proxy
import Telemetry

/// The pages of the admin address. Safe to use from any thread.
package struct AdminPages: Sendable {
    private let proxy: ProxyServer

    /// The pages of `proxy`, which must be running.
    package init(_ proxy: ProxyServer) {
        self.proxy = proxy
    }

    /// The response to a GET of `path`. `/healthz`: 200 while the process runs. `/readyz`: 200 if every upstream has a
    /// healthy server and the proxy is not draining, otherwise 503. `/stats`: all metrics as JSON. 404 for any other
    /// path.
    package func answer(_ path: String) -> AdminResponse {
        switch path {
        case "/healthz": AdminResponse(status: 200, body: "ok\n")
        case "/readyz": readiness
        case "/stats": stats
        default: AdminResponse(status: 404, body: "no such page; there are /healthz, /readyz and /stats\n")
        }
    }

    private var readiness: AdminResponse {
        if proxy.isDraining { return AdminResponse(status: 503, body: "draining\n") }
        for upstream in proxy.snapshot.upstreams
        where !proxy.snapshot.servers[upstream.servers].contains(where: isUsable) {
            return AdminResponse(status: 503, body: "no server of upstream \(upstream.name) is healthy\n")
        }
        return AdminResponse(status: 200, body: "ready\n")
    }

    private func isUsable(_ server: ServerPlan) -> Bool {
        HealthTracker(packed: UInt64(bitPattern: proxy.metrics.view.load(.health, server: Int(server.id.slot))))
            .isHealthy
    }

    private var stats: AdminResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        guard let data = try? encoder.encode(StatusDocument(proxy)) else {
            return AdminResponse(status: 503, body: "cannot encode the figures\n")
        }
        return AdminResponse(
            status: 200, contentType: "application/json", body: String(decoding: data, as: UTF8.self) + "\n")
    }
}
