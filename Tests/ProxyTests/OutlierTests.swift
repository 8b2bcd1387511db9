import Balancing
import Kernel
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// Servers whose work fails are kept from new work for a while.
@Suite("Outlier detection")
struct OutlierTests {
    static let seeds: ClosedRange<UInt64> = 1...6

    /// Servers that answer with their number, but for those that are bad.
    private final class Fleet {
        let stage: ProxyStage
        let record = LogRecorder()
        private(set) var servers: [ScriptedServer] = []
        /// What bad servers answer.
        var badAnswer: [SimulatedPeer.Action] = .reply("sorry", status: "503 No")
        var bad: Set<Int> = []

        init(seed: UInt64, servers count: Int = 3, failures: Int = 3) {
            stage = ProxyStage(seed: seed, servers: count)
            stage.log = record.logger
            stage.plan.healthCheck.fall = 100
            stage.plan.outliers = OutlierPlan(
                rule: OutlierDetector.Rule(failures: failures, baseEjection: 30_000_000_000), maximumPercent: 34)
            servers = (0..<count).map { index in
                ScriptedServer(stage, index) { [unowned self] message in
                    self.bad.contains(index) ? self.badAnswer : .reply("\(index) \(message.text)")
                }
            }
        }

        /// How many of so many calls each server got, and the statuses.
        @discardableResult
        func calls(_ count: Int) -> [Message] {
            let client = stage.connect()
            for number in 0..<count {
                client.ask(.post(.call(number)))
                stage.awaitResponses(number + 1, to: client)
            }
            client.leave()
            return client.responses
        }

        func isEjected(_ server: Int) -> Bool {
            OutlierDetector(packed: UInt64(bitPattern: stage.metrics.view.load(.outlier, server: server))).isEjected
        }

        var ejected: [Int] { servers.indices.filter(isEjected) }
        func requests(_ server: Int) -> Int { servers[server].requests.count }
    }

    @Test(
        "a server that answers 502, 503 or 504 is out for the time, said in the log, and back", arguments: seeds,
        [502, 503, 504])
    func gatewayErrors(seed: UInt64, status: Int) {
        let fleet = Fleet(seed: seed)
        fleet.badAnswer = .reply("sorry", status: "\(status) No")
        fleet.bad = [1]
        fleet.calls(9)
        #expect(fleet.ejected == [1], "seed \(seed)")
        #expect(
            fleet.record.lines == [
                "warning: server mcp-1:3001 is ejected for 30s: 3 failures in a row, the last: answered \(status)"
            ], "seed \(seed)")
        let before = fleet.requests(1)
        #expect(fleet.calls(12).allSatisfy { $0.status == 200 }, "seed \(seed)")
        #expect(fleet.requests(1) == before, "seed \(seed)")

