import Kernel
import Logging
import Proxy
import SampleServer
import TLS

/// Berth in front of three replicas, in clear (h2c with prior knowledge) and over TLS.
final class ProxyRig {
    let replicas: [SampleServer]
    let proxy: ProxyServer

    init() throws {
        replicas = try (1...3).map {
            try SampleServer(
                name: "r\($0)", address: .loopback(port: 0), options: SampleServer.Options(eventsPerSecond: 20))
        }
        for replica in replicas { try replica.start() }
        var snapshot = Snapshot()
        snapshot.keys = [SigningKey(Machine.randomBytes(SigningKey.bytes))]
        snapshot.drainTimeout = .seconds(2)
        snapshot.servers = replicas.map { ServerPlan(address: $0.address, name: "\($0.address)", upstream: 0) }
        snapshot.upstreams = [UpstreamPlan(name: "mcp", servers: 0..<replicas.count)]
        var secure = ListenerPlan(address: .loopback(port: 0))
        let certificate = try SelfSignedCertificate.make(names: ["localhost"], validDays: 1)
        var options = TLSOptions()
        options.applicationProtocols = ["h2", "http/1.1"]
        secure.tls = try TLSContext(
            certificatePEM: certificate.certificatePEM, keyPEM: certificate.keyPEM, options: options)
        snapshot.listeners = [ListenerPlan(address: .loopback(port: 0)), secure]
        proxy = try ProxyServer(snapshot: snapshot, workers: 1, log: Logger(label: "berth"))
        try proxy.start()
    }

    func port(isSecure: Bool) -> UInt16 { proxy.addresses[isSecure ? 1 : 0].port }

    func stop() {
        _ = proxy.drain { false }
        for replica in replicas { replica.stop() }
    }
}
