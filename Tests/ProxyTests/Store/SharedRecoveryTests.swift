import Configuration
import Kernel
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// A Berth that shares how sessions were opened, with servers on a network of its own. Those of several Berths that have the same
/// number are one server to them.
private final class RecordBerth {
    let stage: ProxyStage
    let servers: [ToolServer]
    let store: ScriptedStore
    let shared: SharedStore

    init(
        _ seed: UInt64, _ affinity: Proxy.SessionAffinityMode, _ contents: StoreContents,
        _ policy: SessionLossPolicy = .always, servers count: Int = 3, upstream: String = "mcp"
    ) {
        stage = ProxyStage(seed: seed, servers: count)
        store = ScriptedStore(stage.network, contents)
        var configuration = StoreConfiguration(host: "127.0.0.1")
        configuration.wait = .milliseconds(50)
        shared = SharedStore(configuration, found: [], names: NameLookup { _ in [] })
        stage.plan.affinity = affinity
        stage.plan.onLost = policy
        if affinity == .learned {
            stage.plan.sharing = SessionSharing(shared, wait: .milliseconds(50), upstream: upstream)
            stage.snapshot.learned = LearnedSessions(limit: 1_000)
        }
        if policy == .always {
            stage.plan.records = RecordSharing(shared, wait: .milliseconds(50), upstream: upstream)
        }
        stage.snapshot.sessionTable = SessionTable(limit: 1_000)
        let stage = stage
        servers = (0..<count).map { ToolServer(stage, $0) }
    }

    /// The answer, on a connection of its own, and how long it took.
    func ask(_ request: String) -> (answer: Message, time: Interval) { stage.send(request) }

    /// Opens a session; its id, and the number of its server.
    func open() -> (session: String, owner: Int) {
        let before = servers.map(\.sessions.count)
        let session = ask(.post(.initialize)).answer["mcp-session-id"] ?? ""
        let owner = servers.indices.first { servers[$0].sessions.count > before[$0] } ?? 0
        _ = ask(.post(.initialized, session: session))
        return (session, owner)
    }

    func list(_ session: String) -> (answer: Message, time: Interval) {
        ask(.post(.call(7, "tools/list"), session: session))
    }

    func settle() { stage.run(for: .milliseconds(100)) }

    func commands(_ use: StoreUse, _ result: StoreResult) -> UInt64 {
        shared.counts.numbers.commands[Int(use.rawValue)][Int(result.rawValue)]
    }

    func count(_ counter: RecoveryCounter) -> Int64 { stage.metrics.view.load(counter) }

    var records: [String] { store.contents.values.keys.filter { $0.hasSuffix("}:record") } }

    /// The connection to the store stays.
    func expectNothingLeft() {
        stage.run(for: .seconds(200))
        #expect(stage.exchangeCount == 0 && stage.clientCount == 0 && stage.upstreamCount == 0)
        stage.expectEveryExchangeEndedOnce("seed \(stage.network.seed)")
        let isEmpty = stage.worker?.sessions.recoveries.searches.isEmpty
        #expect(stage.worker?.recoveryLeftovers() == 0 && isEmpty == true, "seed \(stage.network.seed)")
    }
}

@Suite("Recovery of sessions that another Berth saw begin")
struct SharedRecoveryTests {
    static let seeds: ClosedRange<UInt64> = 1...4
    static let modes = [Proxy.SessionAffinityMode.signed, .learned]

    @Test("it goes on under its own id, also if its Berth is gone", arguments: seeds, modes)
    func goesOn(seed: UInt64, mode: Proxy.SessionAffinityMode) throws {
        let contents = StoreContents()
        let (one, other) = (RecordBerth(seed, mode, contents), RecordBerth(seed + 100, mode, contents))
        let (session, owner) = one.open()
        _ = one.ask(
            .post(#"{"jsonrpc":"2.0","id":3,"method":"logging/setLevel","params":{"level":"debug"}}"#, session: session)
        )
        one.settle()
        #expect(one.records.count == 1 && one.records.allSatisfy { $0.hasPrefix("berth:{") }, "seed \(seed)")
        #expect(contents.values.allSatisfy { !$0.key.contains("replica") && !$0.value.contains("replica-\(owner)-") })
        other.servers[owner].die()
        let (answer, time) = other.list(session)
        #expect(answer.status == 200 && answer["mcp-session-id"] == session, "seed \(seed)")
        #expect(time < .seconds(2), "seed \(seed)")
        let next = try #require(other.servers.first { !$0.sessions.isEmpty })
        #expect(next.name != "replica-\(owner)")
        #expect(
            next.log.map(\.method) == ["initialize", "notifications/initialized", "logging/setLevel", "tools/list"],
            "seed \(seed)")
        let opening = try #require(next.server.requests.first)
        #expect(opening.text.contains(#""params":{"protocolVersion":"2025-11-25","capabilities":{},"#), "seed \(seed)")
        #expect(other.list(session).answer.status == 200)
        #expect(other.count(.recovered) == 1 && other.commands(.findRecord, .done) == 1, "seed \(seed)")
        // The client ends it: nobody finds it again.
        #expect(other.ask(.delete(session)).answer.status == 200)
        other.settle()
        #expect(other.records.isEmpty, "seed \(seed)")
        for berth in [one, other] { berth.expectNothingLeft() }
    }

