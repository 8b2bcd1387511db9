import Kernel
import Redis
import Simulation
import TestSupport
import Testing

@testable import Proxy

@Suite("Sessions that several Berths share")
struct SharedSessionTests {
    static let seeds: ClosedRange<UInt64> = 1...6

    @Test("a session that began at one Berth is known to another, which asks once", arguments: seeds)
    func known(seed: UInt64) {
        let contents = StoreContents()
        let (one, other) = (StoreStage(seed, contents: contents), StoreStage(seed + 100, contents: contents))
        for _ in 0..<6 {
            let session = one.open().session
            let owner = session.prefix(9)
            for _ in 0..<3 { #expect(other.call(session).answer.text == "\(owner) \(session)", "seed \(seed)") }
        }
        #expect(contents.values.count == 6)
        #expect(
            contents.values.allSatisfy {
                $0.key.hasPrefix("berth:{") && $0.key.hasSuffix("}:owner") && !$0.key.contains("replica")
            })
        #expect(other.store.count("GET") == 6 && other.store.count("SET") == 0)
        #expect(other.commands(.lookUp, .done) == 6)
    }

    @Test("the store knows before the client does, and the answer waits for no more than that", arguments: seeds)
    func order(seed: UInt64) {
        let berth = StoreStage(seed)
        _ = berth.open()
        berth.store.mood = .slow(milliseconds: 20)
        let (session, time, status) = berth.open()
        #expect(status == 200 && !session.isEmpty)
        #expect(berth.store.contents.values.count == 2)
        #expect(time >= .milliseconds(20) && time < .milliseconds(60), "\(time.milliseconds) ms, seed \(seed)")
        #expect(berth.commands(.share, .done) == 2 && berth.commands(.share, .late) == 0)
    }

    @Test(
        "a store that says nothing holds an answer up for its time, once; then it is done without",
        arguments: seeds)
    func silence(seed: UInt64) {
        let berth = StoreStage(seed)
        _ = berth.open()
        berth.store.mood = .silent
        let first = berth.open()
        #expect(first.status == 200 && !first.session.isEmpty, "seed \(seed)")
        #expect(first.time >= .milliseconds(50) && first.time < .milliseconds(150), "\(first.time.milliseconds) ms")
        let (session, time, status) = berth.open()
        #expect(status == 200 && time < .milliseconds(50), "\(time.milliseconds) ms, seed \(seed)")
        #expect(berth.call(session).answer.status == 200)
        #expect(berth.commands(.share, .late) == 1 && berth.commands(.share, .skipped) >= 1)
        #expect(berth.shared.counts.numbers.breakersOpen == 1)
        // It comes back, is tried, and used again.
        berth.store.mood = .answers
        berth.stage.run(for: .seconds(10))
        for _ in 0..<3 {
            _ = berth.open()
            berth.stage.run(for: .seconds(6))
        }
        #expect(berth.shared.counts.numbers.breakersOpen == 0, "seed \(seed)")
        let known = berth.store.contents.values.count
        _ = berth.open()
        #expect(berth.store.contents.values.count == known + 1)
    }

    @Test(
        "when a store says nothing, all that wait for it go on when the first has waited long enough", arguments: seeds)
    func waitersGoOnTogether(seed: UInt64) {
        let berth = StoreStage(seed)
        _ = berth.open()
        berth.stage.run(for: .milliseconds(100))
        berth.store.mood = .silent
        let clients = (0..<5).map { index in
            let client = berth.stage.connect()
            client.ask(index % 2 == 0 ? .post(.call(0, "initialize")) : .post(.call(1), session: "elsewhere"))
            berth.stage.run(for: .milliseconds(8))
            return client
        }
        #expect(clients.allSatisfy { $0.responses.isEmpty }, "seed \(seed)")
        berth.stage.run(for: .milliseconds(25))
        #expect(clients.map { $0.responses.first?.status } == [200, 404, 200, 404, 200], "seed \(seed)")
        #expect(berth.commands(.share, .late) + berth.commands(.lookUp, .late) == 1)
    }

