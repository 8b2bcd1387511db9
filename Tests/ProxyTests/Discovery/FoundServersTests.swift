import Balancing
import Configuration
import Discovery
import Kernel
import Telemetry
import Testing

@testable import Proxy

/// What becomes of servers that were found: plans of a snapshot, lines of a handover.
@Suite("Servers that are found, on paper")
struct FoundServersTests {
    private func configuration(_ upstream: String) throws -> Configuration {
        let text = "[listen]\nhttp = \"127.0.0.1:0\"\n[upstream.mcp]\n\(upstream)\n"
        let checks = ConfigurationChecks(files: false, environment: { _ in nil })
        return try ConfigurationFile.parse(text, file: "berth.toml", checks: checks).get().configuration
    }

    private static let names = NameLookup { _ in [.ipv4(0x0a00_0063, port: 0)] }

    private static func server(_ host: String, _ port: UInt16 = 3_001) -> DiscoveredServer {
        DiscoveredServer(host: host, port: port, certificateName: "mcp.test")
    }

    private func snapshot(_ upstream: String, _ servers: [DiscoveredServer]) throws -> Snapshot {
        try Snapshot(try configuration(upstream), keys: [], names: Self.names, discovered: ["mcp": servers])
    }

    @Test("each is a server of its own; its tag is that of its address, as if it stood in the file")
    func plans() throws {
        let discover = "discover = { dns = \"mcp.test\", port = 3001 }"
        var named = Self.server("replica-9", 80)
        named.weight = 7
        named.isBackup = true
        let snapshot = try snapshot(discover, [Self.server("10.0.0.1"), Self.server("fd00::1"), named])
        #expect(snapshot.servers.map(\.name) == ["10.0.0.1:3001", "[fd00::1]:3001", "replica-9:80"])
        #expect(
            snapshot.servers.map { $0.addresses.map(\.description) } == [
                ["10.0.0.1:3001"], ["[fd00::1]:3001"], ["10.0.0.99:80"],
            ])
        #expect(snapshot.servers.map(\.host) == [nil, nil, "replica-9"])
        #expect(snapshot.servers.map(\.tag) == snapshot.servers.map { ServerTag.tag(of: $0.name) })
        #expect(
            snapshot.servers.map(\.weight) == [1, 1, 7] && snapshot.servers.map(\.isBackup) == [false, false, true])
        #expect(snapshot.servers.allSatisfy { $0.isDiscovered && $0.serverName == "mcp.test" })
        #expect(snapshot.upstreams[0].servers == 0..<3)
    }

    @Test("what stands in the file is not found once more")
    func beside() throws {
        let upstream = "servers = [\"10.0.0.1:3001\"]\ndiscover = { dns = \"mcp.test\", port = 3001 }"
        let snapshot = try snapshot(upstream, [Self.server("10.0.0.1"), Self.server("10.0.0.2")])
        #expect(snapshot.servers.map(\.name) == ["10.0.0.1:3001", "10.0.0.2:3001"])
        #expect(snapshot.servers.map(\.isDiscovered) == [false, true])
    }

    @Test("plans of discovery have what the file says")
    func discoveryPlans() throws {
        let text =
            "discover = { dns = \"mcp.test\", port = 3001, nameserver = \"10.96.0.10\", min_ttl = \"2s\", max_ttl = \"9s\","
            + " max_servers = 9, max_changes = 3 }"
        let plan = try #require(try configuration(text).discoveryPlans.first)
        #expect(plan.upstream == "mcp" && plan.source == .dns(name: "mcp.test", port: 3_001))
        #expect(plan.nameServer == .ipv4(0x0a60_000a, port: 53))
        #expect(plan.limits.minimumTTL == .seconds(2) && plan.limits.maximumTTL == .seconds(9))
        #expect(plan.limits.maximumServers == 9 && plan.limits.maximumChanges == 3)
        let file = try configuration("discover = { file = \"/tmp/servers.json\" }").discoveryPlans.first
        #expect(file?.source == .file(path: "/tmp/servers.json"))
        #expect(try configuration("servers = [\"a:1\"]").discoveryPlans.isEmpty)
    }

    // MARK: Handover

    @Test("a process begins with the servers of the one before it, and lets those that were leaving leave")
    func handover() throws {
        let discover = "discover = { dns = \"mcp.test\", port = 3001 }"
        var old = try snapshot(discover, [Self.server("10.0.0.1"), Self.server("10.0.0.2")])
        var gone = ServerPlan(address: .ipv4(0x0a00_0003, port: 3_001), name: "10.0.0.3:3001", upstream: 0)
        gone.isDiscovered = true
        gone.isRemoved = true
        gone.serverName = "mcp.test"
        old.append(gone, toUpstream: 0)
        var state = HandoverState()
        for server in old.handedOverServers {
            let line = HandoverMessage.discovered(server).line
            let message = try #require(HandoverMessage(line), "\(line)")
            #expect(message == .discovered(server))
            state.add(message)
        }
        #expect(state.discoveredServers["mcp"]?.map(\.name) == ["10.0.0.1:3001", "10.0.0.2:3001"])
        #expect(state.leavingServers["mcp"]?.map(\.name) == ["10.0.0.3:3001"])

        var new = try Snapshot(
            try configuration(discover), keys: [], names: Self.names, discovered: state.discoveredServers)
        new.append(leaving: state.leavingServers, try configuration(discover))
        #expect(new.servers.map(\.name) == old.servers.map(\.name))
        #expect(new.servers.map(\.isRemoved) == [false, false, true])
        #expect(new.servers.map(\.tag) == old.servers.map(\.tag))
        var removed = RemovedServers()
        removed.note(new, at: Instant(nanoseconds: 1))
        #expect(!removed.isEmpty)
    }

    @Test(
        "lines that are not those of a server",
        arguments: [
            "discovered", "discovered 10.0.0.1 3001 1 primary present -",
            "discovered 10.0.0.1 0 1 primary present - mcp",
            "discovered 10.0.0.1 3001 0 primary present - mcp", "discovered 10.0.0.1 3001 1 other present - mcp",
            "discovered 10.0.0.1 3001 1 primary gone - mcp", "discovered  3001 1 primary present - mcp",
        ])
    func lines(line: String) { #expect(HandoverMessage(line) == nil) }

    @Test("an upstream whose name has spaces")
    func spaces() {
        let server = HandoverServer(Self.server("fd00::1"), of: "my own mcp", isLeaving: true)
        #expect(HandoverMessage(HandoverMessage.discovered(server).line) == .discovered(server))
    }

    @Test("a server is appended to an upstream without servers, between others", arguments: 0...2)
    func append(index: Int) {
        var snapshot = Snapshot()
        snapshot.upstreams = [
            UpstreamPlan(name: "a", servers: 0..<1), UpstreamPlan(name: "b", servers: 1..<1),
            UpstreamPlan(name: "c", servers: 1..<2),
        ]
        snapshot.servers = [
            ServerPlan(address: .loopback(port: 1), name: "a:1", upstream: 0),
            ServerPlan(address: .loopback(port: 1), name: "c:1", upstream: 2),
        ]
        snapshot.append(ServerPlan(address: .loopback(port: 2), name: "new:2", upstream: 0), toUpstream: index)
        for (number, upstream) in snapshot.upstreams.enumerated() {
            let names = snapshot.servers[upstream.servers].map(\.name)
            let expected = [["a:1"], [], ["c:1"]][number] + (number == index ? ["new:2"] : [])
            #expect(names == expected)
            #expect(snapshot.servers[upstream.servers].allSatisfy { $0.upstream == number })
        }
    }
}
