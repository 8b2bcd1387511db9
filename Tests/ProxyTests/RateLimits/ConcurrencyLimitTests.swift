import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// `concurrency` of `rate_limit`, and `stream_opens`.
@Suite("Limits of what is in progress")
struct ConcurrencyLimitTests {
    private static func inProgress(_ stage: ProxyStage) -> Int { stage.snapshot.rateLimits?.concurrentRequests ?? -1 }

    private static func call(_ tenant: String, _ id: Int = 1, tool: String = "export") -> String {
        .post(
            #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(tool)"}}"#,
            extra: "X-Tenant: \(tenant)\r\n")
    }

    private static let rule = #"rate_limit = [{ key = "header:X-Tenant", tool = "export*", concurrency = 2 }]"#

    @Test("the third at once is refused, until one is over", arguments: 1...5 as ClosedRange<UInt64>)
    func limit(seed: UInt64) throws {
        let stage = try RateLimitTests.stage(Self.rule, seed: seed)
        let server = ScriptedServer(stage) { message in
            message.text.contains("export") ? [.pause(.seconds(200))] + .reply("ok") : .reply("ok")
        }
        let first = (0..<2).map { _ in stage.connect() }
        for client in first { client.ask(Self.call("a")) }
        stage.run { server.requests.count == 2 }
        #expect(Self.inProgress(stage) == 2)
        let refused = stage.answer(Self.call("a", 9))
        #expect(refused.status == 503 && refused["retry-after"] == "1", "seed \(seed)")
        #expect(
            refused["ratelimit-policy"]
                == #""header:x-tenant export* 2 at once";q=2;qu="concurrent-requests""#)
        #expect(refused["ratelimit"] == #""header:x-tenant export* 2 at once";r=0"#)
        #expect(
            refused.text
                == #"{"jsonrpc":"2.0","id":9,"error":{"code":-32603,"message":"Too many requests are in progress","data":{"reason":"concurrency_limited","retry_after":1}}}"#
        )
        #expect(stage.answer(Self.call("a", tool: "search")).status == 200, "another tool")
        let other = stage.connect()
        other.ask(Self.call("b"))
        stage.run { server.requests.count == 4 }
        #expect(Self.inProgress(stage) == 3, "another tenant")
        // A client that goes away ends its call.
        first[0].leave()
        stage.run { Self.inProgress(stage) == 2 }
        #expect(Self.inProgress(stage) == 2, "seed \(seed)")
        let third = stage.connect()
        third.ask(Self.call("a"))
        stage.run { server.requests.count == 5 }
        #expect(Self.inProgress(stage) == 3)
        stage.run(within: .seconds(300)) {
            first[1].responses.count == 1 && other.responses.count == 1 && third.responses.count == 1
        }
        #expect(Self.inProgress(stage) == 0)
        first[1].leave()
        other.leave()
        third.leave()
        stage.expectEveryExchangeEndedOnce("seed \(seed)")
        stage.expectNoLeaks()
    }

    @Test("a rate and a number at once: what is refused by one is not counted by the other")
    func both() throws {
        let stage = try RateLimitTests.stage(#"rate_limit = [{ key = "ip", rate = "3/d", concurrency = 1 }]"#)
        let server = ScriptedServer(stage) { message in
            [.pause(.seconds(message.text.contains(#""id":1"#) ? 200 : 0))] + .reply("ok")
        }
        let client = stage.connect()
        client.ask(.post(.call(1)))
        stage.run { server.requests.count == 1 }
        for _ in 0..<5 { #expect(stage.answer(.post(.call(2))).status == 503) }
        stage.run(within: .seconds(300)) { client.responses.count == 1 }
        #expect((0..<3).map { _ in stage.answer(.post(.call(2))).status } == [200, 200, 429])
        #expect(Self.inProgress(stage) == 0)
    }

    @Test("nobody's place is lost, whatever ends a call", arguments: 1...40 as ClosedRange<UInt64>)
    func storm(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed &* 104_729)
        let stage = try RateLimitTests.stage(
            #"rate_limit = [{ key = "header:X-Tenant", concurrency = 2 }, { key = "ip", rate = "100/s", concurrency = 9 }]"#,
            seed: seed)
        stage.plan.firstByteTimeout = .seconds(3)
        stage.plan.pool.maximum = 6
        stage.plan.queueTimeout = .seconds(1)
        var answers = random.split()
        let server = ScriptedServer(stage) { _ in
            let pause = SimulatedPeer.Action.pause(.milliseconds(answers.next() % 2_000))
            switch answers.next() % 8 {
            case 0: return [pause, .reset]
            case 1: return []
            case 2: return [pause] + .stream("data: a\n\n") + [pause, .lastChunk]
            case 3: return [pause, .text("HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nhalf"), .close]
            default: return [pause] + .reply("ok")
            }
        }
        var clients: [(client: ScriptedClient, tenant: String, asked: Int)] = []
        var statuses: [Int: Int] = [:]
        for step in 0..<200 {
            switch random.next() % 12 {
            case 0:
                // All connections break, and new ones can be had: a server that refused them would count as down.
                server.die()
                server.listen()
            case 1, 2:
                if !clients.isEmpty { clients.remove(at: Int(random.next() % UInt64(clients.count))).client.leave() }
            default:
                if clients.count < 12, random.next() % 2 == 0 {
                    clients.append((stage.connect(), "t\(random.next() % 2)", 0))
                }
                guard !clients.isEmpty else { break }
                let index = Int(random.next() % UInt64(clients.count))
                let (client, tenant, asked) = clients[index]
                guard !client.isOver, client.responses.count == asked else { break }
                client.ask(Self.call(tenant, step))
                clients[index].asked += 1
            }
            stage.run(for: .milliseconds(random.next() % 1_000))
            // What counts is in progress: no more than there are exchanges, and no tenant has more than its two.
            #expect(Self.inProgress(stage) <= 2 * stage.exchangeCount, "seed \(seed), step \(step)")
            #expect(stage.exchangeCount <= 4, "two tenants with two each, seed \(seed), step \(step)")
            for (client, _, _) in clients where client.isOver {
                for response in client.responses { statuses[response.status, default: 0] += 1 }
            }
            clients.removeAll { $0.client.isOver }
        }
        for (client, _, _) in clients {
            for response in client.responses { statuses[response.status, default: 0] += 1 }
            client.leave()
        }
        stage.run(for: .seconds(10))
        #expect(Self.inProgress(stage) == 0, "seed \(seed)")
        #expect((statuses[200] ?? 0) > 0, "seed \(seed): \(statuses)")
        stage.expectEveryExchangeEndedOnce("seed \(seed)")
        stage.expectNoLeaks()
    }

    // MARK: - stream_opens

    @Test("a session that opens its stream again and again is told to wait, and another is not")
    func streamOpens() throws {
        let stage = try RateLimitTests.stage("stream_opens = \"3/min\"")
        let server = SessionServer(stage, 0)
        server.server.handler = { message in
            message.method == "GET"
                ? .stream("data: a\n\n") + [.lastChunk]
                : .reply("ok", extra: "Mcp-Session-Id: \(UInt64.random(in: 0 ... .max))\r\n")
        }
        let parties = (0..<2).map { _ in SessionTests.open(stage) }
        for party in parties {
            let opens = (0..<5).map { _ in String.openStream(session: party.session) }
            #expect(RateLimitTests.statuses(stage, on: party.client, opens) == [200, 200, 200, 429, 429])
            let refused = try #require(party.client.responses.last)
            #expect(
                (1...31).contains(Int(refused["retry-after"] ?? "") ?? 0)
                    && refused.text.contains("stream_opens_limited"))
            #expect(refused["ratelimit-policy"] == #""stream_opens 3/min";q=3;w=60"#)
            // Calls go on.
            #expect(
                RateLimitTests.statuses(stage, on: party.client, [.post(.call(1), session: party.session)]) == [200])
        }
        stage.run(for: .seconds(20))
        let again = RateLimitTests.statuses(
            stage, on: parties[0].client, [.openStream(session: parties[0].session)])
        #expect(again == [200])
        // Without a session it is the address.
        let client = stage.connect()
        let opens = (0..<4).map { _ in String.openStream() }
        #expect(RateLimitTests.statuses(stage, on: client, opens) == [200, 200, 200, 429])
        #expect(stage.snapshot.rateLimits?.refusals.map(\.reason) == [.streamOpens])
        #expect(stage.snapshot.rateLimits?.refusals.map(\.count) == [5])
    }
}
