import Configuration
import Discovery
import Foundation
import Kernel
import Logging
import Proxy
import SampleServer
import Synchronization
import TLS
import TestSupport
import Testing

/// Berth in front of servers that a name server tells it of, all in this process.
final class FleetRig {
    let nameServer: TestNameServer
    let proxy: ProxyServer
    let record: FleetRecord
    private let reloader: Reloader
    private var servers: [Int: SampleServer] = [:]
    private let port: UInt16
    /// The keys that sign session ids. Without a file of them a reload would make others.
    private let keys =
        FileManager.default.temporaryDirectory.path + "/berth-fleet-\(UInt64.random(in: 0 ... .max)).keys"

    /// `count` servers run and are found at the start.
    init(_ count: Int) throws {
        Machine.raiseDescriptorLimit()
        let nameServer = try TestNameServer()
        self.nameServer = nameServer
        let first = try FleetRig.server(1, port: 0)
        port = first.address.port
        servers[1] = first
        let record = FleetRecord()
        self.record = record
        let log = record.logger
        let file = try FleetRig.file(nameServer.address, port, keys: keys)
        let discovery = try ServiceDiscovery(log: log)
        nameServer.change { $0.addresses = (1...count).map { FleetRig.address($0) } }
        for number in 2...count { servers[number] = try FleetRig.server(number, port: first.address.port) }
        let secrets = try SessionSecrets(file.configuration, log: log)
        let snapshot = try Snapshot(
            file.configuration, keys: secrets.keys, tickets: secrets.tickets,
            discovered: discovery.found(file.configuration.discoveryPlans, within: .seconds(10)))
        proxy = try ProxyServer(snapshot: snapshot, workers: 2, log: log, secrets: secrets, discovery: discovery)
        reloader = try Reloader(proxy, file: file, log: log) { .success(file) }
        try proxy.start()
        try reloader.start()
    }

    private static func file(_ nameServer: SocketAddress, _ port: UInt16, keys: String) throws -> ConfigurationFile {
        let text = """
            [global]
            drain_timeout = "2m"
            secret = "file:\(keys)"
            [listen]
            http = "127.0.0.1:0"
            [upstream.mcp]
            health_check = { slow_start = "5s" }
            [upstream.mcp.discover]
            dns = "mcp.test."
            port = \(port)
            nameserver = "\(nameServer)"
            min_ttl = "200ms"
            max_ttl = "500ms"
            max_changes = 1_000
            """
        let checks = ConfigurationChecks(files: false, environment: { _ in nil })
        return try ConfigurationFile.parse(text, file: "fleet.toml", checks: checks).get()
    }

    /// Addresses of loopback that nothing else has.
    private static func address(_ number: Int) -> SocketAddress { .ipv4(0x7f17_0000 + UInt32(number), port: 0) }

    private static func server(_ number: Int, port: UInt16) throws -> SampleServer {
        let place = SocketAddress.ipv4(0x7f17_0000 + UInt32(number), port: port)
        let options = SampleServer.Options(maximumConnections: 1_024, eventsPerSecond: 5, product: "fleet")
        let server = try SampleServer(name: "r\(number)", address: place, options: options)
        try server.start()
        return server
    }

    /// Where clients connect.
    var front: UInt16 { proxy.addresses[0].port }

    /// Servers that are found and in use, and those that have vanished and finish what they have.
    var counts: (found: Int, leaving: Int) {
        let plans = proxy.snapshot.servers
        return (plans.count { !$0.isRemoved }, plans.count { $0.isRemoved })
    }

    /// What those that have vanished still have.
    var unfinished: [ServerLoad] { proxy.snapshot.servers.filter(\.isRemoved).map { proxy.load(of: $0) } }

    /// Starts the servers 1 to `count` that do not run, and has the name server name exactly these.
    func scale(to count: Int) throws {
        for number in 1...count where servers[number] == nil {
            servers[number] = try FleetRig.server(number, port: port)
        }
        nameServer.change { $0.addresses = (1...count).map { FleetRig.address($0) } }
    }

    /// Ends the servers that are not named any more.
    func stop(above count: Int) {
        for number in servers.keys where number > count { servers.removeValue(forKey: number)?.stop() }
    }

    func finish() {
        reloader.stop()
        _ = proxy.drain { true }
        proxy.stop()
        for server in servers.values { server.stop() }
        nameServer.stop()
        for name in [keys, keys + ".tickets"] { try? FileManager.default.removeItem(atPath: name) }
    }
}

/// What Berth has logged.
final class FleetRecord: Sendable {
    private let kept = Mutex<[String]>([])

    /// "level: message", oldest first.
    var lines: [String] { kept.withLock { $0 } }

    var logger: Logger {
        Logger(label: "fleet") { _ in Handler(record: self) }
    }

    private struct Handler: LogHandler {
        let record: FleetRecord
        var logLevel = Logger.Level.notice
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { record.kept.withLock { $0.append("\(event.level): \(event.message)") } }
    }
}
