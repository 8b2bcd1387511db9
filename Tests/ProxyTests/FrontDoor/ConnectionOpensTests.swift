import Configuration
import Kernel
import RateLimiting
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// How fast an address may open connections: `connection_opens`; and how refusals at accept are counted.
@Suite("connection_opens")
struct ConnectionOpensTests {
    private static func address(_ text: String) throws -> SocketAddress {
        try #require(SocketAddress(literal: text, port: 40_000))
    }

    private static func rate(_ count: Int, per seconds: Int) -> RequestRate {
        RequestRate(connectionOpens: RateText(count, per: seconds))
    }

    /// Whether a new connection of an address is served; it leaves if it is.
    private static func isServed(_ stage: ProxyStage, _ address: SocketAddress) -> Bool {
        let client = stage.connect(from: address)
        client.ask(.get())
        stage.run { client.responses.count == 1 || client.isOver }
        client.leave()
        return client.responses.count == 1
    }

    @Test("a second's worth may come at once, one connection at least")
    func bursts() {
        let bursts = [(50, 1), (1, 1), (30, 60), (60, 60), (90, 60), (1, 86_400), (100_000, 1)].map {
            Self.rate($0, per: $1).burst
        }
        #expect(bursts == [50, 1, 1, 1, 2, 1, 100_000])
    }

    @Test("the verdict on each connection, by its address, its listener and its time")
    func table() throws {
        let opens = try ConnectionOpens()
        let rate = Self.rate(2, per: 1)
        let steps: [(milliseconds: Int, address: String, listener: Int, verdict: Admission)] = [
            (0, "192.0.2.1", 0, .admitted), (0, "192.0.2.1", 0, .admitted), (0, "192.0.2.1", 0, .refused),
            (0, "192.0.2.2", 0, .admitted), (0, "192.0.2.1", 1, .admitted), (499, "192.0.2.1", 0, .refused),
            (500, "192.0.2.1", 0, .admitted), (500, "192.0.2.1", 0, .refused), (999, "::ffff:192.0.2.1", 0, .refused),
            (1_000, "::ffff:192.0.2.1", 0, .admitted), (1_000, "2001:db8::1", 0, .admitted),
            (1_000, "2001:db8::2", 0, .admitted), (1_000, "2001:db8::ffff", 0, .refused),
            (1_000, "2001:db8:0:1::1", 0, .admitted), (90_000, "192.0.2.1", 0, .admitted),
            (90_000, "192.0.2.1", 0, .admitted), (90_000, "192.0.2.1", 0, .refused),
        ]
        for (index, step) in steps.enumerated() {
            let claim = AddressClaim(try Self.address(step.address), listener: step.listener)
            let now = Instant(nanoseconds: 1_000_000_000) + .milliseconds(UInt64(step.milliseconds))
            #expect(opens.open(claim, rate, now: now) == step.verdict, "step \(index): \(step)")
        }
    }

    @Test("under another rate an address begins anew: an operator who loosens it lets in whom it has kept out")
    func anotherRate() throws {
        let opens = try ConnectionOpens()
        let claim = AddressClaim(try Self.address("192.0.2.1"), listener: 0)
        let now = Instant(nanoseconds: 1_000_000_000)
        let (narrow, wide) = (Self.rate(1, per: 3_600), Self.rate(5, per: 1))
        #expect(opens.open(claim, narrow, now: now) == .admitted && opens.open(claim, narrow, now: now) == .refused)
        #expect(opens.open(claim, wide, now: now) == .admitted)
        #expect(opens.open(claim, narrow, now: now) == .refused)
    }

