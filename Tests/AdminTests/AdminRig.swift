import Admin
import Discovery
import Kernel
import Logging
import MCP
import Proxy
import Synchronization
import Telemetry

/// A proxy that has servers and was never started, and its admin pages.
struct AdminRig {
    let proxy: ProxyServer
    let pages: AdminPages

    /// An upstream "mcp" with so many servers, `s0:80` and so on.
    init(servers: Int = 2, workers: Int = 2, discovery: ServiceDiscovery? = nil) throws {
        var snapshot = Snapshot()
        snapshot.servers = (0..<servers).map {
            ServerPlan(address: .loopback(port: 80), name: "s\($0):80", upstream: 0)
        }
        snapshot.upstreams = [UpstreamPlan(name: "mcp", servers: 0..<servers)]
        snapshot.listeners = [ListenerPlan(address: .loopback(port: 0)), ListenerPlan(address: .loopback(port: 0))]
        var log = Logger(label: "test")
        log.logLevel = .critical
        proxy = try ProxyServer(snapshot: snapshot, workers: workers, log: log, discovery: discovery)
        pages = AdminPages(proxy, version: "1.2.3")
    }

    func answer(_ request: AdminRequest) async -> AdminResponse {
        await withCheckedContinuation { continuation in
            pages.answer(request) { continuation.resume(returning: $0) }
        }
    }

    /// The page of metrics, as text.
    func metrics(accept: String? = nil) async -> String {
        let response = await answer(AdminRequest(path: "/metrics", accept: accept))
        return String(decoding: response.content ?? [], as: UTF8.self)
    }

    /// Counts calls of a tool as the first worker would.
    func call(
        _ tool: String, _ outcome: CallEvent.Outcome = .success, code: Int32 = 0, server: Int32 = 0,
        milliseconds: UInt64 = 3, times: Int = 1
    ) {
        var event = CallEvent()
        event.method = .toolsCall
        event.name = CallName(Array(tool.utf8).span)
        event.outcome = outcome
        event.errorCode = code
        event.status = 200
        event.upstream = 0
        event.server = server
        event.revision = 1 << 3
        event.duration = milliseconds * 1_000_000
        event.offsets.connected = 20
        event.offsets.firstByte = 2_000
        event.flags = .request
        for _ in 0..<times { proxy.metrics.calls.recorder(worker: 0).record(event) }
    }
}

extension AdminRequest {
    /// A GET of a page.
    init(path: String, accept: String? = nil, acceptEncoding: String? = nil) {
        var fields: [String: String] = [:]
        fields["accept"] = accept
        fields["accept-encoding"] = acceptEncoding
        fields["host"] = "127.0.0.1"
        self.init(isPost: false, path: path, fields: fields, client: .address(.loopback(port: 1)))
    }
}
