import Kernel
import SampleServer
import Synchronization
import TLS
import Testing
import berth

@Suite("DemoClient")
struct DemoClientTests {
    @Test("sessions straight to one server are all kept, and all goodbyes are said")
    func plain() throws {
        // Without a DELETE for each, the fifth session would find no place.
        try withServers(1, .init(maximumSessions: 4)) { servers in
            let client = try DemoClient(address: servers[0].address, trustPEM: nil, sessions: 4)
            let figures = try run(client) { $0.calls >= 120 && $0.begun > 4 }
            #expect(figures.strays == 0 && figures.failures == 0 && figures.lastFailure == nil)
            #expect(figures.affinityPercent == 100)
            #expect(figures.callsByReplica == ["r0": figures.calls])
            #expect(figures.open == 0)
            #expect(figures.latencyMilliseconds(percentile: 50) > 0)
            #expect(figures.latencyMilliseconds(percentile: 99) >= figures.latencyMilliseconds(percentile: 50))
        }
    }

    @Test("sessions through TLS are kept just so")
    func throughTLS() throws {
        let identity = try SelfSignedCertificate.make(names: ["localhost"], validDays: 1)
        let context = try TLSContext(
            certificatePEM: identity.certificatePEM, keyPEM: identity.keyPEM, options: TLSOptions())
        try withServers(1) { servers in
            let relay = try Relay(to: [servers[0].address], context: context)
            defer { relay.stop() }
            let client = try DemoClient(address: relay.address, trustPEM: identity.certificatePEM, sessions: 3)
            let figures = try run(client) { $0.calls >= 60 }
            #expect(figures.strays == 0 && figures.failures == 0 && figures.lastFailure == nil)
            #expect(figures.callsByReplica == ["r0": figures.calls])
        }
    }

    @Test("a certificate nobody vouched for is refused")
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
            let figures = try run(client) { $0.failures > 0 }
            #expect(figures.begun == 0 && figures.calls == 0)
        }
    }

    @Test("a balancer that sends a session's calls to another replica is found out")
    func fickle() throws {
        try withServers(2) { servers in
            // The first two messages and every other call after them find the session.
            let relay = try Relay(to: [servers[0].address, servers[0].address, servers[1].address])
            defer { relay.stop() }
            let client = try DemoClient(address: relay.address, trustPEM: nil, sessions: 2)
            let figures = try run(client) { $0.strays > 0 }
            #expect(figures.affinityPercent < 100)
            #expect(figures.failures == 0)
            #expect(figures.lastFailure == "a live session was not found")
        }
    }

    @Test(
        "an answer with another replica's name, or another count, is found out",
        arguments: [("r0", "r1", "answered by r1"), ("calls\\\":3", "calls\\\":5", "was counted as 5")])
    func liar(truth: String, lie: String, found: String) throws {
        try withServers(1) { servers in
            let answers = Atomic(0)
            // whoami, echo, whoami: the third answer to a call is the first that has a past.
            let relay = try Relay(to: [servers[0].address]) { bytes in
                let number = answers.add(1, ordering: .relaxed).newValue
                let text = String(decoding: bytes, as: UTF8.self)
                return number < 5 ? bytes : Array(text.replacing(truth, with: lie).utf8)
            }
            defer { relay.stop() }
            let client = try DemoClient(address: relay.address, trustPEM: nil, sessions: 1)
            let figures = try run(client) { $0.strays > 0 }
            #expect(figures.lastFailure?.contains(found) == true)
        }
    }

    @Test("with nobody there the client goes on trying, and still stops at once")
    func nobody() throws {
        let server = try SampleServer(name: "gone", address: .loopback(port: 0))
        server.stop()
        let client = try DemoClient(address: server.address, trustPEM: nil, sessions: 2)
        let figures = try run(client) { $0.failures >= 2 }
        #expect(figures.begun == 0)
        #expect(figures.lastFailure?.hasPrefix("disconnected") == true)
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

    /// Runs the client until its figures are as wanted, and stops it. Throws if they never are.
    private func run(_ client: DemoClient, until isEnough: (DemoFigures) -> Bool) throws -> DemoFigures {
        try client.start()
        defer { client.stop() }
        let deadline = Instant.now() + .seconds(60)
        var world = try Linux()
        while !isEnough(client.figures) {
            try #require(Instant.now() < deadline, "never came to it: \(client.figures.lastFailure ?? "no failure")")
            _ = world.wait(milliseconds: 10)
        }
        client.stop()
        return client.figures
    }
}
