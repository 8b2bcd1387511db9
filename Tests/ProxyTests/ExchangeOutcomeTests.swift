import HTTP
import Kernel
import MCP
import Reactor
import Simulation
import Telemetry
import Testing

@testable import Proxy

/// Every exchange passes one end; these are the ways in which it does, as the metrics count them.
@Suite("Exchange outcomes")
struct ExchangeOutcomeTests {
    private func counts(_ stage: ProxyStage) -> [ExchangeMetric: Int64] {
        var counts: [ExchangeMetric: Int64] = [:]
        for metric in ExchangeMetric.allCases where stage.metrics.sum(metric) != 0 {
            counts[metric] = stage.metrics.sum(metric)
        }
        return counts
    }

    @Test("a response that is forwarded whole counts with its bytes, each way", arguments: 1...4)
    func responded(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        _ = ScriptedServer(stage) { _ in .reply("seventh") }
        let client = stage.connect()
        client.ask(.post("fives"))
        stage.run { client.responses.count == 1 }
        #expect(counts(stage) == [.began: 1, .responded: 1, .requestBytes: 5, .responseBytes: 7], "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("an answer in the server's place, a client that leaves, a response that breaks off", arguments: 1...4)
    func failures(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage) { message in
            message.text == "cut"
                ? [.text("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), .pause(.milliseconds(20)), .reset] : []
        }
        let clients = (0..<3).map { _ in stage.connect() }
        clients[0].ask(.post("cut"))
        clients[1].ask(.post("never answered"))
        stage.run { clients[0].isOver && server.requests.count == 2 }
        clients[1].leave()
        stage.run(for: .milliseconds(50))
        stage.markUnhealthy(0)
        clients[2].ask(.post("no server"))
        stage.run { clients[2].responses.count == 1 }
        let ends = counts(stage)
        #expect(ends[.began] == 3 && ends[.responsesAborted] == 1, "\(ends), seed \(seed)")
        #expect(ends[.clientsDisconnected] == 1 && ends[.rejected] == 1, "\(ends), seed \(seed)")
        clients[2].leave()
        stage.expectNoLeaks()
    }

    @Test("an event stream that the server leaves silent for too long is ended by the proxy", arguments: 1...4)
    func silent(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.streamIdleTimeout = .seconds(40)
        _ = ScriptedServer(stage) { _ in .stream("data: once\n\n") }
        let client = stage.connect()
        client.ask(.openStream())
        stage.run(within: .seconds(60)) { client.responses.count == 1 }
        #expect(stage.metrics.sum(.streamsEnded) == 1 && stage.metrics.sum(.began) == 1, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("phases are kept as microseconds after the start, and at most 71 minutes")
    func times() {
        let start = Instant(nanoseconds: 1_000_000_000)
        var times = PhaseTimes(startedAt: start)
        #expect(times.queued == PhaseTimes.unset && times.connected == PhaseTimes.unset)
        times.noteQueued(at: start + .milliseconds(2))
        times.noteQueued(at: start + .milliseconds(9))
        times.noteConnected(at: start + .milliseconds(5))
        times.noteFirstByte(at: start + .seconds(86_400))
        #expect(times.queued == 2_000 && times.connected == 5_000)
        #expect(times.firstByte == PhaseTimes.unset - 1)
    }

    @Test("a record has what the exchange had")
    func record() {
        var exchange = Exchange(
            client: .none, kind: .sessionless, head: RequestHead(), isWhole: true, length: 0,
            now: Instant(nanoseconds: 5))
        exchange.server = 7
        exchange.upstream = 2
        exchange.status = 503
        exchange.requestBytes = 11
        exchange.attempts = 2
        let record = ExchangeRecord(exchange, .rejected(.noServerAvailable), at: Instant(nanoseconds: 9))
        #expect(record.outcome == .rejected(.noServerAvailable) && record.outcome.metric == .rejected)
        #expect(record.server == 7 && record.upstream == 2 && record.status == 503 && record.attempts == 2)
        #expect(record.requestBytes == 11 && record.responseBytes == 0)
        #expect(record.times.startedAt == Instant(nanoseconds: 5) && record.endedAt == Instant(nanoseconds: 9))
    }
}
