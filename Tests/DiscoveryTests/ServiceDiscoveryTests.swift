import Foundation
import Glibc
import Kernel
import Synchronization
import TestSupport
import Testing

@testable import Discovery

/// Discovery with a name server and files.
@Suite("Discovery")
struct ServiceDiscoveryTests {
    private let nameServer: TestNameServer
    private let heard = Heard()

    init() throws { nameServer = try TestNameServer() }

    /// What was reported.
    private final class Heard: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    private static func addresses(_ numbers: ClosedRange<UInt32>) -> [SocketAddress] {
        numbers.map { .ipv4(0x7f00_0000 + $0, port: 0) }
    }

    private func plan(_ source: DiscoverySource = .dns(name: "mcp.test.", port: 3_001)) -> DiscoveryPlan {
        var plan = DiscoveryPlan(upstream: "mcp", source: source)
        plan.nameServer = nameServer.address
        plan.limits.minimumTTL = .milliseconds(20)
        plan.limits.maximumTTL = .milliseconds(50)
        return plan
    }

    private func discovery(known: [String: [DiscoveredServer]] = [:]) throws -> ServiceDiscovery {
        try ServiceDiscovery(known: known) { [heard] _, action in
            for notice in action.notices { heard.add(notice.text) }
        }
    }

    private func eventually(_ what: String, within seconds: UInt64 = 30, _ isTrue: () throws -> Bool) throws {
        let deadline = Instant.now() + .seconds(seconds)
        while try !isTrue() {
            try #require(Instant.now() < deadline, "\(what): \(heard.all)")
            usleep(5_000)
        }
    }

    private func names(_ discovery: ServiceDiscovery, _ plan: DiscoveryPlan) throws -> [String] {
        try discovery.servers(of: [plan], within: Interval(nanoseconds: 0))["mcp"]?.map(\.name) ?? []
    }

    @Test("a name with addresses of both kinds, which come and go")
    func follows() throws {
        let six = try #require(SocketAddress(literal: "fd00::1", port: 0))
        nameServer.change { $0.addresses = Self.addresses(1...3) + [six] }
        let discovery = try discovery()
        defer { discovery.stop() }
        let changes = Mutex(0)
        discovery.whenChanged { changes.withLock { $0 += 1 } }
        let found = try discovery.servers(of: [plan()], within: .seconds(10))
        #expect(found["mcp"]?.map(\.name) == ["127.0.0.1:3001", "127.0.0.2:3001", "127.0.0.3:3001", "[fd00::1]:3001"])

        nameServer.change { $0.addresses = Self.addresses(3...4) }
        try eventually("others") { try names(discovery, plan()) == ["127.0.0.3:3001", "127.0.0.4:3001"] }
        #expect(changes.withLock { $0 } >= 1)
        let status = try #require(discovery.statuses.first)
        #expect(status.servers == 2 && status.counts.appeared == 5 && status.counts.vanished == 3)
        nameServer.stop()
    }

