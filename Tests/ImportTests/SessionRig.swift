import Configuration
import Foundation
import Import
import Kernel
import Logging
import Proxy
import SampleServer
import TLS

/// Three replicas that hold their sessions, and what is put in front of them.
final class SessionRig {
    let replicas: [SampleServer]

    var addresses: [SocketAddress] { replicas.map(\.address) }

    init() throws {
        replicas = try (1...3).map { number in
            try SampleServer(
                name: "r\(number)", address: .loopback(port: 0),
                options: SampleServer.Options(answersWithEvents: number == 2))
        }
        for replica in replicas { try replica.start() }
    }

    deinit { for replica in replicas { replica.stop() } }

    /// Berth with an imported configuration, whose upstreams all have the three replicas as their servers, and which listens
    /// in clear at one port.
    func proxy(_ text: String) throws -> ProxyServer {
        let checks = ConfigurationChecks(files: false, environment: { _ in nil })
        var configuration = try ConfigurationFile.parse(text, file: "berth.toml", checks: checks).get().configuration
        for index in configuration.upstreams.indices {
            configuration.upstreams[index].discover = nil
            configuration.upstreams[index].tls = nil
            configuration.upstreams[index].healthCheck = HealthCheckConfiguration()
            let servers = configuration.upstreams[index].servers
            configuration.upstreams[index].servers = replicas.enumerated().map { place, replica in
                var server =
                    place < servers.count
                    ? servers[place] : ServerConfiguration(address: ServerAddress(host: "", port: 1))
                server.address = ServerAddress(host: "127.0.0.1", port: replica.address.port)
                return server
            }
        }
        var listener = configuration.listeners.first { $0.redirectPort == nil } ?? configuration.listeners[0]
        listener.address = ListenAddress(host: "127.0.0.1", port: 0)
        listener.security = .plain
        listener.proxyProtocol = false
        configuration.listeners = [listener]
        // The tests' clients come from this machine, and nothing is to be printed.
        (configuration.listeners[0].access.allowed, configuration.listeners[0].access.denied) = ([], [])
        configuration.global = GlobalConfiguration()
        var snapshot = try Snapshot(configuration, keys: [SigningKey(Machine.randomBytes(SigningKey.bytes))])
        snapshot.drainTimeout = .seconds(2)
        var log = Logger(label: "import")
        log.logLevel = .critical
        let proxy = try ProxyServer(snapshot: snapshot, workers: 1, log: log)
        try proxy.start()
        return proxy
    }
}
