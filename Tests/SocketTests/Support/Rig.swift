import Admin
import Kernel
import Logging
import Proxy
import TLS
import Telemetry

/// A proxy in front of recording replicas, all in this process: a plain listener, a TLS one, an admin one.
final class Rig: Sendable {
    let replicas: [RecordingReplica]
    let proxy: ProxyServer

    var replica: RecordingReplica { replicas[0] }
    var plain: SocketAddress { proxy.addresses[0] }
    var secure: SocketAddress { proxy.addresses[1] }
    var admin: SocketAddress { proxy.addresses[2] }

    /// One worker unless told otherwise: what one connection does can then be seen on the next.
    init(
        replicas count: Int = 1, workers: Int = 1, tls: TLSOptions = TLSOptions(), streams: Int? = nil,
        answering script: @escaping RecordingReplica.Script = { _ in [.answer("ok")] },
        adjusting adjust: (_ listener: inout ListenerPlan, _ upstream: inout UpstreamPlan) -> Void = { _, _ in },
        handshaking secure: ((_ listener: inout ListenerPlan) throws -> Void)? = nil
    ) throws {
        Machine.raiseDescriptorLimit()
        replicas = try (0..<count).map { _ in try RecordingReplica(script) }
        var snapshot = Snapshot()
        snapshot.keys = [SigningKey([UInt8](repeating: 7, count: SigningKey.bytes))]
        snapshot.drainTimeout = .seconds(20)
        snapshot.maximumStreams = streams
        snapshot.servers = replicas.map { ServerPlan(address: $0.address, name: "\($0.address)", upstream: 0) }
        var upstream = UpstreamPlan(name: "mcp", servers: 0..<count)
        // Checks would show up in the recordings.
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
        let pages = AdminPages(proxy)
        try proxy.start { pages.answer($0) }
        // The first check of each replica comes within half a second of the start: let it, then forget it.
        for replica in replicas {
            try eventually("the first health check of a replica") { replica.accepted > 0 && replica.open == 0 }
        }
    }

    deinit {
        proxy.stop()
        for replica in replicas { replica.stop() }
    }

    func client(receiveBuffer: CInt = 0, room: Int = 65_536) throws -> Client {
        try Client(plain, receiveBuffer: receiveBuffer, room: room)
    }

    func secureClient(
        _ context: TLSClientContext? = nil, resuming ticket: TLSTicket? = nil, room: Int = 65_536
    ) throws -> Client {
        try Client(secure, tls: context ?? Certificates.client(), resuming: ticket, room: room)
    }

    func sum(_ figure: ServerMetric) -> Int64 {
        proxy.snapshot.servers.indices.reduce(0) { $0 + proxy.metrics.sum(figure, server: $1) }
    }

    /// Exchanges in the queues of all upstreams, as all workers count them.
    var waitingExchanges: Int64 {
        proxy.snapshot.upstreams.indices.reduce(0) { $0 + proxy.metrics.view.waiting(upstream: $1) }
    }

    func shared(_ figure: SharedMetric) -> Int64 {
        proxy.snapshot.servers.indices.reduce(0) { $0 + proxy.metrics.view.load(figure, server: $1) }
    }

    /// Waits until no exchange is under way and every connection that is left is parked.
    func expectQuiet() throws {
        try eventually("quiet; active \(sum(.active)), streaming \(sum(.streaming)), waiting \(sum(.waiting))") {
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
