import Caching
import Configuration
import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// A Berth whose cache shares its answers.
private final class Berth {
    let cached: CacheStage
    let store: ScriptedStore
    let shared: SharedStore

    init(_ seed: UInt64, _ contents: StoreContents) {
        cached = CacheStage(seed)
        store = ScriptedStore(cached.stage.network, contents)
        shared = SharedStore(StoreConfiguration(host: "127.0.0.1"), found: [], names: NameLookup { _ in [] })
        let rules = cached.stage.plan.cache?.answers.rules ?? CacheRules()
        let sharing = AnswerSharing(shared, wait: .milliseconds(50), upstream: "mcp")
        cached.stage.plan.cache = UpstreamCache(rules, sharing: sharing)
    }

    /// The answer, and how long it took.
    func ask(_ request: String) -> (answer: Message, time: Interval) {
        let client = cached.stage.connect()
        client.peer.onReceive = { [cached] _ in
            cached.stage.network.ring(ProxyStage.alarm)
            return []
        }
        defer { client.leave() }
        let start = cached.stage.network.now
        return (cached.send(request, on: client), cached.stage.network.now - start)
    }

    /// The connection to the store stays.
    func expectNothingLeft() {
        cached.stage.run(for: .seconds(200))
        let stage = cached.stage
        #expect(stage.exchangeCount == 0 && stage.clientCount == 0 && stage.upstreamCount == 0)
        #expect(stage.worker?.exchanges.caching.isEmpty == true, "seed \(stage.network.seed)")
        stage.expectEveryExchangeEndedOnce("seed \(stage.network.seed)")
    }

    func count(_ event: CacheEvent) -> UInt64 {
        cached.cache.counts.numbers.values.reduce(0) { $0 + $1[event.rawValue] }
    }
}

@Suite("Answers that several Berths share")
struct SharedAnswerTests {
    static let seeds: ClosedRange<UInt64> = 1...6

    @Test("what one has fetched the other finds, with what is left of its time; then it is at hand", arguments: seeds)
    func found(seed: UInt64) {
        let contents = StoreContents()
        let (one, other) = (Berth(seed, contents), Berth(seed + 100, contents))
        #expect(one.ask(CacheStage.list()).answer["cache-status"] == "berth; fwd=miss")
        one.cached.stage.run(for: .milliseconds(50))
        other.cached.stage.run(for: .seconds(20))
        for id in ["5", "6"] {
            let answer = other.ask(CacheStage.list(id)).answer
            #expect(answer.number == 1 && answer.id == id, "seed \(seed)")
            #expect((30_000...41_000).contains(answer.ttl ?? 0), "\(answer.ttl ?? 0), seed \(seed)")
        }
        #expect(other.cached.asked == 0 && other.store.count("GET") == 2, "seed \(seed)")
        #expect(other.count(.shared) == 1 && other.count(.hit) == 1 && other.count(.miss) == 0)
        // Its time is over for both at once.
        other.cached.stage.run(for: .seconds(45))
        #expect(other.ask(CacheStage.list()).answer["cache-status"] == "berth; fwd=stale", "seed \(seed)")
        other.expectNothingLeft()
    }

    @Test("a private answer is found by the same caller only", arguments: seeds)
    func privacy(seed: UInt64) {
        let contents = StoreContents()
        let (one, other) = (Berth(seed, contents), Berth(seed + 100, contents))
        for berth in [one, other] { berth.cached.scope = "private" }
        #expect(one.ask(CacheStage.list(token: "anna")).answer.text.contains("anna"))
        one.cached.stage.run(for: .milliseconds(50))
        #expect(other.ask(CacheStage.list(token: "bert")).answer.text.contains("bert"), "seed \(seed)")
        #expect(other.cached.asked == 1)
        #expect(other.ask(CacheStage.list(token: "anna")).answer.text.contains("anna"), "seed \(seed)")
        #expect(other.cached.asked == 1 && other.count(.shared) == 1, "seed \(seed)")
        #expect(contents.values.keys.allSatisfy { !$0.contains("anna") })
    }