    @Test("of those that wait since the same moment none is taken for one whose server is late", arguments: seeds)
    func waitersOfOneMoment(seed: UInt64) {
        let berth = StoreStage(seed)
        _ = berth.open()
        berth.stage.run(for: .milliseconds(100))
        berth.store.mood = .silent
        let clients = (0..<8).map { _ in berth.stage.connect() }
        for client in clients { client.ask(.post(.call(0, "initialize"))) }
        berth.stage.run(for: .milliseconds(80))
        #expect(clients.allSatisfy { $0.responses.first?.status == 200 }, "seed \(seed)")
    }

    @Test("another worker's store that has been silent since is not waited for", arguments: seeds)
    func silenceElsewhere(seed: UInt64) {
        let berth = StoreStage(seed)
        _ = berth.open()
        berth.stage.run(for: .milliseconds(10))
        berth.shared.noteSilence(at: berth.stage.network.now)
        berth.store.mood = .silent
        let (_, time, status) = berth.open()
        #expect(status == 200 && time < .milliseconds(50), "\(time.milliseconds) ms, seed \(seed)")
        #expect(berth.commands(.share, .skipped) == 1)
    }

    @Test("a session that nobody knows is answered 404, in the store's time at most", arguments: seeds)
    func unknown(seed: UInt64) {
        let berth = StoreStage(seed)
        #expect(berth.call("nobody").answer.status == 404)
        #expect(berth.commands(.lookUp, .missing) == 1)
        berth.store.mood = .silent
        let (answer, time) = berth.call("nobody")
        #expect(answer.status == 404 && answer.text.contains("session"), "seed \(seed)")
        #expect(time >= .milliseconds(50) && time < .milliseconds(150))
        #expect(berth.commands(.lookUp, .late) == 1)
    }

