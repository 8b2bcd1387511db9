import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// `rate_limit` of routes, in a whole worker.
@Suite("Rate limits")
struct RateLimitTests {
    static func address(_ text: String) throws -> SocketAddress {
        try #require(SocketAddress(literal: text, port: 40_000))
    }

    /// A proxy whose only route has these keys.
    static func stage(_ rules: String, seed: UInt64 = 1, listen: String = "") throws -> ProxyStage {
        let stage = ProxyStage(seed: seed)
        try stage.configure(listen: listen, "[[route]]\nupstream = \"mcp\"\n\(rules)")
        return stage
    }

    /// The statuses of requests one after the other on one connection.
    static func statuses(_ stage: ProxyStage, on client: ScriptedClient, _ requests: [String]) -> [Int] {
        // Else the worker sleeps through the arrival of an answer, and time passes.
        client.peer.onReceive = { [stage] _ in
            stage.network.ring(ProxyStage.alarm)
            return []
        }
        return requests.map { request in
            let before = client.responses.count
            client.ask(request)
            stage.run { client.responses.count > before || client.isOver }
            return client.responses.count > before ? client.responses.last?.status ?? 0 : 0
        }
    }

    private static func tool(_ name: String, _ id: Int = 1) -> String {
        .post(#"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(name)"}}"#)
    }

    @Test("a client in a loop is refused, and the others are not", arguments: 1...5 as ClosedRange<UInt64>)
    func loop(seed: UInt64) throws {
        let stage = try Self.stage(#"rate_limit = [{ key = "ip", rate = "5/d" }]"#, seed: seed)
        let server = ScriptedServer(stage) { _ in .reply("ok") }
        let looping = stage.connect(from: try Self.address("192.0.2.66"))
        let statuses = Self.statuses(stage, on: looping, (1...40).map { .post(.call($0)) })
        #expect(statuses.prefix(5) == [200, 200, 200, 200, 200], "seed \(seed)")
        #expect(statuses.dropFirst(5).allSatisfy { $0 == 429 }, "seed \(seed): \(statuses)")
        for host in 1...20 {
            let other = stage.connect(from: try Self.address("192.0.2.\(host)"))
            #expect(Self.statuses(stage, on: other, (1...3).map { .post(.call($0)) }) == [200, 200, 200])
            other.leave()
        }
        #expect(server.requests.count == 65)
        looping.leave()
        // A fifth of a day for each is what it may have.
        stage.run(for: .seconds(17_280))
        #expect(stage.answer(.post(.call(1)), from: try Self.address("192.0.2.66")).status == 200)
        stage.expectEveryExchangeEndedOnce("seed \(seed)")
        stage.expectNoLeaks()
    }

    @Test("the answer says when to come again, by which rule, and whose call it was")
    func answer() throws {
        let stage = try Self.stage(#"rate_limit = [{ key = "ip", method = "tools/*", rate = "6/h", burst = 1 }]"#)
        let recorder = LogRecorder()
        stage.log = recorder.logger
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let client = stage.connect(from: try Self.address("192.0.2.7"))
        #expect(Self.statuses(stage, on: client, [.post(.call(1)), .post(.call(72))]) == [200, 429])
        let refused = try #require(client.responses.last)
        #expect(refused["retry-after"] == "600")
        #expect(refused["ratelimit-policy"] == #""ip tools/* 6/h burst 1";q=6;w=3600;berth-burst=1"#)
        #expect(refused["ratelimit"] == #""ip tools/* 6/h burst 1";r=0;t=600"#)
        #expect(refused["content-type"] == "application/json" && refused["server"] == "berth")
        #expect(
            refused.text
                == #"{"jsonrpc":"2.0","id":72,"error":{"code":-32603,"message":"Too many requests","data":{"reason":"rate_limited","retry_after":600}}}"#
        )
        // The connection goes on.
        #expect(Self.statuses(stage, on: client, [.post(.call(1, "ping"))]) == [200])
        let refusals = stage.snapshot.rateLimits?.refusals ?? []
        #expect(refusals.map(\.rule) == ["ip tools/* 6/h burst 1"] && refusals.map(\.count) == [1])
        #expect(
            recorder.lines.contains {
                $0.contains(#"rate limit "ip tools/* 6/h burst 1": a request of 192.0.2.7 is refused"#)
            }, "\(recorder.lines)")
    }

    @Test("nothing is refused that a session waits for", arguments: 1...3 as ClosedRange<UInt64>)
    func never(seed: UInt64) throws {
        let stage = try Self.stage(
            "rate_limit = [{ key = \"route\", rate = \"1/d\" }]\nstream_opens = \"1/d\"", seed: seed)
        let server = SessionServer(stage, 0)
        let party = SessionTests.open(stage)
        #expect(!party.session.isEmpty)
        let session = party.session
        func post(_ body: String) -> String { .post(body, session: session) }
        let statuses = Self.statuses(
            stage, on: party.client,
            [
                post(.call(1)), post(.call(2)), post(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
                post(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#),
                post(#"{"jsonrpc":"2.0","id":5,"result":{}}"#),
                .post(.call(3, "server/discover"), version: "2026-07-28"),
                post(.call(4)), .post(.call(5, "initialize")), .post(.call(6, "initialize")),
                "OPTIONS /mcp HTTP/1.1\r\nHost: mcp.test\r\nMcp-Session-Id: \(session)\r\n\r\n",
            ])
        // The last one is what this server says to OPTIONS.
        #expect(statuses == [200, 429, 200, 200, 200, 200, 429, 200, 200, 400], "seed \(seed)")
        let delete = "DELETE /mcp HTTP/1.1\r\nHost: mcp.test\r\nMcp-Session-Id: \(session)\r\n\r\n"
        #expect(Self.statuses(stage, on: party.client, [delete]) == [200])
        #expect(server.sessions.count == 2, "those of the two later initialize")
    }

    @Test("a rule that names initialize counts it, and no other does")
    func initialize() throws {
        let stage = try Self.stage(#"rate_limit = [{ key = "ip", method = "initialize", rate = "2/h" }]"#)
        _ = SessionServer(stage, 0)
        let client = stage.connect()
        let requests = (1...4).map { String.post(.call($0, "initialize")) }
        #expect(Self.statuses(stage, on: client, requests) == [200, 200, 429, 429])
        #expect((1_700...1_800).contains(Int(client.responses.last?["retry-after"] ?? "") ?? 0))
        client.leave()
        stage.run(for: .seconds(1_800))
        #expect([requests[0], requests[1]].map { stage.answer($0).status } == [200, 429])
    }

    @Test("each session has its own limit once its id is verified", arguments: [SessionAffinityMode.signed, .learned])
    func sessions(affinity: SessionAffinityMode) throws {
        let stage = try Self.stage(#"rate_limit = [{ key = "session", rate = "3/d" }]"#)
        stage.plan.affinity = affinity
        if affinity == .learned { stage.snapshot.learned = LearnedSessions(limit: 100) }
        _ = SessionServer(stage, 0)
        let parties = (0..<3).map { _ in SessionTests.open(stage) }
        for party in parties {
            let calls = (1...5).map { String.post(.call($0), session: party.session) }
            #expect(Self.statuses(stage, on: party.client, calls) == [200, 200, 200, 429, 429])
            // Another connection is no other session.
            let client = stage.connect()
            #expect(Self.statuses(stage, on: client, [calls[0]]) == [429])
            client.leave()
        }
        // Made up ids have no limit of their own: they are nobody's.
        let client = stage.connect()
        let forged = (1...6).map { String.post(.call($0), session: "made-up-\($0)") }
        #expect(Self.statuses(stage, on: client, forged) == [404, 404, 404, 404, 404, 404])
        // Without a session it is the address that counts.
        let plain = (1...5).map { String.post(.call($0), version: "2026-07-28") }
        #expect(Self.statuses(stage, on: client, plain) == [200, 200, 200, 429, 429])
    }

    @Test("each value of a header field has its own limit, and who has none has that of the address")
    func fields() throws {
        let stage = try Self.stage(#"rate_limit = [{ key = "header:X-Tenant", rate = "2/d" }]"#)
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let client = stage.connect(from: try Self.address("192.0.2.1"))
        func ask(_ fields: String, on client: ScriptedClient) -> Int {
            Self.statuses(stage, on: client, [.post(.call(1), extra: fields)])[0]
        }
        for name in ["X-Tenant: a", "x-tenant: b", "X-TENANT: a,b", "X-Tenant: a\r\nX-Tenant: b"] {
            #expect((0..<3).map { _ in ask("\(name)\r\n", on: client) } == [200, 200, 429], "\(name)")
        }
        #expect(ask("x-Tenant: a\r\n", on: client) == 429)
        #expect((0..<3).map { _ in ask("", on: client) } == [200, 200, 429])
        #expect(ask("X-Tenant:\r\n", on: client) == 429, "an empty one is none")
        let other = stage.connect(from: try Self.address("192.0.2.2"))
        #expect(ask("", on: other) == 200)
    }

    @Test("addresses of one IPv6 network are one client, and of IPv4 each is")
    func networks() throws {
        let stage = try Self.stage(#"rate_limit = [{ key = "ip", rate = "1/d" }]"#)
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        func status(_ address: String) throws -> Int {
            stage.answer(.post(.call(1)), from: try Self.address(address)).status
        }
        #expect(try status("2001:db8:0:1::1") == 200)
        #expect(try status("2001:db8:0:1:ffff::2") == 429)
        #expect(try status("2001:db8:0:2::1") == 200)
        #expect(try status("192.0.2.1") == 200)
        #expect(try status("192.0.2.2") == 200)
        #expect(try status("192.0.2.1") == 429)
        #expect(try status("::ffff:192.0.2.2") == 429)
    }

    @Test("behind a trusted proxy the client counts, and of those that it names not each connection does")
    func proxies() throws {
        let stage = try Self.stage(
            #"rate_limit = [{ key = "ip", rate = "1/d" }]"#, listen: "trusted_proxies = [\"10.0.0.0/8\"]")
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let proxy = try Self.address("10.1.1.1")
        let connections = (0..<2).map { _ in stage.connect(from: proxy) }
        func statuses(_ fields: String) -> [Int] {
            connections.flatMap { Self.statuses(stage, on: $0, [.post(.call(1), extra: fields)]) }
        }
        #expect(statuses("X-Forwarded-For: 192.0.2.1\r\n") == [200, 429])
        #expect(statuses("X-Forwarded-For: 192.0.2.2, 10.2.2.2\r\n") == [200, 429])
        #expect(statuses("X-Forwarded-For: 203.0.113.9, 192.0.2.2\r\n") == [429, 429], "the first one may be made up")
        // Nobody is named: many clients may be behind it.
        #expect(statuses("") == [200, 200])
        #expect(statuses("") == [429, 429])
    }

    @Test("what one rule refuses another one does not count")
    func refund() throws {
        let stage = try Self.stage(
            """
            rate_limit = [
              { key = "ip", rate = "3/d" }, { key = "session", tool = "export", rate = "1/d" },
              { key = "ip", tool = "slow", rate = "1/d" },
            ]
            """)
        let server = SessionServer(stage, 0)
        let party = SessionTests.open(stage)
        func call(_ tool: String) -> String {
            .post(
                #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\#(tool)"}}"#, session: party.session)
        }
        let tools = ["export", "export", "export", "slow", "slow", "slow", "a", "a"]
        let statuses = Self.statuses(stage, on: party.client, tools.map(call))
        #expect(statuses == [200, 429, 429, 200, 429, 429, 200, 429])
        #expect(server.calls == 3)
    }

    @Test("several workers share their limits")
    func workers() throws {
        let stages = ProxyStage.workers(2, seed: 3, servers: 1)
        for stage in stages {
            stage.snapshot.rateLimits = stages[0].snapshot.rateLimits
            try stage.configure("[[route]]\nupstream = \"mcp\"\nrate_limit = [{ key = \"ip\", rate = \"10/h\" }]")
            _ = ScriptedServer(stage) { _ in .reply("ok") }
        }
        let address = try Self.address("192.0.2.1")
        let clients = stages.map { $0.connect(from: address) }
        var allowed = 0
        for index in 0..<30 {
            let statuses = Self.statuses(stages[index % 2], on: clients[index % 2], [.post(.call(index))])
            if statuses == [200] { allowed += 1 }
        }
        #expect(allowed == 10)
    }

    @Test("requests of HTTP/2 count as others do, on all streams of a connection", arguments: [false, true])
    func http2(isSecure: Bool) throws {
        let stage = try Self.stage(
            #"rate_limit = [{ key = "ip", rate = "3/d" }]"#, listen: "trusted_proxies = [\"127.0.0.0/8\"]")
        if isSecure { stage.addSecureListener() }
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let client = stage.connectHTTP2(isSecure: isSecure)
        let fields = [HeaderField("content-type", "application/json")]
        let streams = (1...6).map { client.ask("POST", "/mcp", fields, body: Array(String.call($0).utf8)) }
        stage.run { streams.allSatisfy { client.isDone($0) } }
        let responses = streams.map { client[$0].response }
        #expect(responses.count { $0.status == 200 } == 3 && responses.count { $0.status == 429 } == 3)
        for response in responses where response.status == 429 {
            #expect(response["ratelimit"]?.hasPrefix("\"ip 3/d\";r=0;t=") == true)
            #expect(Int(response["retry-after"] ?? "") ?? 0 > 0)
        }
    }

    @Test("a body that streams counts with every rule, for it could be any request")
    func large() throws {
        let stage = try Self.stage(#"rate_limit = [{ key = "ip", tool = "export-*", rate = "2/h" }]"#)
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let padding = String(repeating: "x", count: 70_000)
        let body =
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"export-a","arguments":{"a":"\#(padding)"}}}"#
        var statuses: [Int] = []
        for _ in 0..<3 { statuses.append(stage.answer(.post(body)).status) }
        #expect(statuses == [200, 200, 429])
        #expect(stage.answer(Self.tool("search")).status == 200)
        #expect(stage.answer(Self.tool("export-b")).status == 429)
        stage.expectNoLeaks()
    }

    @Test("where faults are told in band this one is too, for old clients")
    func inBand() throws {
        let stage = try Self.stage(#"rate_limit = [{ key = "ip", rate = "1/h" }]"#)
        stage.plan.legacyErrors = .rpc200
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let client = stage.connect()
        #expect(Self.statuses(stage, on: client, [.post(.call(1)), .post(.call(2))]) == [200, 200])
        let refused = try #require(client.responses.last)
        #expect(refused.text.contains("rate_limited") && refused["x-berth-error"] == "rate_limited")
        #expect(refused["retry-after"] == "3600")
        #expect(Self.statuses(stage, on: client, [.post(.call(3), version: "2026-07-28")]) == [429])
    }

    @Test("a reload forgets nothing of a rule that stays")
    func reload() throws {
        let stage = try Self.stage(#"rate_limit = [{ key = "ip", rate = "2/h" }]"#)
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let client = stage.connect()
        let ask = { Self.statuses(stage, on: client, [.post(.call(1))]) }
        #expect(ask() == [200] && ask() == [200] && ask() == [429])
        let other = ProxyStage(seed: 9)
        other.snapshot.rateLimits = stage.snapshot.rateLimits
        let route = "[[route]]\nupstream = \"mcp\"\n"
        try other.configure(
            "\(route)rate_limit = [{ key = \"ip\", rate = \"2/h\" }, { key = \"ip\", rate = \"90/h\" }]")
        try stage.reload { $0.routes = other.snapshot.routes }
        #expect(ask() == [429])
        try other.configure("\(route)rate_limit = [{ key = \"ip\", rate = \"3/h\" }]")
        try stage.reload { $0.routes = other.snapshot.routes }
        #expect(ask() == [200], "another rule begins anew")
        try stage.reload { $0.routes = [] }
        for _ in 0..<5 { #expect(ask() == [200]) }
    }

    @Test("without limits nothing is kept of any exchange")
    func off() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure("[[route]]\nupstream = \"mcp\"\nresponse_headers = { set = { \"X-A\" = \"1\" } }")
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        #expect(stage.answer(.post(.call(1))).status == 200)
        let isEmpty = stage.worker?.exchanges.limits.isEmpty
        #expect(isEmpty == true && stage.snapshot.rateLimits == nil)
    }
}
