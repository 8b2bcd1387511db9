import ArgumentParser
import Foundation
import Kernel
import Logging
import Proxy
import SampleServer
import TLS

/// `berth demo`
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract:
            "Run a demo: three sample servers, Berth with a self-signed certificate, clients with live statistics.",
        discussion: """
            Everything runs in this process, on loopback ports that the kernel chooses. Nothing is written to disk.
            Press Ctrl-C to end it.
            """)

    @Option(help: "End after this number of seconds.")
    var seconds: Int?

    @Option(help: "Concurrent MCP sessions, 1 to 1000.")
    var sessions = 12

    func validate() throws {
        if let problem = Self.problem(sessions: sessions, seconds: seconds) { throw ValidationError(problem) }
    }

    /// Why the demo cannot run with these numbers; nil if it can.
    static func problem(sessions: Int, seconds: Int?) -> String? {
        guard 1...1_000 ~= sessions else { return "--sessions must be 1 to 1000" }
        return seconds.map { $0 < 1 } == true ? "--seconds must be above 0" : nil
    }

    func run() throws {
        let signals = try Signals([SIGTERM, SIGINT])
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        let replicas = try (1...3).map { try SampleServer(name: "replica-\($0)", address: .loopback(port: 0)) }
        for replica in replicas { try replica.start() }
        let certificate = try SelfSignedCertificate.make(names: ["localhost", "127.0.0.1"], validDays: 1)
        let proxy = try startProxy(replicas, certificate)
        let client = try DemoClient(
            address: proxy.addresses[0], trustPEM: certificate.certificatePEM, sessions: sessions)
        print("Berth is at https://localhost:\(proxy.addresses[0].port)/mcp, in front of", terminator: " ")
        print(replicas.map { "\($0.name) (\($0.address))" }.joined(separator: ", "))
        try client.start()

        var screen = DemoScreen(isTerminal: isatty(STDOUT_FILENO) == 1) { text in
            // A reader that has gone, as `head` does, is no reason to end.
            try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        }
        let statistics = screen.watch(client, until: signals, seconds: seconds)
        client.stop()
        screen.summarize(statistics)
        _ = proxy.drain { signals.wait(milliseconds: 20) != nil }
        for replica in replicas { replica.stop() }
    }

    private func startProxy(
        _ replicas: [SampleServer], _ certificate: (certificatePEM: [UInt8], keyPEM: [UInt8])
    ) throws -> ProxyServer {
        Machine.raiseDescriptorLimit()
        var snapshot = Snapshot()
        snapshot.keys = [SigningKey(Machine.randomBytes(SigningKey.bytes))]
        snapshot.drainTimeout = .seconds(2)
        snapshot.servers = replicas.map { ServerPlan(address: $0.address, name: "\($0.address)", upstream: 0) }
        snapshot.upstreams = [UpstreamPlan(name: "mcp", servers: 0..<replicas.count)]
        var listener = ListenerPlan(address: .loopback(port: 0))
        listener.tls = try TLSContext(
            certificatePEM: certificate.certificatePEM, keyPEM: certificate.keyPEM, options: TLSOptions())
        snapshot.listeners = [listener]
        let proxy = try ProxyServer(
            snapshot: snapshot, workers: Machine.availableProcessors, log: Logger(label: "berth"))
        try proxy.start()
        return proxy
    }
}