    @Test(
        "whatever the store does, sessions open and are served where they began", arguments: seeds,
        [
            ScriptedStore.Mood.refuses("OOM command not allowed"), .refuses("READONLY replica"), .refuses("ERR no"),
            .raves,
        ])
    func refusal(seed: UInt64, mood: ScriptedStore.Mood) {
        let berth = StoreStage(seed)
        berth.store.mood = mood
        for _ in 0..<8 {
            let (session, time, status) = berth.open()
            #expect(status == 200 && time < .milliseconds(50), "\(time.milliseconds) ms, seed \(seed)")
            for _ in 0..<2 { #expect(berth.call(session).answer.status == 200) }
        }
    }

    @Test("nobody listens: nothing waits", arguments: seeds)
    func refused(seed: UInt64) {
        let berth = StoreStage(seed)
        berth.store.die()
        for _ in 0..<2 {
            let (session, time, status) = berth.open()
            #expect(status == 200 && time < .milliseconds(50), "\(time.milliseconds) ms, seed \(seed)")
            #expect(berth.call(session).answer.status == 200)
        }
        // What it missed it is told when the sessions are used again.
        berth.store.listen()
        let session = berth.open().session
        berth.stage.run(for: .seconds(6))
        _ = berth.call(session)
        berth.stage.run(for: .seconds(6))
        _ = berth.call(session)
        berth.stage.run(for: .milliseconds(100))
        #expect(berth.store.contents.values.count == 1, "seed \(seed)")
    }

    @Test("a server that is a replica by now is left, and the name dialled again", arguments: seeds)
    func failover(seed: UInt64) {
        let berth = StoreStage(seed)
        _ = berth.open()
        berth.store.mood = .refuses("READONLY You can't write against a read only replica.")
        _ = berth.open()
        berth.store.mood = .answers
        berth.stage.run(for: .milliseconds(200))
        _ = berth.open()
        berth.stage.run(for: .milliseconds(50))
        _ = berth.open()
        #expect(berth.store.greetings == 2, "seed \(seed)")
        #expect(berth.shared.counts.numbers.failures[.failover] == 1)
        #expect(berth.commands(.share, .refused) == 1 && berth.commands(.share, .done) == 2)
    }

    @Test("a session that its client ends is forgotten everywhere", arguments: seeds)
    func deletion(seed: UInt64) {
        let berth = StoreStage(seed)
        let session = berth.open().session
        #expect(berth.store.contents.values.count == 1)
        let delete = "DELETE /mcp HTTP/1.1\r\nHost: mcp.test\r\nMcp-Session-Id: \(session)\r\n\r\n"
        #expect(berth.send(delete).answer.status == 200)
        berth.stage.run(for: .milliseconds(50))
        #expect(berth.store.contents.values.isEmpty && berth.store.count("DEL") == 1, "seed \(seed)")
    }

    @Test("a session in use is told to the store once a minute, with the time it has to live", arguments: seeds)
    func refresh(seed: UInt64) {
        let berth = StoreStage(seed)
        let session = berth.open().session
        for _ in 0..<20 { _ = berth.call(session) }
        #expect(berth.store.count("SET") == 1)
        for _ in 0..<3 {
            berth.stage.run(for: .seconds(61))
            for _ in 0..<5 { _ = berth.call(session) }
        }
        berth.stage.run(for: .milliseconds(50))
        #expect(berth.store.count("SET") == 4, "seed \(seed)")
        #expect(berth.store.commands.allSatisfy { $0.first != "SET" || Array($0.suffix(2)) == ["PX", "86400000"] })
    }

    @Test("clients that go while they wait leave nothing behind", arguments: seeds)
    func impatience(seed: UInt64) {
        let berth = StoreStage(seed)
        berth.store.mood = .silent
        for request in [String.post(.call(0, "initialize")), .post(.call(1), session: "elsewhere")] {
            let client = berth.stage.connect()
            client.ask(request)
            berth.stage.run(for: .milliseconds(30))
            client.peer.perform(.reset)
        }
        berth.stage.run(for: .seconds(200))
        #expect(berth.stage.exchangeCount == 0 && berth.stage.clientCount == 0 && berth.stage.upstreamCount == 0)
        #expect(berth.stage.worker?.sessions.shared.isEmpty == true, "seed \(seed)")
    }

    @Test("while the store comes and goes, no call fails", arguments: 1...40 as ClosedRange<UInt64>)
    func storm(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let contents = StoreContents()
        let berths = [StoreStage(seed, contents: contents), StoreStage(seed + 1_000, contents: contents)]
        var sessions: [(id: String, berth: Int)] = []
        let moods: [ScriptedStore.Mood] = [
            .answers, .answers, .slow(milliseconds: 10), .slow(milliseconds: 2_000), .silent, .raves,
            .refuses("OOM full"),
            .refuses("READONLY no"), .refuses("LOADING data"),
        ]
        for step in 0..<60 {
            let index = Int.random(in: 0...1, using: &random)
            let berth = berths[index]
            switch Int.random(in: 0..<10, using: &random) {
            case 0: berth.store.mood = moods[Int.random(in: 0..<moods.count, using: &random)]
            case 1: berth.store.die()
            case 2: berth.store.listen()
            case 3: berth.stage.run(for: .milliseconds(UInt64.random(in: 1...4_000, using: &random)))
            case 4...6:
                let (session, time, status) = berth.open()
                #expect(
                    status == 200 && time < .milliseconds(200), "step \(step), \(time.milliseconds) ms, seed \(seed)")
                sessions.append((session, index))
            default:
                guard let session = sessions.randomElement(using: &random) else { break }
                let berth = berths[session.berth]
                let (answer, time) = berth.call(session.id)
                #expect(answer.text == "\(session.id.prefix(9)) \(session.id)", "step \(step), seed \(seed)")
                #expect(time < .milliseconds(200))
            }
        }
        for berth in berths {
            berth.stage.run(for: .seconds(200))
            #expect(
                berth.stage.worker?.sessions.shared.isEmpty == true && berth.stage.exchangeCount == 0, "seed \(seed)")
            berth.stage.expectEveryExchangeEndedOnce("seed \(seed)")
        }
    }
}
