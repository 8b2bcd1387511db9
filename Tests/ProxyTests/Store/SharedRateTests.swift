import Configuration
import Kernel
import RateLimiting
import Redis
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// A Berth whose route has rules with a store, on a network of its own.
private final class RateBerth {
    let stage: ProxyStage
    let store: ScriptedStore
    private let client: ScriptedClient
    private let startedAt: Instant
    private var lastID = 0
    private(set) var granted = 0
    /// The longest that a request has taken.
    private(set) var longest = Interval(nanoseconds: 0)

    init(_ seed: UInt64, _ contents: StoreContents, _ rules: String) throws {
        stage = ProxyStage(seed: seed)
        startedAt = stage.network.now
        store = ScriptedStore(stage.network, contents)
        try stage.configure("[[route]]\nupstream = \"mcp\"\nrate_limit = [\(rules)]")
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        client = stage.connect()
        // Else the worker sleeps through the arrival of an answer, and time passes.
        client.peer.onReceive = { [stage] _ in
            stage.network.ring(ProxyStage.alarm)
            return []
        }
    }

    /// One request; its status.
    @discardableResult
    func ask(extra: String = "") -> Int {
        lastID += 1
        let (before, start) = (client.responses.count, stage.network.now)
        client.ask(.post(.call(lastID), extra: extra))
        stage.run { client.responses.count > before || client.isOver }
        longest = max(longest, stage.network.now - start)
        let status = client.responses.count > before ? client.responses.last?.status ?? 0 : 0
        if status == 200 { granted += 1 }
        return status
    }

    /// Lets time pass until so much of it is over since the beginning.
    func wait(until time: Interval) {
        let end = startedAt + time
        if stage.network.now < end { stage.run(for: end - stage.network.now) }
    }

    /// Replies of the store come.
    func settle() { stage.run(for: .milliseconds(200)) }

    var retryAfter: Int? { client.responses.last?["retry-after"].flatMap { Int($0) } }

    func commands(_ result: StoreResult) -> UInt64 {
        let counts = stage.snapshot.stores.first?.counts.numbers.commands ?? []
        return counts.isEmpty ? 0 : counts[Int(StoreUse.countRate.rawValue)][Int(result.rawValue)]
    }

    /// The connection to the store stays.
    func expectNothingLeft() {
        client.leave()
        stage.run(for: .seconds(200))
        #expect(stage.exchangeCount == 0 && stage.clientCount == 0 && stage.upstreamCount == 0)
        stage.expectEveryExchangeEndedOnce("seed \(stage.network.seed)")
        let isEmpty = stage.worker?.upstreams.stores.clients.allSatisfy { $0.rates.isEmpty }
        #expect(isEmpty == true, "seed \(stage.network.seed)")
    }
}

@Suite("Rates that several Berths share")
struct SharedRateTests {
    static let seeds: ClosedRange<UInt64> = 1...4

    private static func rule(_ rest: String) -> String { "{ \(rest), store = \"redis://127.0.0.1:6379\" }" }

    private func berths(_ count: Int, _ seed: UInt64, _ rules: String) throws -> [RateBerth] {
        let contents = StoreContents()
        return try (0..<count).map { try RateBerth(seed + UInt64($0) * 100, contents, rules) }
    }

