import Balancing
import Kernel
import Reactor
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

@Suite("Fairness")
struct FairnessTests {
    static let seeds: ClosedRange<UInt64> = 1...6

    /// A client with its session.
    struct Party {
        let client: ScriptedClient
        let session: String
    }

    /// A stage with a server that issues ids and takes so long for each call; slow ones take twenty times as long.
    static func stage(_ seed: UInt64, maximum: Int64, call: Interval = .milliseconds(50)) -> (
        ProxyStage, ScriptedServer
    ) {
        let stage = ProxyStage(seed: seed, .calm)
        stage.plan.pool.maximum = maximum
        stage.listener.idleTimeout = .seconds(1_000)
        var issued = 0
        let server = ScriptedServer(stage) { message in
            guard message["mcp-session-id"] != nil else {
                issued += 1
                return .reply("opened", extra: "Mcp-Session-Id: sid\(issued)\r\n")
            }
            let isSlow = message.text.contains("slow")
            return [.pause(isSlow ? Interval(nanoseconds: 20 * call.nanoseconds) : call)] + .reply(message.text)
        }
        return (stage, server)
    }

    static func open(_ stage: ProxyStage) -> Party {
        let client = stage.connect()
        client.ask(.post(.call(0, "initialize")))
        stage.run { client.responses.count == 1 }
        return Party(client: client, session: client.responses.first?["mcp-session-id"] ?? "")
    }

    /// How long the slowest of one call of each party takes, one after another.
    private static func slowest(_ stage: ProxyStage, _ parties: [Party]) -> Interval {
        parties.reduce(Interval(nanoseconds: 0)) { slowest, party in
            let before = party.client.responses.count
            let began = stage.network.now
            party.client.ask(.post(.call(1), session: party.session))
            stage.run(within: .seconds(30)) { party.client.responses.count > before }
            #expect(party.client.responses.count == before + 1 && party.client.responses.last?.status == 200)
            return max(slowest, party.client.lastReceived - began)
        }
    }

    /// So many calls at once. The clients are connected before: what comes next is not the way in.
    private static func flood(_ stage: ProxyStage, _ session: String, _ count: Int, tag: String = "")
        -> [ScriptedClient]
    {
        var clients: [ScriptedClient] = []
        // No more than the backlog takes.
        while clients.count < count {
            clients += (0..<min(100, count - clients.count)).map { _ in stage.connect() }
            stage.run(for: .milliseconds(50))
        }
        for (number, client) in clients.enumerated() {
            client.ask(.post(.call(number, tag: tag), session: session))
        }
        stage.run(for: .milliseconds(300))
        return clients
    }