        fleet.bad = []
        fleet.stage.run(for: .seconds(31))
        #expect(fleet.ejected == [], "seed \(seed)")
        #expect(fleet.record.lines.last == "notice: server mcp-1:3001 gets work again: its ejection is over")
        #expect(fleet.record.lines.count == 2)
        fleet.calls(6)
        #expect(fleet.requests(1) == before + 2, "seed \(seed)")
        #expect(fleet.stage.metrics.sum(.ejections, server: 1) == 1)
        fleet.stage.expectNoLeaks()
    }

    @Test("a second ejection lasts twice as long", arguments: seeds)
    func growth(seed: UInt64) {
        let fleet = Fleet(seed: seed)
        fleet.bad = [1]
        fleet.calls(9)
        fleet.stage.run(for: .seconds(31))
        fleet.calls(12)
        #expect(fleet.record.lines.last?.contains("is ejected for 60s") == true, "\(fleet.record.lines)")
        fleet.stage.run(for: .seconds(45))
        #expect(fleet.ejected == [1], "seed \(seed)")
        fleet.stage.run(for: .seconds(16))
        #expect(fleet.ejected == [], "seed \(seed)")
    }

    @Test("resets, silence and nonsense before an answer count", arguments: seeds)
    func otherFailures(seed: UInt64) {
        for (answer, text) in [
            ([.reset], "the connection ended before an answer"), ([.close], "the connection ended before an answer"),
            ([], "no answer in time"), ([.text("SSH-2.0\r\n\r\n")], "the answer is not HTTP"),
        ] as [([SimulatedPeer.Action], String)] {
            let fleet = Fleet(seed: seed)
            fleet.stage.plan.firstByteTimeout = .seconds(3)
            fleet.badAnswer = answer
            fleet.bad = [2]
            fleet.calls(12)
            #expect(fleet.ejected == [2], "\(text), seed \(seed)")
            #expect(
                fleet.record.lines.contains {
                    $0.hasPrefix("warning: server mcp-2:3001 is ejected") && $0.hasSuffix(text)
                }, "\(fleet.record.lines), seed \(seed)")
        }
    }

    @Test("connections that fail count, though their requests go elsewhere", arguments: seeds)
    func connections(seed: UInt64) {
        let fleet = Fleet(seed: seed)
        fleet.stage.network.refuse(at: ProxyStage.server(0))
        #expect(fleet.calls(12).allSatisfy { $0.status == 200 }, "seed \(seed)")
        #expect(fleet.ejected == [0], "seed \(seed)")
        #expect(fleet.record.lines.last?.hasSuffix("the last: connection refused") == true, "\(fleet.record.lines)")
    }

    @Test("what says nothing about a server does not count", arguments: seeds)
    func innocent(seed: UInt64) {
        for status in [400, 401, 403, 404, 405, 406, 409, 413, 421, 429, 500, 501] {
            let fleet = Fleet(seed: seed)
            fleet.badAnswer = .reply("no", status: "\(status) No")
            fleet.bad = [0, 1, 2]
            #expect(fleet.calls(20).allSatisfy { $0.status == status })
            #expect(fleet.ejected == [] && fleet.record.lines == [], "\(status), seed \(seed)")
        }
        let fleet = Fleet(seed: seed)
        fleet.badAnswer = .reply(#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no"}}"#)
        fleet.bad = [0, 1, 2]
        fleet.calls(20)
        // Calls that take long, and clients that go before they end.
        fleet.badAnswer = []
        for _ in 0..<20 {
            let client = fleet.stage.connect()
            client.ask(.post(.call(1)))
            fleet.stage.run(for: .seconds(2))
            client.leave()
            fleet.stage.run(for: .milliseconds(200))
        }
        #expect(fleet.ejected == [] && fleet.record.lines == [], "seed \(seed)")
    }

    @Test("successes in between start the count again", arguments: seeds)
    func successes(seed: UInt64) {
        let fleet = Fleet(seed: seed, servers: 2)
        for _ in 0..<6 {
            fleet.bad = [0]
            fleet.calls(4)
            fleet.bad = []
            fleet.calls(4)
        }
        #expect(fleet.ejected == [], "seed \(seed)")
    }

    @Test("sessions of an ejected server stay with it, and new ones go elsewhere", arguments: seeds)
    func sessions(seed: UInt64) {
        let record = LogRecorder()
        let stage = ProxyStage(seed: seed, servers: 3)
        stage.log = record.logger
        stage.plan.outliers = OutlierPlan(
            rule: OutlierDetector.Rule(failures: 2, baseEjection: 3_600_000_000_000), maximumPercent: 34)
        let servers = (0..<3).map { SessionServer(stage, $0) }
        let parties = (0..<6).map { _ in SessionTests.open(stage) }
        let healthy = servers[1].server.handler
        servers[1].server.handler = { _ in .reply("busy", status: "503 No") }
        let client = stage.connect()
        for party in parties where party.owner == "replica-1" {
            _ = SessionTests.call(stage, party.session, on: client)
        }
        #expect(record.lines.count == 1 && record.lines[0].contains("mcp-1:3001 is ejected"), "\(record.lines)")
        servers[1].server.handler = healthy
        for party in parties {
            let answer = SessionTests.call(stage, party.session, on: client)
            #expect(answer.status == 200 && answer.text.hasPrefix(party.owner), "seed \(seed)")
        }
        let later = (0..<6).map { _ in SessionTests.open(stage) }
        #expect(Set(later.map(\.owner)) == ["replica-0", "replica-2"], "seed \(seed)")
    }

    @Test("no more at a time than max_ejected, and never the last or the only one", arguments: seeds)
    func limit(seed: UInt64) {
        for (count, most) in [(1, 0), (2, 1), (3, 1), (6, 2)] {
            let fleet = Fleet(seed: seed, servers: count)
            fleet.bad = Set(0..<count)
            fleet.calls(10 * count)
            #expect(fleet.ejected.count == most, "\(count) servers, seed \(seed)")
            #expect(
                fleet.record.lines.filter { $0.contains("is not ejected, as too few") }.count == count - most,
                "\(fleet.record.lines), seed \(seed)")
        }
    }

    @Test("if the others fall to the checks, the ejected one is better than none", arguments: seeds)
    func better(seed: UInt64) {
        let fleet = Fleet(seed: seed)
        fleet.bad = [1]
        fleet.calls(9)
        #expect(fleet.ejected == [1], "seed \(seed)")
        fleet.bad = []
        fleet.stage.markUnhealthy(0)
        fleet.stage.markUnhealthy(2)
        let before = fleet.requests(1)
        #expect(fleet.calls(4).allSatisfy { $0.status == 200 }, "seed \(seed)")
        #expect(fleet.requests(1) == before + 4)
        fleet.stage.markHealthy(0)
        #expect(fleet.calls(4).allSatisfy { $0.status == 200 }, "seed \(seed)")
        #expect(fleet.requests(1) == before + 4)
    }

    @Test("below panic_threshold work is spread over all, the ejected and the unhealthy too", arguments: seeds)
    func panic(seed: UInt64) {
        let fleet = Fleet(seed: seed, servers: 4)
        fleet.stage.plan.panicThreshold = 50
        fleet.bad = [1]
        fleet.calls(12)
        #expect(fleet.ejected == [1], "seed \(seed)")
        fleet.bad = []
        fleet.stage.markUnhealthy(0)
        var before = (0..<4).map(fleet.requests)
        fleet.calls(8)
        #expect((0..<4).map(fleet.requests) == [before[0], before[1], before[2] + 4, before[3] + 4], "seed \(seed)")
        for _ in 0..<100 { fleet.stage.worker?.recordHealth(2, .failed) }
        #expect(
            fleet.record.lines.last == "warning: server mcp-2:3001 is unhealthy"
                && fleet.record.lines.dropLast().last?.contains("less than 50 % of its servers") == true,
            "\(fleet.record.lines)")
        before = (0..<4).map(fleet.requests)
        fleet.calls(8)
        #expect((0..<4).map(fleet.requests) == before.map { $0 + 2 }, "before: \(before), seed \(seed)")
    }

    @Test("workers share what they know, and one timer brings the server back for all", arguments: seeds)
    func workers(seed: UInt64) {
        let stages = ProxyStage.workers(2, seed: seed, servers: 3)
        for stage in stages {
            stage.plan.healthCheck.fall = 100
            stage.plan.outliers = OutlierPlan(
                rule: OutlierDetector.Rule(failures: 4, baseEjection: 30_000_000_000), maximumPercent: 34)
        }
        var counts = [0, 0, 0]
        var isBad = true
        for stage in stages {
            for index in 0..<3 {
                _ = ScriptedServer(stage, index) { message in
                    counts[index] += 1
                    return index == 0 && isBad ? .reply("", status: "502 No") : .reply(message.text)
                }
            }
        }
        func calls(_ count: Int, _ stage: ProxyStage) {
            let client = stage.connect()
            for number in 0..<count {
                client.ask(.post(.call(number)))
                stage.awaitResponses(number + 1, to: client)
            }
            client.leave()
        }
        for _ in 0..<12 { for stage in stages { calls(1, stage) } }
        #expect(counts[0] == 4, "\(counts), seed \(seed)")
        isBad = false
        for stage in stages { stage.run(for: .seconds(40)) }
        for stage in stages { calls(6, stage) }
        #expect(counts[0] > 4, "\(counts), seed \(seed)")
        #expect(stages[0].metrics.sum(.ejections, server: 0) == 1)
    }
}

extension ProxyStage {
    /// Turns until a client has so many responses, for ten simulated seconds at most, without sleeping on when it has them.
    func awaitResponses(_ count: Int, to client: ScriptedClient) {
        for _ in 0..<2_000 where client.responses.count < count { run(for: .milliseconds(5)) }
    }
}