    @Test("a flood of one address is refused before TLS, and others are served", arguments: 1...4)
    func flood(seed: UInt64) throws {
        let stage = ProxyStage(seed: seed)
        try stage.configure(listen: "connection_opens = \"5/s\"")
        stage.addSecureListener()
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let flooder = try Self.address("192.0.2.1")
        let other = try Self.address("192.0.2.2")
        let flood = (0..<200).map { _ in stage.connect(from: flooder) }
        for client in flood { client.ask(.get()) }
        #expect(Self.isServed(stage, other), "seed \(seed)")
        stage.run { flood.allSatisfy { $0.isOver || $0.responses.count == 1 } }
        let served = flood.count { $0.responses.count == 1 }
        #expect((5...15).contains(served), "\(served) of one address were served, seed \(seed)")
        #expect(stage.metrics.view.load(.connectionOpens) == Int64(200 - served), "seed \(seed)")
        #expect(stage.metrics.sum(.acceptedClients) == Int64(served) + 1, "seed \(seed)")
        for client in flood { client.leave() }
        stage.run(for: .seconds(1))
        #expect(Self.isServed(stage, flooder), "what was refused did not count, seed \(seed)")
        stage.expectNoLeaks()
    }

    @Test("workers share the rate, and a listener without it asks nobody")
    func workers() throws {
        let stages = ProxyStage.workers(2, seed: 1, servers: 1)
        let shared = try ConnectionOpens()
        for stage in stages {
            stage.snapshot.listeners[0].connectionOpens = Self.rate(2, per: 60)
            stage.snapshot.connectionOpens = shared
            _ = ScriptedServer(stage) { _ in .reply("ok") }
        }
        let address = try Self.address("192.0.2.1")
        #expect(Self.isServed(stages[0], address) && !Self.isServed(stages[1], address))
        #expect(Self.isServed(stages[1], try Self.address("192.0.2.2")))
        try stages[1].reload { $0.listeners[0].connectionOpens = nil }
        #expect(Self.isServed(stages[1], address) && Self.isServed(stages[1], address))
        for stage in stages { stage.run(for: .seconds(200)) }
        for stage in stages { stage.expectNoLeaks() }
    }

    @Test("trusted proxies speak for many; what a PROXY header names counts")
    func proxies() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(listen: "connection_opens = \"1/h\"\ntrusted_proxies = [\"10.0.0.0/8\"]")
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let proxy = try Self.address("10.0.0.1")
        #expect(Self.isServed(stage, proxy) && Self.isServed(stage, proxy))
        let outsider = try Self.address("192.0.2.1")
        #expect(Self.isServed(stage, outsider) && !Self.isServed(stage, outsider))
        stage.expectNoLeaks()

        let balanced = ProxyStage(seed: 2)
        try balanced.configure(
            listen: "connection_opens = \"1/h\"\ntrusted_proxies = [\"10.0.0.0/8\"]\nproxy_protocol = true")
        _ = ScriptedServer(balanced) { _ in .reply("ok") }
        func ask(_ source: String) -> Int {
            let client = balanced.connect(from: proxy)
            client.expect("GET")
            client.peer.perform(.text("PROXY TCP4 \(source) 192.0.2.254 4711 443\r\n" + .get()))
            balanced.run { client.responses.count == 1 || client.isOver }
            client.leave()
            return client.responses.count
        }
        #expect([ask("203.0.113.7"), ask("203.0.113.8"), ask("203.0.113.7")] == [1, 1, 0])
        #expect(balanced.metrics.view.load(.connectionOpens) == 1)
        balanced.expectNoLeaks()
    }

    @Test("connections that are refused are counted by reason", arguments: ConnectionRefusal.allCases)
    func reasons(_ reason: ConnectionRefusal) throws {
        let stage = ProxyStage(seed: 1)
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        switch reason {
        case .maxConnections: stage.listener.maximumConnections = 1
        case .maxConnectionsPerAddress: stage.listener.maximumPerAddress = 1
        case .connectionOpens:
            stage.listener.connectionOpens = Self.rate(1, per: 3_600)
            stage.snapshot.connectionOpens = try ConnectionOpens()
        case .memory: stage.snapshot.memoryLimit = 64 << 20
        }
        let client = stage.connect()
        client.ask(.get())
        stage.run { client.responses.count == 1 }
        if reason == .memory { stage.metrics.view.memoryLevel = MemoryLevel.exhausted.rawValue }
        let late = stage.connect()
        stage.run { late.isOver }
        #expect(ConnectionRefusal.allCases.filter { stage.metrics.view.load($0) != 0 } == [reason])
        #expect(stage.metrics.view.load(reason) == 1)
        client.leave()
        stage.expectNoLeaks()
    }
}