    @Test("what one has let through the others know after one reply", arguments: seeds)
    func known(seed: UInt64) throws {
        let berths = try berths(2, seed, Self.rule("key = \"route\", rate = \"5/h\""))
        for _ in 0..<5 { #expect(berths[0].ask() == 200, "seed \(seed)") }
        #expect(berths[0].ask() == 429)
        berths[0].settle()
        berths[1].wait(until: .milliseconds(500))
        #expect(berths[1].ask() == 200, "it has not heard of the others, seed \(seed)")
        berths[1].settle()
        for _ in 0..<3 { #expect(berths[1].ask() == 429, "seed \(seed)") }
        // Six were let through: the fifth of an hour for each is paid back before there is another.
        #expect((1_400...1_440).contains(berths[1].retryAfter ?? 0), "\(berths[1].retryAfter ?? 0), seed \(seed)")
        #expect((700...720).contains(berths[0].retryAfter ?? 0), "\(berths[0].retryAfter ?? 0), seed \(seed)")
        #expect(berths[0].store.contents.arrivals.keys.allSatisfy { $0.hasPrefix("berth:{") && $0.hasSuffix("}:rate") })
        #expect(berths[0].store.contents.arrivals.count == 1)
        for berth in berths { berth.expectNothingLeft() }
    }

    @Test("three Berths together let through what one would", arguments: seeds)
    func together(seed: UInt64) throws {
        let berths = try berths(3, seed, Self.rule("key = \"route\", rate = \"300/min\", burst = 10"))
        for step in 1...600 {
            for berth in berths {
                berth.ask()
                berth.wait(until: .milliseconds(UInt64(step) * 100))
            }
        }
        let sum = berths.reduce(0) { $0 + $1.granted }
        #expect((295...326).contains(sum), "\(sum), seed \(seed)")
        for berth in berths {
            #expect(berth.granted > 40, "nobody starves: \(berth.granted), seed \(seed)")
            #expect(berth.longest < .milliseconds(50), "seed \(seed)")
            // What is refused costs the store nothing.
            #expect(berth.commands(.done) <= UInt64(berth.granted), "seed \(seed)")
            berth.expectNothingLeft()
        }
    }

    @Test(
        "without the store each goes on by its own limit, and nothing waits", arguments: [1, 2],
        [
            ScriptedStore.Mood.silent, .slow(milliseconds: 2_000), .refuses("OOM command not allowed"),
            .refuses("NOPERM this user has no permissions"), .refuses("READONLY replica"), .raves,
        ])
    func without(seed: UInt64, mood: ScriptedStore.Mood) throws {
        let berths = try berths(2, seed, Self.rule("key = \"route\", rate = \"120/min\", burst = 5"))
        for berth in berths { berth.store.mood = mood }
        for step in 1...300 {
            for berth in berths {
                #expect([200, 429].contains(berth.ask()), "seed \(seed)")
                berth.wait(until: .milliseconds(UInt64(step) * 100))
            }
        }
        for berth in berths {
            #expect(berth.granted <= 66, "its own limit holds: \(berth.granted), seed \(seed)")
            if case .slow = mood {} else { #expect(berth.granted >= 64, "\(berth.granted), \(mood), seed \(seed)") }
            #expect(berth.longest < .milliseconds(50), "\(berth.longest.milliseconds) ms, seed \(seed)")
            berth.store.mood = .answers
            berth.stage.run(for: .seconds(10))
        }
        // It is found again.
        let before = berths[0].commands(.done)
        for _ in 0..<5 {
            berths[0].ask()
            berths[0].stage.run(for: .seconds(6))
        }
        #expect(berths[0].commands(.done) > before, "\(mood), seed \(seed)")
        for berth in berths { berth.expectNothingLeft() }
    }

    @Test("nobody listens: nothing waits, and nothing is kept", arguments: seeds)
    func refused(seed: UInt64) throws {
        let berth = try berths(1, seed, Self.rule("key = \"header:x-tenant\", rate = \"2/h\""))[0]
        berth.store.die()
        for tenant in 0..<50 {
            let statuses = (0..<3).map { _ in berth.ask(extra: "X-Tenant: \(tenant)\r\n") }
            #expect(statuses == [200, 200, 429], "seed \(seed)")
        }
        #expect(berth.longest < .milliseconds(50) && berth.commands(.skipped) > 50)
        berth.expectNothingLeft()
    }

    @Test("a store that has forgotten the script is told of it again", arguments: seeds)
    func script(seed: UInt64) throws {
        let berth = try berths(1, seed, Self.rule("key = \"route\", rate = \"20/h\""))[0]
        for round in 0..<3 {
            for _ in 0..<3 { berth.ask() }
            berth.settle()
            #expect(berth.store.count("EVAL") == round + 1, "seed \(seed)")
            berth.store.contents.knowsScript = false
        }
        let arrival = berth.store.contents.arrivals.values.first ?? 0
        #expect(arrival >= 9 * 180_000_000 && arrival < 9 * 180_000_000 + 2_000_000, "\(arrival), seed \(seed)")
        #expect(berth.commands(.done) > 0 && berth.commands(.refused) == 0)
        berth.expectNothingLeft()
    }

    @Test(
        "what is no answer changes nothing, and a lie costs what a key may have used at most",
        arguments: [
            ":-9223372036854775808", ":0", "+OK", "$3\r\nabc", "*1\r\n:5", "_", ":9223372036854775807",
        ])
    func lies(text: String) throws {
        let berth = try berths(1, 1, Self.rule("key = \"route\", rate = \"60/min\", burst = 5"))[0]
        berth.store.lie = text
        #expect(berth.ask() == 200)
        berth.settle()
        let isLie = text == ":9223372036854775807"
        #expect(berth.ask() == (isLie ? 429 : 200))
        // Two bursts, and one request of each of 64 Berths.
        if isLie { #expect((68...70).contains(berth.retryAfter ?? 0), "\(berth.retryAfter ?? 0)") }
        berth.expectNothingLeft()
    }

    @Test("what another rule refuses is given back in the store too", arguments: seeds)
    func givenBack(seed: UInt64) throws {
        let contents = StoreContents()
        let stage = ProxyStage(seed: seed)
        let store = ScriptedStore(stage.network, contents)
        try stage.configure(
            """
            [[route]]
            upstream = "mcp"
            rate_limit = [
              \(Self.rule("key = \"route\", rate = \"100/d\"")),
              { key = "session", method = "tools/call", rate = "2/d" },
            ]
            """)
        _ = SessionServer(stage, 0)
        let party = SessionTests.open(stage)
        let calls = (1...8).map { String.post(.call($0), session: party.session) }
        let statuses = RateLimitTests.statuses(stage, on: party.client, calls)
        #expect(statuses == [200, 200] + Array(repeating: 429, count: 6), "seed \(seed)")
        stage.run(for: .milliseconds(200))
        // initialize is not counted: two calls are.
        let arrival = contents.arrivals.values.first ?? 0
        #expect(arrival > 1_728_000_000 - 2_000_000 && arrival < 1_728_000_000 + 2_000_000, "\(arrival), seed \(seed)")
        #expect(store.count("EVAL") == 1)
    }

    @Test("a session has one limit at all Berths with the same keys", arguments: seeds)
    func sessions(seed: UInt64) throws {
        let contents = StoreContents()
        let stages = (0..<2).map { ProxyStage(seed: seed + UInt64($0) * 100) }
        let stores = stages.map { ScriptedStore($0.network, contents) }
        for stage in stages {
            try stage.configure(
                "[[route]]\nupstream = \"mcp\"\nrate_limit = [\(Self.rule("key = \"session\", rate = \"4/d\""))]")
        }
        let servers = stages.map { ToolServer($0, 0) }
        let client = stages[0].connect()
        client.ask(.post(.initialize))
        stages[0].run { client.responses.count == 1 }
        let session = client.responses.first?["mcp-session-id"] ?? ""
        for id in servers[0].sessions { servers[1].adopt(id) }
        let call = String.post(.call(1), session: session)
        #expect(RateLimitTests.statuses(stages[0], on: client, [call, call, call]) == [200, 200, 200])
        stages[0].run(for: .milliseconds(200))
        let other = stages[1].connect()
        #expect(RateLimitTests.statuses(stages[1], on: other, [call]) == [200], "seed \(seed)")
        stages[1].run(for: .milliseconds(200))
        #expect(RateLimitTests.statuses(stages[1], on: other, [call]) == [429], "seed \(seed)")
        #expect(contents.arrivals.count == 1 && stores[1].count("EVAL") == 1, "seed \(seed)")
        #expect(contents.arrivals.keys.allSatisfy { !$0.contains(session.prefix(8)) })
    }

    @Test("clients that nobody names have limits of their own at each Berth")
    func unnamed() throws {
        let contents = StoreContents()
        var granted = 0
        for seed in 1...2 as ClosedRange<UInt64> {
            let stage = ProxyStage(seed: seed)
            let store = ScriptedStore(stage.network, contents)
            try stage.configure(
                listen: "trusted_proxies = [\"10.0.0.0/8\"]",
                "[[route]]\nupstream = \"mcp\"\nrate_limit = [\(Self.rule("key = \"ip\", rate = \"2/d\""))]")
            _ = ScriptedServer(stage) { _ in .reply("ok") }
            let client = stage.connect(from: try RateLimitTests.address("10.1.1.1"))
            for _ in 0..<4 {
                if RateLimitTests.statuses(stage, on: client, [.post(.call(1))]) == [200] { granted += 1 }
                stage.run(for: .milliseconds(100))
            }
            #expect(store.commands.count > 0)
        }
        #expect(granted == 4 && contents.arrivals.count == 2)
    }

