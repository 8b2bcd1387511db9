import Balancing
import Foundation
package import Proxy
import Telemetry

/// The pages of the admin address.
package struct AdminPages: Sendable {
    private let proxy: ProxyServer

    package init(_ proxy: ProxyServer) {
        self.proxy = proxy
    }

    /// The answer to a GET of `path`. `/healthz`: the process lives. `/readyz`: it can serve, which takes one healthy
    /// server in every upstream, and is not about to leave. `/stats`: everything, as JSON.
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
