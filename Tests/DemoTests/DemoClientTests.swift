import Kernel
import SampleServer
import Synchronization
import TLS
import Testing
import berth

@Suite("Demo client")
struct DemoClientTests {
    @Test("Sessions of a single server are all kept, and all are ended with DELETE")
    func plain() throws {
        // The server accepts 4 sessions at a time, so a fifth needs the DELETE of an earlier one.
        try withServers(1, .init(maximumSessions: 4)) { servers in
            let client = try DemoClient(address: servers[0].address, trustPEM: nil, sessions: 4)
            let statistics = try run(client) { $0.calls >= 120 && $0.begun > 4 }
            #expect(statistics.misrouted == 0 && statistics.failures == 0 && statistics.lastFailure == nil)
            #expect(statistics.affinityPercent == 100)
            #expect(statistics.callsByReplica == ["r0": statistics.calls])
            #expect(statistics.open == 0)
            #expect(statistics.latencyMilliseconds(percentile: 50) > 0)
            #expect(statistics.latencyMilliseconds(percentile: 99) >= statistics.latencyMilliseconds(percentile: 50))
        }
    }

    @Test("Sessions over TLS are all kept")
    func throughTLS() throws {
        let identity = try SelfSignedCertificate.make(names: ["localhost"], validDays: 1)
        let context = try TLSContext(
            certificatePEM: identity.certificatePEM, keyPEM: identity.keyPEM, options: TLSOptions())
        try withServers(1) { servers in
            let relay = try Relay(to: [servers[0].address], context: context)
            defer { relay.stop() }
            let client = try DemoClient(address: relay.address, trustPEM: identity.certificatePEM, sessions: 3)
            let statistics = try run(client) { $0.calls >= 60 }
            #expect(statistics.misrouted == 0 && statistics.failures == 0 && statistics.lastFailure == nil)
            #expect(statistics.callsByReplica == ["r0": statistics.calls])
        }
    }

    @Test("A server with an untrusted certificate is rejected")
    func untrusted() throws {
        let (theirs, other) = (
            try SelfSignedCertificate.make(names: ["localhost"], validDays: 1),
            try SelfSignedCertificate.make(names: ["localhost"], validDays: 1)
        )
        let context = try TLSContext(
            certificatePEM: theirs.certificatePEM, keyPEM: theirs.keyPEM, options: TLSOptions())
        try withServers(1) { servers in
            let relay = try Relay(to: [servers[0].address], context: context)
            defer { relay.stop() }
            let client = try DemoClient(address: relay.address, trustPEM: other.certificatePEM, sessions: 1)
            let statistics = try run(client) { $0.failures > 0 }
            #expect(statistics.begun == 0 && statistics.calls == 0)
        }
    }

    @Test("Calls that a balancer sends to another replica are counted as misrouted")
    func misroutingBalancer() throws {
        try withServers(2) { servers in
            // The first two messages, and two of three requests after them, reach the session's server.
            let relay = try Relay(to: [servers[0].address, servers[0].address, servers[1].address])
            defer { relay.stop() }
            let client = try DemoClient(address: relay.address, trustPEM: nil, sessions: 2)
            let statistics = try run(client) { $0.misrouted > 0 }
            #expect(statistics.affinityPercent < 100)
            #expect(statistics.failures == 0)
            #expect(statistics.lastFailure == "a live session was not found")
        }
    }

    @Test(
        "Results with another replica's name or another count are counted as misrouted",
        arguments: [("r0", "r1", "answered by r1"), ("calls\\\":3", "calls\\\":5", "was counted as 5")])
    func wrongResult(original: String, replacement: String, found: String) throws {
        try withServers(1) { servers in
            let answers = Atomic(0)
            // The fifth response is that of the second whoami, the first whose result can be compared.
            let relay = try Relay(to: [servers[0].address]) { bytes in
                let number = answers.add(1, ordering: .relaxed).newValue
                let text = String(decoding: bytes, as: UTF8.self)
                return number < 5 ? bytes : Array(text.replacing(original, with: replacement).utf8)
            }
            defer { relay.stop() }
            let client = try DemoClient(address: relay.address, trustPEM: nil, sessions: 1)
            let statistics = try run(client) { $0.misrouted > 0 }
            #expect(statistics.lastFailure?.contains(found) == true)
        }
    }

    @Test("A client of a stopped server keeps trying, and can be stopped")
    func stoppedServer() throws {
        let server = try SampleServer(name: "gone", address: .loopback(port: 0))
        server.stop()
        let client = try DemoClient(address: server.address, trustPEM: nil, sessions: 2)
        let statistics = try run(client) { $0.failures >= 2 }
        #expect(statistics.begun == 0)
        #expect(statistics.lastFailure?.hasPrefix("disconnected") == true)
    }

    // MARK: Support

    /// Servers named r0, r1, …
    private func withServers(
        _ count: Int, _ options: SampleServer.Options = .init(), _ body: ([SampleServer]) throws -> Void
    ) throws {
        let servers = try (0..<count).map {
            try SampleServer(name: "r\($0)", address: .loopback(port: 0), options: options)
        }
        defer { for server in servers { server.stop() } }
        for server in servers { try server.start() }
        try body(servers)
    }

    /// Runs the client until `isEnough` is true, and stops it. Throws after 60 s.
    private func run(_ client: DemoClient, until isEnough: (DemoStatistics) -> Bool) throws -> DemoStatistics {
        try client.start()
        defer { client.stop() }
        let deadline = Instant.now() + .seconds(60)
        var world = try Linux()
        while !isEnough(client.statistics) {
            try #require(Instant.now() < deadline, "not reached: \(client.statistics.lastFailure ?? "no failure")")
            _ = world.wait(milliseconds: 10)
        }
        client.stop()
        return client.statistics
    }
}