    @Test("a server that has started again, or left the configuration, has lost it as well", arguments: seeds, modes)
    func lost(seed: UInt64, mode: Proxy.SessionAffinityMode) {
        let contents = StoreContents()
        let one = RecordBerth(seed, mode, contents)
        let restarted = RecordBerth(seed + 100, mode, contents)
        let smaller = RecordBerth(seed + 200, mode, contents, servers: 2)
        // Those of the first Berth have issued the same ids otherwise.
        for server in restarted.servers + smaller.servers { server.restart() }
        for _ in 0..<3 {
            let (session, owner) = one.open()
            one.settle()
            #expect(restarted.list(session).answer.status == 200, "seed \(seed)")
            let answer = smaller.list(session).answer
            #expect(answer.status == 200 && answer["mcp-session-id"] == session, "server \(owner), seed \(seed)")
        }
        #expect(restarted.count(.recovered) == 3 && smaller.count(.recovered) == 3, "seed \(seed)")
        for berth in [one, restarted, smaller] { berth.expectNothingLeft() }
    }

    @Test("with another policy there is no record, and a Berth without its own says 404", arguments: modes)
    func clean(mode: Proxy.SessionAffinityMode) {
        let contents = StoreContents()
        let (one, other) = (RecordBerth(1, mode, contents, .clean), RecordBerth(101, mode, contents, .clean))
        let (session, owner) = one.open()
        one.settle()
        #expect(one.records.isEmpty)
        other.servers[owner].die()
        #expect(other.list(session).answer.status == 404)
        #expect(other.count(.unknown) == 1 && other.commands(.findRecord, .missing) == 0)
    }

