import Admin
import Kernel
import Logging
import Proxy
import TLS
import Telemetry

/// A proxy with a plaintext, a TLS and an admin listener in front of recording replicas, all in this process.
final class Rig: Sendable {
    let replicas: [RecordingReplica]
    let proxy: ProxyServer
    /// What the dashboard knows of calls.
    let calls = RecentCalls()

    var replica: RecordingReplica { replicas[0] }
    var plain: SocketAddress { proxy.addresses[0] }
    var secure: SocketAddress { proxy.addresses[1] }
    var admin: SocketAddress { proxy.addresses[2] }

    /// One worker by default, so that all connections share a worker.
    init(
        replicas count: Int = 1, workers: Int = 1, tls: TLSOptions = TLSOptions(), streams: Int? = nil,
        answering script: @escaping RecordingReplica.Script = { _ in [.answer("ok")] },
        adjusting adjust: (_ listener: inout ListenerPlan, _ upstream: inout UpstreamPlan) -> Void = { _, _ in },
        handshaking secure: ((_ listener: inout ListenerPlan) throws -> Void)? = nil, admin handler: AdminHandler? = nil
    ) throws {
        Machine.raiseDescriptorLimit()
        replicas = try (0..<count).map { _ in try RecordingReplica(script) }
        var snapshot = Snapshot()
        snapshot.keys = [SigningKey([UInt8](repeating: 7, count: SigningKey.bytes))]
        snapshot.drainTimeout = .seconds(20)
        snapshot.maximumStreams = streams
        snapshot.servers = replicas.map { ServerPlan(address: $0.address, name: "\($0.address)", upstream: 0) }
        var upstream = UpstreamPlan(name: "mcp", servers: 0..<count)
        // Health checks would be recorded too.
        upstream.healthCheck.interval = .seconds(3_600)
        var listener = ListenerPlan(address: .loopback(port: 0))
        adjust(&listener, &upstream)
        snapshot.upstreams = [upstream]
        var second = listener
        if let secure { try secure(&second) } else { second.tls = try Certificates.server(tls) }
        var admin = ListenerPlan(address: .loopback(port: 0))
        admin.role = .admin
        snapshot.listeners = [listener, second, admin]
        var log = Logger(label: "tests")
        log.logLevel = .critical
        proxy = try ProxyServer(snapshot: snapshot, workers: workers, log: log)
        let dashboard = Dashboard(DashboardSources(proxy, changes: nil, calls: calls, version: "0.0.0"))
        let pages = AdminPages(proxy, dashboard: dashboard)
        try proxy.start(admin: handler ?? { pages.answer($0, $1) })
        // The first health check of each replica comes within half a second. Wait for it and drop its record.
        for replica in replicas {
            try eventually("the first health check of a replica") { replica.accepted > 0 && replica.open == 0 }
        }
    }

    deinit {
        proxy.stop()
        for replica in replicas { replica.stop() }
    }

    func client(receiveBuffer: CInt = 0, bufferBytes: Int = 65_536) throws -> Client {
        try Client(plain, receiveBuffer: receiveBuffer, bufferBytes: bufferBytes)
    }

    func secureClient(
        _ context: TLSClientContext? = nil, resuming ticket: TLSTicket? = nil, bufferBytes: Int = 65_536
    ) throws -> Client {
        try Client(secure, tls: context ?? Certificates.client(), resuming: ticket, bufferBytes: bufferBytes)
    }

    func sum(_ metric: ServerMetric) -> Int64 {
        proxy.snapshot.servers.indices.reduce(0) { $0 + proxy.metrics.sum(metric, server: $1) }
    }

    /// Exchanges in the queues of all upstreams, as all workers count them.
    var waitingExchanges: Int64 {
        proxy.snapshot.upstreams.indices.reduce(0) { $0 + proxy.metrics.view.waiting(upstream: $1) }
    }

    func shared(_ metric: SharedMetric) -> Int64 {
        proxy.snapshot.servers.indices.reduce(0) { $0 + proxy.metrics.view.load(metric, server: $1) }
    }

    /// Waits until no exchange is open and every upstream connection is parked.
    func expectIdle() throws {
        try eventually("idle; active \(sum(.active)), streaming \(sum(.streaming)), waiting \(sum(.waiting))") {
            sum(.active) == 0 && sum(.streaming) == 0 && sum(.waiting) == 0 && shared(.streams) == 0
                && waitingExchanges == 0 && shared(.connections) == sum(.parked)
        }
    }
}

/// One certificate for all tests, and the contexts made with it.
enum Certificates {
    private static let pair = Result {
        try SelfSignedCertificate.make(names: ["localhost", "127.0.0.1"], validDays: 2)
    }

    static func server(_ options: TLSOptions) throws -> TLSContext {
        let (certificate, key) = try pair.get()
        return try TLSContext(certificatePEM: certificate, keyPEM: key, options: options)
    }

    static var trust: TLSClientContext.Trust {
        get throws { try .certificates(pair.get().certificatePEM) }
    }

    static var identity: TLSIdentity {
        get throws { try TLSIdentity(certificate: .bytes(pair.get().certificatePEM), key: .bytes(pair.get().keyPEM)) }
    }

    static func client(maximum: TLSVersion = .v1_3, protocols: [String] = ["http/1.1"]) throws -> TLSClientContext {
        var options = TLSOptions()
        options.maximumVersion = maximum
        options.applicationProtocols = protocols
        return try TLSClientContext(trust: .certificates(pair.get().certificatePEM), options: options)
    }
}
