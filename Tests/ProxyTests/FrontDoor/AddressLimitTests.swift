import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// Connections of one address: `max_connections_per_address`.
@Suite("max_connections_per_address")
struct AddressLimitTests {
    private static func address(_ text: String, _ port: UInt16 = 40_000) throws -> SocketAddress {
        try #require(SocketAddress(literal: text, port: port))
    }

    private static func stage(_ seed: UInt64, limit: Int = 2) -> ProxyStage {
        let stage = ProxyStage(seed: seed)
        stage.snapshot.listeners[0].maximumPerAddress = limit
        return stage
    }

    /// Whether a new connection of an address is served; it stays open.
    private static func isServed(_ stage: ProxyStage, _ address: SocketAddress) -> (Bool, ScriptedClient) {
        let client = stage.connect(from: address)
        client.ask(.get())
        stage.run { client.responses.count == 1 || client.isOver }
        return (client.responses.count == 1, client)
    }

    @Test(
        "an IPv4 address counts as a whole, of IPv6 the network, and a connection that ends makes place",
        arguments: 1...3)
    func table(seed: UInt64) throws {
        let stage = Self.stage(seed)
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        var open: [ScriptedClient] = []
        let steps = [
            ("192.0.2.1", true), ("192.0.2.2", true), ("192.0.2.1", true), ("192.0.2.1", false), ("192.0.2.2", true),
            ("192.0.2.2", false), ("2001:db8::1", true), ("2001:db8::2", true), ("2001:db8::ffff", false),
            ("2001:db8:0:1::1", true), ("::ffff:192.0.2.1", false),
        ]
        for (text, expected) in steps {
            let (isServed, client) = try Self.isServed(stage, Self.address(text))
            #expect(isServed == expected, "\(text), seed \(seed)")
            if isServed { open.append(client) }
        }
        open[0].leave()
        stage.run(for: .seconds(3))
        #expect(try Self.isServed(stage, Self.address("192.0.2.1")).0, "seed \(seed)")
        #expect(try !Self.isServed(stage, Self.address("192.0.2.1")).0, "seed \(seed)")
        stage.expectNoLeaks()
        #expect(stage.snapshot.addresses.addressCount == 0, "seed \(seed)")
    }

    @Test("workers share the bound, and listeners do not")
    func workers() throws {
        let stages = ProxyStage.workers(2, seed: 1, servers: 1)
        let shared = stages[0].snapshot.addresses
        for stage in stages {
            stage.snapshot.listeners[0].maximumPerAddress = 2
            stage.snapshot.addresses = shared
            _ = ScriptedServer(stage) { _ in .reply("ok") }
        }
        let address = try Self.address("192.0.2.1")
        #expect(Self.isServed(stages[0], address).0 && Self.isServed(stages[1], address).0)
        #expect(!Self.isServed(stages[0], address).0 && !Self.isServed(stages[1], address).0)
        #expect(AddressClaim(address, listener: 0) != AddressClaim(address, listener: 1))
        // They share the gauges of their servers.
        for stage in stages { stage.run(for: .seconds(200)) }
        for stage in stages { stage.expectNoLeaks() }
        #expect(shared.addressCount == 0)
    }

    @Test("trusted proxies speak for many; what a PROXY header names counts")
    func proxies() throws {
        let stage = Self.stage(1, limit: 1)
        try stage.configure(listen: "trusted_proxies = [\"10.0.0.0/8\"]")
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let proxy = try Self.address("10.0.0.1")
        #expect(Self.isServed(stage, proxy).0 && Self.isServed(stage, proxy).0)
        let outsider = try Self.address("192.0.2.1")
        #expect(Self.isServed(stage, outsider).0 && !Self.isServed(stage, outsider).0)
        stage.expectNoLeaks()

        let balanced = Self.stage(2, limit: 1)
        try balanced.configure(listen: "trusted_proxies = [\"10.0.0.0/8\"]\nproxy_protocol = true")
        _ = ScriptedServer(balanced) { _ in .reply("ok") }
        func ask(_ source: String) -> Int {
            let client = balanced.connect(from: proxy)
            client.expect("GET")
            client.peer.perform(.text("PROXY TCP4 \(source) 192.0.2.254 4711 443\r\n" + .get()))
            balanced.run { client.responses.count == 1 || client.isOver }
            return client.responses.count
        }
        #expect([ask("203.0.113.7"), ask("203.0.113.8"), ask("203.0.113.7")] == [1, 1, 0])
        balanced.expectNoLeaks()
        #expect(balanced.snapshot.addresses.addressCount == 0)
    }

    @Test("the bound of a reload holds for connections that come after it")
    func reload() throws {
        let stage = ProxyStage(seed: 1)
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let address = try Self.address("192.0.2.1")
        #expect(Self.isServed(stage, address).0 && Self.isServed(stage, address).0)
        try stage.reload { $0.listeners[0].maximumPerAddress = 1 }
        #expect(Self.isServed(stage, address).0 && !Self.isServed(stage, address).0)
        try stage.reload { $0.listeners[0].maximumPerAddress = .max }
        #expect(Self.isServed(stage, address).0)
        stage.expectNoLeaks()
        #expect(stage.snapshot.addresses.addressCount == 0)
    }
}
