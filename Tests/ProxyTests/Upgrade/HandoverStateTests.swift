import Kernel
import Logging
import MCP
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
        first.metrics.view.add(ConnectionRefusal.connectionOpens, 4)
        var state = Self.state(first.stateLines())

        // Another order: the slots stay those of the servers.
        let second = try Self.proxy(["c", "b"], from: state)
        let b = Int(second.snapshot.servers[1].id.slot)
        #expect(second.snapshot.servers[1].id == first.snapshot.servers[1].id)
        #expect(second.metrics.sum(.requests, server: b) == 7)
        #expect(second.metrics.sum(.active, server: b) == 0, "a gauge begins at 0")
        #expect(second.metrics.sum(.began) == 9)
        #expect(second.rejections["queue_full"] == 1)
        #expect(second.metrics.view.load(.connectionOpens) == 4)
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

    private static func call(_ tool: String, _ outcome: CallEvent.Outcome = .success, code: Int32 = 0) -> CallEvent {
        var event = CallEvent()
        event.method = .toolsCall
        event.name = CallName(Array(tool.utf8).span)
        event.outcome = outcome
        event.errorCode = code
        event.status = 200
        event.upstream = 0
        event.server = 1
        event.revision = 1 << 3
        event.duration = 30_000_000
        event.offsets.connected = 1_000
        event.offsets.firstByte = 20_000
        event.flags = .request
        return event
    }

    /// Calls by what their series says, but for the slots.
    private static func calls(_ proxy: ProxyServer) -> [String: Int64] {
        var found: [String: Int64] = [:]
        for series in proxy.metrics.calls.series() {
            found["\(series.kind) \(series.name) \(series.failure) \(series.revision.rawValue)", default: 0] +=
                series.histogram.count
        }
        return found
    }

    @Test("durations of calls go on, by tool and error, and what the old process counts meanwhile is added once")
    func histograms() throws {
        let first = try Self.proxy(["a", "b"])
        let recorder = first.metrics.calls.recorder(worker: 0)
        for _ in 0..<3 { recorder.record(Self.call("search \"x\" é")) }
        recorder.record(Self.call("search \"x\" é", .toolError))
        recorder.record(Self.call("search \"x\" é", .rpcError, code: -32_123))
        var rejected = Self.call("never seen", .rejected)
        rejected.reason = ExchangeFault.queueFull.rawValue
        recorder.record(rejected)
        first.metrics.calls.recorder(worker: 1).recordSession(nanoseconds: 7_000_000_000, upstream: 0, revision: 8)
        var state = Self.state(first.stateLines())

        let second = try Self.proxy(["c", "b"], from: state)
        #expect(Self.calls(second) == Self.calls(first))
        let name = CallSeries.Name.tool("search \"x\" é")
        let b = Int(second.snapshot.servers[1].id.slot)
        let leg = second.metrics.calls.series().first {
            $0.kind == .leg && $0.name == name && $0.failure == .none
        }
        #expect(leg?.server == b && leg?.histogram.count == 3)
        #expect(leg.map { $0.histogram.nanoseconds == 87_000_000 } == true)
        for phase in CallPhase.allCases {
            #expect(
                second.metrics.calls.phase(phase, upstream: 0)
                    == first.metrics.calls.phase(phase, upstream: 0), "\(phase)")
        }

        recorder.record(Self.call("search \"x\" é"))
        let changes = first.changeLines()
        #expect(first.changeLines().isEmpty)
        for line in changes.split(separator: "\n") {
            HandoverMessage(String(line)).map { second.take($0, after: &state) }
            HandoverMessage(String(line)).map { second.take($0, after: &state) }
        }
        #expect(Self.calls(second) == Self.calls(first), "said twice, added once")

        second.metrics.calls.recorder(worker: 1).record(Self.call("search \"x\" é"))
        let third = try Self.proxy(["b"], from: Self.state(second.stateLines()))
        #expect(Self.calls(third) == Self.calls(second))
        #expect(Self.calls(third).values.max() == 5)

        let other = try Self.proxy(["c"], from: Self.state(second.stateLines()))
        #expect(!Self.calls(other).keys.contains { $0.hasPrefix("leg") }, "its server is gone")
    }

    @Test("an older process tells no durations, and an older one understands what it is told")
    func oldPeers() throws {
        let first = try Self.proxy(["a", "b"])
        first.metrics.calls.recorder(worker: 0).record(Self.call("search"))
        first.metrics.view.add(.began, worker: 0, 9)
        let told = first.stateLines()
        let old = told.split(separator: "\n").filter { !$0.hasPrefix("histogram ") }.joined(separator: "\n")
        #expect(old.utf8.count < told.utf8.count)

        let second = try Self.proxy(["a", "b"], from: Self.state(old))
        #expect(second.metrics.sum(.began) == 9)
        #expect(Self.calls(second).isEmpty)
        // Longer lines end the channel.
        #expect(told.split(separator: "\n").allSatisfy { $0.utf8.count < 1_000 })
    }

    @Test(
        "durations that are malformed are none, and change nothing",
        arguments: [
            "histogram", "histogram call", "histogram call 0 - toolsCall - - 8 5",
            "histogram call 0 - toolsCall - - 8 5 1,x",
            "histogram call 0 - toolsCall - - 8 5 1,2,3", "histogram call 0 - toolsCall - - 8 5 -1,0",
            "histogram call 0 - nonsense - - 8 5 0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
            "histogram call 70000 - toolsCall - - 8 5 0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
            "histogram call 9 - toolsCall - - 8 5 0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
            "histogram leg 0 9 toolsCall - - 8 5 0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
            "histogram call 0 - toolsCall tool= - 8 5 0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
            "histogram call 0 - toolsCall tool=zz - 8 5 0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
            "histogram call 0 - toolsCall - rpc=99999999999 8 5 0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
            "histogram phase 0 lunch 5 0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
            "histogram phase 99999 queue 5 0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
        ])
    func malformedHistograms(_ line: String) throws {
        let first = try Self.proxy(["a"])
        let second = try Self.proxy(["a"], from: Self.state(first.stateLines() + line + "\n"))
        #expect(Self.calls(second).isEmpty)
        #expect(second.metrics.calls.phase(.queue, upstream: 0)?.count == 0)
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