    @Test("a session with a thousand parallel calls at most doubles what the others wait", arguments: seeds)
    func greedy(seed: UInt64) {
        let (stage, _) = Self.stage(seed, maximum: 8)
        let parties = (0..<20).map { _ in Self.open(stage) }
        let greedy = Self.open(stage)
        let quiet = Self.slowest(stage, parties)
        let flood = Self.flood(stage, greedy.session, 1_000)
        #expect(stage.sum(.waiting) > 600, "\(stage.sum(.waiting)), seed \(seed)")
        let began = stage.network.now
        let busy = Self.slowest(stage, parties)
        let taken = stage.network.now - began
        let answered = flood.count { $0.responses.count == 1 }
        #expect(stage.sum(.waiting) > 0, "\(answered) of the others after \(taken), seed \(seed)")
        #expect(busy.nanoseconds <= 2 * quiet.nanoseconds, "\(busy) against \(quiet), seed \(seed)")
        stage.expectGaugesMatch()
        for client in flood + parties.map(\.client) + [greedy.client] { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("calls that take long leave connections for those that come later", arguments: seeds)
    func longCalls(seed: UInt64) {
        let (stage, server) = Self.stage(seed, maximum: 32, call: .milliseconds(100))
        stage.plan.queueTimeout = .seconds(100)
        let parties = (0..<10).map { _ in Self.open(stage) }
        let greedy = (0..<2).map { _ in Self.open(stage) }
        let quiet = Self.slowest(stage, parties)
        let first = Self.flood(stage, greedy[0].session, 100, tag: "slow")
        #expect(stage.sum(.active) == 24, "three quarters of 32, seed \(seed)")
        let second = Self.flood(stage, greedy[1].session, 100, tag: "slow")
        #expect(stage.sum(.active) == 28, "and half of what is left, seed \(seed)")
        let busy = Self.slowest(stage, parties)
        #expect(busy.nanoseconds <= 2 * quiet.nanoseconds, "\(busy) against \(quiet), seed \(seed)")
        stage.run(within: .seconds(90)) { (first + second).allSatisfy { $0.responses.count == 1 } }
        let statuses = (first + second).compactMap(\.responses.first?.status)
        #expect(statuses.allSatisfy { $0 == 200 } && statuses.count == 200, "seed \(seed)")
        #expect(server.requests.count == 12 + 20 + 200, "seed \(seed)")
        for client in first + second + (parties + greedy).map(\.client) { client.leave() }
        stage.expectNoLeaks()
        #expect(stage.worker?.servers.shares.count == 0, "seed \(seed)")
    }

    @Test("one session leaves a quarter of the queue's places to the others", arguments: seeds)
    func places(seed: UInt64) {
        let (stage, _) = Self.stage(seed, maximum: 1, call: .seconds(2))
        stage.plan.queueLimit = 40
        let (greedy, modest) = (Self.open(stage), Self.open(stage))
        let flood = Self.flood(stage, greedy.session, 60)
        #expect(stage.sum(.waiting) == 30, "seed \(seed)")
        let refused = flood.compactMap(\.responses.first)
        #expect(refused.count == 29, "seed \(seed)")
        for answer in refused {
            #expect(answer.status == 503 && answer.text.contains("queue_full"), "seed \(seed)")
            #expect(answer.text.contains("\"retry_after\":\(answer["retry-after"] ?? "?")"), "\(answer.text)")
        }
        modest.client.ask(.post(.call(7), session: modest.session))
        stage.run(within: .milliseconds(4_500)) { modest.client.responses.count == 2 }
        #expect(modest.client.responses.last?.status == 200, "seed \(seed)")
        for client in flood + [greedy.client, modest.client] { client.leave() }
        stage.expectNoLeaks()
    }

    @Test(
        "without a session it is the credential that takes turns, and an address that is not limited", arguments: seeds)
    func credentials(seed: UInt64) {
        let stage = ProxyStage(seed: seed, .calm)
        stage.plan.pool.maximum = 4
        let server = ScriptedServer(stage) { [.pause(.milliseconds(100))] + .reply($0.text) }
        func ask(_ count: Int, _ tag: String, _ extra: String = "") -> [ScriptedClient] {
            (0..<count).map { number in
                let client = stage.connect()
                client.ask(.post(.call(number, tag: tag), version: "2026-07-28", extra: extra))
                return client
            }
        }
        let nobody = ask(20, "nobody")
        stage.run(for: .milliseconds(50))
        #expect(stage.sum(.active) == 4, "an address may have all of them, seed \(seed)")
        let greedy = ask(20, "greedy", "Authorization: Bearer one\r\n")
        let modest = ask(1, "modest", "Authorization: Bearer two\r\n")
        stage.run { (nobody + greedy + modest).allSatisfy { $0.responses.count == 1 } }
        let place = server.requests.firstIndex { $0.text.contains("modest") } ?? .max
        #expect(place <= 4 + 3, "\(place), seed \(seed)")
        for client in nobody + greedy + modest { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("a worker gives its places to another where a session waits, and not all")
    func otherWorkers() throws {
        let (stage, _) = Self.stage(1, maximum: 8)
        let peer = try Mailbox<WorkerMessage>(limit: 64)
        stage.start(peers: [peer])
        let greedy = Self.open(stage)
        greedy.client.leave()
        let flood = Self.flood(stage, greedy.session, 60)
        let server = 0
        // Exchanges wait with the other worker, which has no connection.
        stage.metrics.view.add(.waiting, worker: 1, server: server, 5)
        for _ in 0..<5 { #expect(stage.metrics.view.claimQueuePlace(upstream: 0, limit: 1_000) == .granted) }
        var given = 0
        for _ in 0..<20 {
            stage.run(for: .milliseconds(25))
            let count = peer.collect().reduce(0) { count, message in
                if case .claimTransferred(0) = message { count + 1 } else { count }
            }
            given += count
            stage.metrics.view.add(.active, worker: 1, server: server, Int64(count))
        }
        let own = stage.worker?.servers[server].pool.connectionCount ?? 0
        #expect(given >= 3 && own > 0, "\(given) of 8, \(own) left")
        let connections = stage.metrics.view.load(.connections, server: server)
        #expect(connections == given + own, "a place given is a place taken")
        // They come back: what is not wanted is free for all.
        stage.metrics.view.add(.waiting, worker: 1, server: server, -5)
        stage.metrics.view.add(.active, worker: 1, server: server, Int64(-given))
        for _ in 0..<5 { stage.metrics.view.releaseQueuePlace(upstream: 0) }
        for _ in 0..<given { stage.post(.claimTransferred(server: server)) }
        stage.run(within: .seconds(60)) { flood.allSatisfy { $0.responses.count == 1 } }
        #expect(flood.allSatisfy { $0.responses.first?.status == 200 })
        stage.post(.claimTransferred(server: server))
        stage.metrics.view.add(.connections, server: server, 1)
        for client in flood { client.leave() }
        stage.expectNoLeaks()
    }
}