    @Test(
        "what a server says has changed is outdated in the store at once, also what is being fetched", arguments: seeds)
    func outdated(seed: UInt64) {
        let contents = StoreContents()
        let berths = (0..<3).map { Berth(seed + UInt64($0) * 100, contents) }
        _ = berths[0].ask(CacheStage.list())
        // Another one fetches while the news comes.
        berths[2].cached.handler = { message in [.pause(.milliseconds(400))] + berths[2].cached.answer(message) }
        contents.values = contents.values.filter { $0.key.hasSuffix(":generation") }
        let slow = berths[2].cached.stage.connect()
        slow.ask(CacheStage.list())
        berths[2].cached.stage.run(for: .milliseconds(100))
        berths[0].cached.handler = { message in
            .stream(
                "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n",
                "data: \(berths[0].cached.result(9, message))\n\n") + [.lastChunk]
        }
        _ = berths[0].ask(CacheStage.list("1", "prompts/list"))
        berths[0].cached.stage.run(for: .milliseconds(50))
        berths[2].cached.stage.run(for: .seconds(1))
        #expect(slow.responses.count == 1)
        #expect(berths[1].ask(CacheStage.list()).answer["cache-status"] == "berth; fwd=miss", "seed \(seed)")
        #expect(berths[1].cached.asked == 1, "seed \(seed)")
        slow.leave()
    }

    @Test(
        "a store that says nothing holds a request up for its time, once; then it is done without",
        arguments: seeds)
    func silence(seed: UInt64) {
        let berth = Berth(seed, StoreContents())
        _ = berth.ask(CacheStage.list())
        berth.store.mood = .silent
        for number in 0..<6 {
            let (answer, time) = berth.ask(CacheStage.list("1", "resources/read", "{\"uri\":\"a:\(number)\"}"))
            #expect(answer.status == 200 && time < .milliseconds(number < 1 ? 150 : 50), "seed \(seed)")
        }
        #expect(
            berth.shared.counts.numbers.commands[Int(StoreUse.findAnswer.rawValue)][Int(StoreResult.late.rawValue)] == 1
        )
        berth.expectNothingLeft()
    }

    @Test(
        "what is no answer is none", arguments: ["", "1", "2 a s 0 1 -\nx", "1 a s 9 9 9\n", "1  s 0 1 -\nx", "\u{0}"])
    func garbage(text: String) {
        let contents = StoreContents()
        let (one, other) = (Berth(1, contents), Berth(2, contents))
        _ = one.ask(CacheStage.list())
        one.cached.stage.run(for: .milliseconds(50))
        for key in contents.values.keys where key.hasSuffix(":answer") { contents.values[key] = text }
        #expect(other.ask(CacheStage.list()).answer["cache-status"] == "berth; fwd=miss")
        #expect(other.cached.asked == 1)
    }

    @Test("while the store comes and goes, every caller gets its own answer", arguments: 1...30 as ClosedRange<UInt64>)
    func storm(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let contents = StoreContents()
        let berths = [Berth(seed, contents), Berth(seed + 1_000, contents)]
        for berth in berths { (berth.cached.scope, berth.cached.ttl) = ("private", 3_000) }
        let moods: [ScriptedStore.Mood] = [
            .answers, .answers, .slow(milliseconds: 10), .slow(milliseconds: 2_000), .silent, .raves,
            .refuses("OOM full"), .refuses("READONLY no"),
        ]
        for step in 0..<60 {
            let berth = berths[Int.random(in: 0...1, using: &random)]
            switch Int.random(in: 0..<10, using: &random) {
            case 0: berth.store.mood = moods[Int.random(in: 0..<moods.count, using: &random)]
            case 1: berth.store.die()
            case 2: berth.store.listen()
            case 3: berth.cached.stage.run(for: .milliseconds(UInt64.random(in: 1...4_000, using: &random)))
            default:
                let token = "t\(Int.random(in: 0..<4, using: &random))"
                let (answer, time) = berth.ask(CacheStage.list("\(step)", token: token))
                #expect(answer.text.contains("\"for\":\"Bearer \(token)\""), "step \(step), seed \(seed)")
                #expect(answer.id == "\(step)" && time < .milliseconds(200), "step \(step), seed \(seed)")
            }
        }
        for berth in berths {
            berth.expectNothingLeft()
        }
    }
}