    @Test("a reload keeps the connection to a store that stays, and closes that to one that goes")
    func reload() throws {
        let contents = StoreContents()
        let stage = ProxyStage(seed: 1)
        let store = ScriptedStore(stage.network, contents)
        let route = "[[route]]\nupstream = \"mcp\"\nrate_limit = [\(Self.rule("key = \"route\", rate = \"9/d\""))]\n"
        try stage.configure(route)
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let client = stage.connect()
        let call = String.post(.call(1))
        #expect(RateLimitTests.statuses(stage, on: client, [call]) == [200])
        stage.run(for: .milliseconds(100))
        let kept = stage.snapshot.stores
        #expect(kept.count == 1)
        try stage.configure("[[route]]\npath = \"/other\"\nupstream = \"mcp\"\n" + route)
        try stage.reload { _ in }
        #expect(stage.snapshot.stores.first === kept.first)
        #expect(RateLimitTests.statuses(stage, on: client, [call]) == [200])
        stage.run(for: .milliseconds(100))
        #expect(store.greetings == 1 && kept[0].counts.numbers.connections == 1)
        try stage.configure("[[route]]\nupstream = \"mcp\"\n")
        try stage.reload { _ in }
        stage.run(for: .milliseconds(100))
        #expect(kept[0].counts.numbers.connections == 0 && stage.snapshot.stores.isEmpty)
    }

    @Test("while the store comes and goes, nobody waits and nobody has more than the limits of all", arguments: 1...20)
    func storm(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let berths = try berths(2, seed, Self.rule("key = \"route\", rate = \"600/min\", burst = 5"))
        let moods: [ScriptedStore.Mood] = [
            .answers, .answers, .slow(milliseconds: 10), .slow(milliseconds: 2_000), .silent, .raves,
            .refuses("OOM full"), .refuses("READONLY no"), .refuses("NOSCRIPT no"), .refuses("LOADING data"),
        ]
        for step in 1...400 {
            let berth = berths[Int.random(in: 0...1, using: &random)]
            switch Int.random(in: 0..<12, using: &random) {
            case 0: berth.store.mood = moods[Int.random(in: 0..<moods.count, using: &random)]
            case 1 where step % 3 == 0: berth.store.die()
            case 2: berth.store.listen()
            case 3: berth.store.contents.knowsScript = false
            default: #expect([200, 429].contains(berth.ask()), "step \(step), seed \(seed)")
            }
            for berth in berths { berth.wait(until: .milliseconds(UInt64(step) * 50)) }
        }
        for berth in berths {
            // Twenty seconds and what settles.
            #expect(berth.granted <= 5 + 205, "seed \(seed)")
            #expect(berth.longest < .milliseconds(50), "\(berth.longest.milliseconds) ms, seed \(seed)")
            berth.store.listen()
            berth.store.mood = .answers
            berth.expectNothingLeft()
        }
    }
}
