import Configuration
import Kernel
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// Minutes in which servers die and come back under sessions that must go on. The servers' logs are the truth: which call was
/// executed where, and in which of their sessions.
private final class RecoveryStorm {
    let stage: ProxyStage
    let servers: [ToolServer]
    private var generator: SeededGenerator
    private var parties: [Party] = []
    private(set) var wrongs: [String] = []
    private(set) var answers: [Int: Int] = [:]
    private var calls = 0

    private struct Party {
        let client: ScriptedClient
        var session = ""
        /// The number of the call that waits for its answer.
        var call: Int?
        var answered = 0
    }

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed ^ 0x4ec0)
        stage = ProxyStage(seed: seed, servers: 3)
        stage.plan.affinity = seed.isMultiple(of: 2) ? .signed : .learned
        stage.plan.onLost = .always
        stage.plan.pool.connectTimeout = .seconds(2)
        stage.plan.healthCheck.rise = 1
        stage.snapshot.sessionTable = SessionTable(limit: 10_000)
        stage.snapshot.learned = LearnedSessions(limit: 10_000)
        let stage = stage
        servers = (0..<3).map { ToolServer(stage, $0) }
        stage.start(healthChecks: true)
    }

    private func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

    private func note(_ what: String) {
        if wrongs.count < 20 { wrongs.append("\(what), seed \(stage.network.seed)") }
    }

    func run() {
        for _ in 0..<8 { parties.append(Party(client: stage.connect())) }
        let end = stage.network.now + .seconds(60)
        while stage.network.now < end, wrongs.isEmpty {
            if below(40) == 0 { fail(servers[below(3)]) }
            for index in parties.indices where parties[index].call == nil { ask(index) }
            stage.run(for: .milliseconds(UInt64(1 + below(200))))
            for index in parties.indices { judge(index) }
        }
        stage.run(within: .seconds(60)) { [self] in parties.allSatisfy { $0.client.responses.count > $0.answered } }
        for index in parties.indices {
            judge(index)
            parties[index].client.leave()
        }
        judgeServers()
    }

    private func fail(_ server: ToolServer) {
        // Of three servers one stays at any time.
        guard !stage.network.served(at: server.server.address).isEmpty else { return }
        server.die()
        stage.network.after(.milliseconds(UInt64(100 + below(4_000)))) { server.restart() }
    }

    private func ask(_ index: Int) {
        calls += 1
        parties[index].call = calls
        let party = parties[index]
        guard !party.session.isEmpty else {
            party.client.ask(.post(.initialize))
            return
        }
        let tag = "p\(index)-c\(calls)-"
        party.client.ask(
            .post(.call(calls, below(3) == 0 ? "tools/list" : "tools/call", tag: tag), session: party.session))
    }

    private func judge(_ index: Int) {
        let party = parties[index]
        guard party.client.responses.count > party.answered, let call = party.call else { return }
        let answer = party.client.responses[party.answered]
        parties[index].answered += 1
        parties[index].call = nil
        answers[answer.status, default: 0] += 1
        guard answer.status == 200 else {
            if ![404, 502, 503].contains(answer.status) { note("status \(answer.startLine)") }
            // More recoveries than a session may have, and then the client has to begin anew.
            if answer.status == 404 { parties[index].session = "" }
            return
        }
        let id = answer["mcp-session-id"] ?? ""
        if party.session.isEmpty {
            parties[index].session = id
        } else if id != party.session {
            note("the id \(id) for \(party.session)")
        } else if !answer.text.contains("\"id\":\(call),") {
            note("\(answer.text) for call \(call)")
        }
    }

    /// No call was executed twice, and no session of a server served two clients.
    private func judgeServers() {
        var executed: Set<String> = []
        var users: [String: String] = [:]
        for server in servers {
            for tag in server.executions where !executed.insert(tag).inserted { note("\(tag) was executed twice") }
            for entry in server.log where entry.method.hasPrefix("tools/") {
                guard let start = entry.body.firstRange(of: "\"tag\":\"")?.upperBound else { continue }
                let tag = String(entry.body[start...].prefix { $0 != "\"" })
                let user = String(tag.prefix { $0 != "-" })
                if users[entry.session, default: user] != user { note("\(entry.session) served two clients") }
                users[entry.session] = user
            }
        }
    }
}

@Suite("Storms of lost sessions")
struct RecoveryStormTests {
    @Test(
        "servers die and come back; sessions go on, each call is done once",
        arguments: StormTests.namedSeeds(or: 1...12))
    func storm(seed: UInt64) {
        let storm = RecoveryStorm(seed: seed)
        storm.run()
        #expect(storm.wrongs == [], "seed \(seed)")
        #expect((storm.answers[200] ?? 0) > 200, "seed \(seed): \(storm.answers)")
        #expect(storm.stage.metrics.view.load(RecoveryCounter.recovered) > 2, "seed \(seed)")
        storm.stage.run(for: .seconds(200))
        #expect(storm.stage.clientCount == 0 && storm.stage.exchangeCount == 0, "seed \(seed)")
        #expect(storm.stage.worker?.recoveryLeftovers() == 0, "seed \(seed)")
        storm.stage.expectGaugesMatch()
        storm.stage.expectEveryExchangeEndedOnce("seed \(seed)")
    }
}