    @Test("a store that does not help costs its time and no more: 404", arguments: seeds, modes)
    func without(seed: UInt64, mode: Proxy.SessionAffinityMode) {
        for mood in [ScriptedStore.Mood.silent, .slow(milliseconds: 2_000), .refuses("OOM no"), .raves] {
            let contents = StoreContents()
            let (one, other) = (RecordBerth(seed, mode, contents), RecordBerth(seed + 100, mode, contents))
            let (session, owner) = one.open()
            one.settle()
            if mode == .learned {
                // It knows whose the session is.
                for id in one.servers[owner].sessions { other.servers[owner].adopt(id) }
                #expect(other.list(session).answer.status == 200, "seed \(seed)")
                other.servers[owner].restart()
            }
            other.store.mood = mood
            for _ in 0..<4 {
                let (answer, time) = other.list(session)
                #expect(answer.status == 404 && answer.text.contains("-32001"), "\(mood), seed \(seed)")
                #expect(time < .milliseconds(150), "\(time.milliseconds) ms, \(mood), seed \(seed)")
            }
            if mood == .silent { #expect(other.commands(.findRecord, .late) >= 1, "seed \(seed)") }
            #expect(other.servers.allSatisfy { $0.methods("initialize").isEmpty }, "seed \(seed)")
            // It can still be recovered when the store is back.
            other.store.mood = .answers
            other.stage.run(for: .seconds(10))
            var status = 404
            for _ in 0..<4 where status != 200 {
                status = other.list(session).answer.status
                other.stage.run(for: .seconds(6))
            }
            #expect(status == 200, "\(mood), seed \(seed)")
            for berth in [one, other] { berth.expectNothingLeft() }
        }
    }

    @Test("what is no record, or another session's or upstream's, is none", arguments: modes)
    func garbage(mode: Proxy.SessionAffinityMode) throws {
        let contents = StoreContents()
        let one = RecordBerth(1, mode, contents)
        let (session, owner) = one.open()
        let key = try #require(one.records.first)
        let (second, _) = one.open()
        one.settle()
        let foreign = try #require(one.records.first { $0 != key })
        let good = contents.values[key] ?? ""
        var berths: [RecordBerth] = []
        for text in [
            "", "1", "x\n", good.replacing("{", with: "["), String(good.dropLast()), good + " ",
            contents.values[foreign],
        ] {
            contents.values[key] = text ?? ""
            let other = RecordBerth(101 + UInt64(berths.count), mode, contents)
            other.servers[owner].die()
            #expect(other.list(session).answer.status == 404, "\(text ?? "")")
            #expect(other.count(.unknown) == 1 && other.commands(.findRecord, .done) == 1)
            #expect(other.servers.allSatisfy { $0.methods("initialize").isEmpty })
            berths.append(other)
        }
        contents.values[key] = good
        if mode == .signed {
            let other = RecordBerth(201, mode, contents, upstream: "other")
            other.servers[owner].die()
            #expect(other.list(session).answer.status == 404)
            #expect(other.commands(.findRecord, .missing) == 1)
            berths.append(other)
        }
        let last = RecordBerth(301, mode, contents)
        last.servers[owner].die()
        #expect(last.list(session).answer.status == 200 && last.list(second).answer.status == 200)
        for berth in berths + [one, last] { berth.expectNothingLeft() }
    }

    @Test("twenty requests at once ask once, and make one recovery", arguments: seeds, modes)
    func singleFlight(seed: UInt64, mode: Proxy.SessionAffinityMode) {
        let contents = StoreContents()
        let (one, other) = (RecordBerth(seed, mode, contents), RecordBerth(seed + 100, mode, contents))
        let (session, owner) = one.open()
        one.settle()
        other.servers[owner].die()
        let clients = (0..<20).map { _ in other.stage.connect() }
        for (index, client) in clients.enumerated() { client.ask(.post(.call(index + 10), session: session)) }
        other.stage.run { clients.allSatisfy { $0.responses.count == 1 } }
        for client in clients {
            #expect(client.responses.first?.status == 200, "seed \(seed)")
            client.leave()
        }
        #expect(other.count(.recovered) == 1 && other.commands(.findRecord, .done) == 1, "seed \(seed)")
        for berth in [one, other] { berth.expectNothingLeft() }
    }

    @Test("a session in use keeps its record, at whichever Berth, and one of which the store knows nothing comes back")
    func refresh() {
        let contents = StoreContents()
        let (one, other) = (RecordBerth(1, .signed, contents), RecordBerth(101, .signed, contents))
        let (session, owner) = one.open()
        for id in one.servers[owner].sessions { other.servers[owner].adopt(id) }
        one.settle()
        #expect(one.store.count("SET") == 1)
        for _ in 0..<20 { #expect(one.list(session).answer.status == 200) }
        #expect(one.store.count("SET") == 1)
        for round in 1...3 {
            one.stage.run(for: .seconds(62))
            for _ in 0..<5 { _ = one.list(session) }
            one.settle()
            #expect(one.store.count("SET") == 1 + round)
        }
        #expect(one.store.commands.allSatisfy { $0.first != "SET" || Array($0.suffix(2)) == ["PX", "86400000"] })
        for _ in 0..<5 { #expect(other.list(session).answer.status == 200) }
        other.settle()
        #expect(other.store.count("PEXPIRE") == 1 && other.store.count("SET") == 0)
        contents.values = [:]
        one.stage.run(for: .seconds(62))
        _ = one.list(session)
        one.settle()
        #expect(one.records.count == 1)
    }

    @Test("clients that go while their session is looked for leave nothing behind", arguments: seeds)
    func impatience(seed: UInt64) {
        let contents = StoreContents()
        let (one, other) = (RecordBerth(seed, .signed, contents), RecordBerth(seed + 100, .signed, contents))
        let (session, _) = one.open()
        one.settle()
        _ = other.open()
        other.store.mood = .slow(milliseconds: 45)
        let client = other.stage.connect()
        client.ask(.post(.call(1), session: session))
        other.stage.run(for: .milliseconds(30))
        client.peer.perform(.reset)
        other.expectNothingLeft()
        #expect(other.list(session).answer.status == 200, "seed \(seed)")
    }

    @Test("while the store, the servers and the Berths come and go", arguments: 1...20 as ClosedRange<UInt64>)
    func storm(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let contents = StoreContents()
        let mode = Self.modes[Int(seed % 2)]
        let berths = [RecordBerth(seed, mode, contents), RecordBerth(seed + 1_000, mode, contents)]
        var sessions: [String] = []
        let moods: [ScriptedStore.Mood] = [
            .answers, .answers, .answers, .slow(milliseconds: 10), .slow(milliseconds: 2_000), .silent, .raves,
            .refuses("READONLY no"),
        ]
        var served = 0
        for step in 0..<80 {
            let berth = berths[Int.random(in: 0...1, using: &random)]
            switch Int.random(in: 0..<12, using: &random) {
            case 0: berth.store.mood = moods[Int.random(in: 0..<moods.count, using: &random)]
            case 1: berth.servers[Int.random(in: 0..<3, using: &random)].die()
            case 2...3: for server in berth.servers { server.restart() }
            case 4: berth.stage.run(for: .milliseconds(UInt64.random(in: 1...4_000, using: &random)))
            case 5...6:
                let session = berth.ask(.post(.initialize)).answer["mcp-session-id"] ?? ""
                if !session.isEmpty { sessions.append(session) }
            default:
                guard let session = sessions.randomElement(using: &random) else { break }
                let (answer, time) = berth.list(session)
                #expect([200, 404, 502, 503].contains(answer.status), "step \(step), seed \(seed)")
                #expect(time < .seconds(10), "step \(step), seed \(seed)")
                if answer.status == 200 {
                    served += 1
                    #expect(answer["mcp-session-id"] == session, "step \(step), seed \(seed)")
                }
            }
        }
        #expect(served > 0, "seed \(seed)")
        for berth in berths { berth.expectNothingLeft() }
    }
}