    @Test(
        "answers that are empty, not found, failed, truncated or garbage change nothing and are said once",
        arguments: [
            (TestNameServer.Behaviour.empty, DiscoveryFailure.Reason.empty), (.notFound, .notFound), (.fails, .refused),
            (.truncates, .truncated), (.garbage([0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]), .timeout),
        ])
    func failures(behaviour: TestNameServer.Behaviour, reason: DiscoveryFailure.Reason) throws {
        nameServer.change { $0.addresses = Self.addresses(1...3) }
        let discovery = try discovery()
        defer { discovery.stop() }
        _ = try discovery.servers(of: [plan()], within: .seconds(10))
        nameServer.change { $0.behaviour = behaviour }
        try eventually("two failures") {
            (discovery.statuses[0].counts.failures.values.reduce(0, +)) >= (reason == .timeout ? 1 : 2)
        }
        let counts = discovery.statuses[0].counts
        if reason != .timeout { #expect(counts.failure?.reason == reason, "\(counts)") }
        #expect(discovery.statuses[0].servers == 3)
        #expect(heard.all.count == 1, "\(heard.all)")
        nameServer.change { $0.behaviour = .answers }
        try eventually("answers again") { heard.all.last == "answers again" }
        nameServer.stop()
    }

    @Test("two hundred addresses come over TCP, for no datagram holds them")
    func large() throws {
        nameServer.change { $0.addresses = Self.addresses(1...200) }
        let discovery = try discovery()
        defer { discovery.stop() }
        #expect(try discovery.servers(of: [plan()], within: .seconds(10))["mcp"]?.count == 200)
        nameServer.stop()
    }

    @Test("a name server that is not there fails at once; one that is silent holds up nobody")
    func silent() throws {
        nameServer.change { $0.behaviour = .loses }
        let discovery = try discovery()
        defer { discovery.stop() }
        let begin = Instant.now()
        #expect(try discovery.servers(of: [plan()], within: .milliseconds(100))["mcp"] == [])
        #expect(Instant.now() - begin < .seconds(2), "the caller's limit, not the name server's")
        nameServer.change {
            $0.behaviour = .answers
            $0.addresses = Self.addresses(1...1)
        }
        try eventually("the server") { try names(discovery, plan()) == ["127.0.0.1:3001"] }
        nameServer.stop()
    }

    @Test("services, with their addresses beside them and without", arguments: [true, false])
    func services(adds: Bool) throws {
        nameServer.change { zone in
            zone.adds = adds
            zone.services = [
                DNSService(priority: 0, weight: 1, port: 80, target: "h1.test"),
                DNSService(priority: 9, weight: 1, port: 81, target: "h2.test"),
            ]
            zone.hosts = ["h1.test": Self.addresses(1...2), "h2.test": Self.addresses(3...3)]
        }
        let discovery = try discovery()
        defer { discovery.stop() }
        let found = try discovery.servers(of: [plan(.srv(name: "_mcp._tcp.mcp.test."))], within: .seconds(10))["mcp"]
        #expect(found?.map(\.name) == ["127.0.0.1:80", "127.0.0.2:80", "127.0.0.3:81"])
        #expect(found?.map(\.isBackup) == [false, false, true])
        nameServer.stop()
    }

    @Test("a file that is rewritten, broken, removed and written again")
    func file() throws {
        let path =
            FileManager.default.temporaryDirectory.path + "/berth-discovery-\(UInt64.random(in: 0 ... .max)).json"
        defer { unlink(path) }
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path), options: .atomic) }
        try write(#"[{"targets": ["127.0.0.1:1"]}]"#)
        let discovery = try discovery()
        defer { discovery.stop() }
        let plan = plan(.file(path: path))
        #expect(try discovery.servers(of: [plan], within: .seconds(10))["mcp"]?.map(\.name) == ["127.0.0.1:1"])
        try write(#"[{"targets": ["127.0.0.1:1", "127.0.0.1:2"]}]"#)
        try eventually("the second") { try names(discovery, plan).count == 2 }
        try write("[")
        try eventually("a broken file") { discovery.statuses[0].counts.failure?.reason == .malformed }
        unlink(path)
        try eventually("no file") { discovery.statuses[0].counts.failure?.reason == .unreadable }
        #expect(try names(discovery, plan).count == 2)
        try write(#"[{"targets": ["127.0.0.1:3"]}]"#)
        try eventually("the third") { try names(discovery, plan) == ["127.0.0.1:3"] }
        nameServer.stop()
    }

    @Test("servers that are known from before are there at once, and another source goes on with them")
    func known() throws {
        nameServer.change { $0.behaviour = .loses }
        let known = DiscoveredServer(host: "127.0.0.9", port: 9, certificateName: "")
        let discovery = try discovery(known: ["mcp": [known]])
        defer { discovery.stop() }
        #expect(try discovery.servers(of: [plan()], within: .seconds(10))["mcp"] == [known])
        discovery.settle(on: [plan()])
        let other = plan(.dns(name: "other.test.", port: 9))
        #expect(try discovery.servers(of: [other], within: .seconds(10))["mcp"] == [known])
        discovery.settle(on: [other])
        #expect(discovery.statuses.count == 1)
        nameServer.change {
            $0.behaviour = .answers
            $0.addresses = Self.addresses(1...1)
        }
        try eventually("the answer") { try names(discovery, other) == ["127.0.0.1:9"] }
        nameServer.stop()
    }

    @Test("what is no longer followed is not asked any more")
    func dropped() throws {
        nameServer.change { $0.addresses = Self.addresses(1...1) }
        let discovery = try discovery()
        _ = try discovery.servers(of: [plan()], within: .seconds(10))
        discovery.settle(on: [])
        #expect(discovery.statuses.isEmpty)
        // Time is what another name takes: the first question of the old one may have been under way.
        let other = try self.discovery()
        defer { other.stop() }
        _ = try other.servers(of: [plan(.dns(name: "other.test.", port: 1))], within: .seconds(10))
        let begun = nameServer.count("A other.test")
        try eventually("some answers") { nameServer.count("A other.test") >= begun + 5 }
        let asked = nameServer.count("A mcp.test")
        try eventually("more answers") { nameServer.count("A other.test") >= begun + 10 }
        #expect(nameServer.count("A mcp.test") == asked)
        nameServer.stop()
    }
}
