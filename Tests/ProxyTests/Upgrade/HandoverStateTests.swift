import Kernel
import Logging
import Telemetry
import Testing

@testable import Proxy

/// What one process tells the next, from proxy to proxy; no thread of theirs runs.
@Suite("Handover of state")
struct HandoverStateTests {
    private static let id = Array("a session".utf8)

    private static func snapshot(_ names: [String], learned: LearnedSessions?) -> Snapshot {
        var snapshot = Snapshot()
        snapshot.servers = names.map { ServerPlan(address: .loopback(port: 9), name: $0, upstream: 0) }
        snapshot.upstreams = [UpstreamPlan(name: "mcp", servers: 0..<names.count)]
        snapshot.learned = learned
        return snapshot
    }

    private static func proxy(
        _ names: [String], learned: LearnedSessions? = nil, from state: HandoverState? = nil
    ) throws -> ProxyServer {
        try ProxyServer(
            snapshot: snapshot(names, learned: learned), workers: 2, log: LogRecorder().logger, from: state)
    }

    private static func state(_ text: String) -> HandoverState {
        var state = HandoverState()
        for line in text.split(separator: "\n") { HandoverMessage(String(line)).map { state.add($0) } }
        return state
    }

    @Test("counters go on, through two upgrades, and what the old process counts meanwhile is added once")
    func counters() throws {
        let first = try Self.proxy(["a", "b"])
        first.metrics.view.add(.requests, worker: 0, server: 1, 5)
        first.metrics.view.add(.requests, worker: 1, server: 1, 2)
        first.metrics.view.add(.active, worker: 1, server: 1, 3)
        first.metrics.view.add(.began, worker: 0, 9)
        first.metrics.view.addRejection(reason: Int(ExchangeFault.queueFull.rawValue), worker: 1)
        first.metrics.view.increment(.pings)
        first.metrics.view.increment(ProxyRefusal.malformed)
        var state = Self.state(first.stateLines())

        // Another order: the slots stay those of the servers.
        let second = try Self.proxy(["c", "b"], from: state)
        let b = Int(second.snapshot.servers[1].id.slot)
        #expect(second.snapshot.servers[1].id == first.snapshot.servers[1].id)
        #expect(second.metrics.sum(.requests, server: b) == 7)
        #expect(second.metrics.sum(.active, server: b) == 0, "a gauge begins at 0")
        #expect(second.metrics.sum(.began) == 9)
        #expect(second.rejections["queue_full"] == 1)
        #expect(second.metrics.view.load(.pings) == 1 && second.metrics.view.load(.malformed) == 1)

        first.metrics.view.add(.requests, worker: 0, server: 1, 1)
        first.metrics.view.add(.requests, worker: 0, server: 0, 1)
        let changes = first.changeLines()
        #expect(first.changeLines().isEmpty)
        for line in changes.split(separator: "\n") {
            HandoverMessage(String(line)).map { second.take($0, after: &state) }
            HandoverMessage(String(line)).map { second.take($0, after: &state) }
        }
        #expect(second.metrics.sum(.requests, server: b) == 8, "said twice, added once")
        second.metrics.view.add(.requests, worker: 1, server: b, 10)

        let third = try Self.proxy(["b"], from: Self.state(second.stateLines()))
        #expect(third.metrics.sum(.requests, server: Int(third.snapshot.servers[0].id.slot)) == 18)
    }

    @Test("what checks found out is known from the start")
    func health() throws {
        let first = try Self.proxy(["up", "down", "new"])
        first.table.restore(.up, of: first.snapshot.servers[0].id)
        first.table.restore(.down, of: first.snapshot.servers[1].id)

        let second = try Self.proxy(["up", "down", "new"], from: Self.state(first.stateLines()))

        #expect(second.snapshot.servers.map { second.table.health(of: $0.id) } == [.up, .down, .unchecked])
    }

    private static func learn(_ proxy: ProxyServer, _ number: Int, server: Int) {
        let id = Array("session-\(number)".utf8)
        _ = proxy.snapshot.learned?.insert(
            id.span, of: Int(proxy.snapshot.upstreams[0].id.slot), server: proxy.snapshot.servers[server].id,
            now: .now(),
            idle: .seconds(60), counter: { _, _ in })
    }

    private static func owner(_ proxy: ProxyServer, _ number: Int) -> String? {
        let id = Array("session-\(number)".utf8)
        let server = proxy.snapshot.learned?.find(
            id.span, of: Int(proxy.snapshot.upstreams[0].id.slot), now: .now(), idle: .seconds(60), counter: { _, _ in }
        )
        return server.flatMap { found in proxy.snapshot.servers.first { $0.id == found }?.name }
    }

    @Test("learned sessions are found again, and those that begin and end while both run are told both ways")
    func sessions() throws {
        let first = try Self.proxy(["a", "b"], learned: LearnedSessions(limit: 1_000))
        for number in 0..<10 { Self.learn(first, number, server: number % 2) }
        var state = Self.state(first.stateLines())
        let table = try #require(state.emptySessionTable)

        let second = try Self.proxy(["b", "a"], learned: table, from: state)
        #expect((0..<10).map { Self.owner(second, $0) } == (0..<10).map { $0 % 2 == 0 ? "a" : "b" })
        #expect(second.metrics.view.load(.sessions, server: Int(second.snapshot.servers[0].id.slot)) == 5)

        Self.learn(first, 100, server: 0)
        let told = first.changeLines()
        for line in told.split(separator: "\n") { HandoverMessage(String(line)).map { second.take($0, after: &state) } }
        #expect(Self.owner(second, 100) == "a")
        Self.learn(second, 200, server: 0)
        let back = second.sessionChangeLines()
        for line in back.split(separator: "\n") { first.receive(line: String(line)) }
        #expect(Self.owner(first, 200) == "b")
        // What comes back to where it began changes nothing, or the two would talk for ever.
        for line in first.sessionChangeLines().split(separator: "\n") { second.receive(line: String(line)) }
        #expect(second.sessionChangeLines().isEmpty)
    }

    @Test("a server that is configured no more takes its sessions and its slot with it")
    func removed() throws {
        let first = try Self.proxy(["a", "b"], learned: LearnedSessions(limit: 1_000))
        for number in 0..<10 { Self.learn(first, number, server: number % 2) }
        let state = Self.state(first.stateLines())

        let table = try #require(state.emptySessionTable)
        let second = try Self.proxy(["b"], learned: table, from: state)

        #expect(second.snapshot.learned?.count == 5)
        #expect(second.table.count == 1)
        var other = Self.snapshot(["c"], learned: nil)
        try second.table.register(&other)
        #expect(!second.table.contains(first.snapshot.servers[0].id))
    }
}
