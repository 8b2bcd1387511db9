import Discovery
import Foundation
import Kernel
import Telemetry
import Testing

@testable import Admin

@Suite("Pages about discovery")
struct DiscoveryPagesTests {
    private func status() -> DiscoveryStatus {
        var state = DiscoveryState(at: .now())
        let limits = DiscoveryLimits()
        var answer = DiscoveryAnswer(servers: [DiscoveredServer(host: "10.0.0.7", port: 1, certificateName: "")])
        answer.ttl = .seconds(5)
        _ = state.handle(.answered(answer), limits, at: .now(), draw: 0)
        _ = state.handle(.failed(DiscoveryFailure(.timeout)), limits, at: .now(), draw: 0)
        return DiscoveryStatus(
            upstream: "mcp", source: .dns(name: "mcp.test", port: 1), servers: state.servers.count, counts: state.counts
        )
    }

    @Test("a source, its last success and why it fails")
    func document() {
        let document = DiscoveryDocument(status())
        #expect(document.source == "dns mcp.test, port 1" && document.servers == 1 && document.appeared == 1)
        #expect(document.failure == "no name server has answered in time" && document.failures == ["timeout": 1])
        let now = Int64(Date().timeIntervalSince1970)
        #expect(document.lastSuccess.map { abs(Int64($0) - now) <= 2 } == true)
    }

    @Test("an upstream whose servers stand in the configuration has no source")
    func none() async throws {
        let rig = try AdminRig()
        #expect(DiscoveryDocument.all(rig.proxy).isEmpty)
        #expect(!(await rig.metrics()).contains("berth_discovery"))
    }

    @Test("metrics of a source")
    func metrics() async throws {
        let discovery = try ServiceDiscovery(lookup: SourceLookup { _ in .failure(DiscoveryFailure(.truncated)) }) {
            _, _ in
        }
        defer { discovery.stop() }
        let plan = DiscoveryPlan(upstream: "mcp", source: .srv(name: "_mcp._tcp.mcp.test"))
        _ = try discovery.servers(of: [plan], within: .seconds(10))
        let rig = try AdminRig(discovery: discovery)
        let text = await rig.metrics()
        #expect(text.contains("berth_discovery_failing{upstream=\"mcp\"} 1\n"))
        #expect(text.contains("berth_discovery_failures_total{upstream=\"mcp\",reason=\"truncated\"} 1\n"))
        #expect(text.contains("berth_discovery_changes_total{upstream=\"mcp\",kind=\"vanished\"} 0\n"))
        #expect(!text.contains("berth_discovery_last_success_timestamp_seconds{"))
    }
}
