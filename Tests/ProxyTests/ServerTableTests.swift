import Balancing
import Kernel
import Telemetry
import Testing

@testable import Proxy

@Suite("Server table")
struct ServerTableTests {
    private func snapshot(_ names: [String]) -> Snapshot {
        var snapshot = Snapshot()
        snapshot.servers = names.map { ServerPlan(address: .loopback(port: 1), name: $0, upstream: 0) }
        snapshot.upstreams = [UpstreamPlan(name: "mcp", servers: 0..<names.count)]
        return snapshot
    }

    private func slots(_ snapshot: Snapshot) -> [UInt16] { snapshot.servers.map(\.id.slot) }

    @Test("a server keeps its slot, and its counters, as long as a snapshot names it")
    func kept() throws {
        let table = ServerTable(Metrics(workers: 1, servers: 8))
        var first = snapshot(["a", "b"])
        try table.register(&first)
        table.metrics.view.add(.requests, worker: 0, server: 1, 7)
        var second = snapshot(["c", "b"])
        try table.register(&second)

        #expect(slots(first) == [0, 1] && slots(second) == [2, 1])
        #expect(first.servers[1].id == second.servers[1].id)
        #expect(table.metrics.sum(.requests, server: 1) == 7)
        #expect(table.count == 3)
        first.lease = nil
        #expect(table.count == 2)
    }

    @Test("a slot is given out again, under another generation and with all numbers at zero, when nothing uses it")
    func reused() throws {
        let table = ServerTable(Metrics(workers: 1, servers: 1))
        var first = snapshot(["a"])
        try table.register(&first)
        let old = first.servers[0].id
        table.metrics.view.add(.requests, worker: 0, server: 0, 3)
        table.metrics.view.add(.connections, server: 0, 3)
        first.lease = nil
        var second = snapshot(["b"])
        try table.register(&second)

        #expect(second.servers[0].id.slot == old.slot && second.servers[0].id != old)
        #expect(table.metrics.sum(.requests, server: 0) == 0)
        #expect(table.metrics.view.load(.connections, server: 0) == 0)
    }

    @Test("more servers than slots are refused, and what was taken is given back")
    func full() throws {
        let table = ServerTable(Metrics(workers: 1, servers: 2))
        var large = snapshot(["a", "b", "c"])
        #expect(throws: StartError.self) { try table.register(&large) }
        large.lease = nil
        #expect(table.count == 0)
        var small = snapshot(["d", "e"])
        try table.register(&small)
        #expect(table.count == 2)
    }

    @Test("thresholds may change without changing what is known of a server's health")
    func thresholds() throws {
        let table = ServerTable(Metrics(workers: 1, servers: 2))
        var first = snapshot(["a"])
        first.upstreams[0].healthCheck.fall = 1
        try table.register(&first)
        var tracker = HealthTracker(packed: UInt64(bitPattern: table.metrics.view.load(.health, server: 0)))
        _ = tracker.record(.failed)
        table.metrics.view.store(.health, server: 0, Int64(bitPattern: tracker.packed))
        var second = snapshot(["a"])
        second.upstreams[0].healthCheck.rise = 5
        try table.register(&second)

        let known = HealthTracker(packed: UInt64(bitPattern: table.metrics.view.load(.health, server: 0)))
        #expect(!known.isHealthy)
    }
}
