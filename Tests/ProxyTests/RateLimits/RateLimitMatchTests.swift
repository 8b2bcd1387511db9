import Configuration
import HTTP
import Kernel
import MCP
import Reactor
import TestSupport
import Testing

@testable import Proxy

/// Which rules count which requests.
@Suite("What rate limits count")
struct RateLimitMatchTests {
    private static let rules = """
        rate_limit = [
          { key = "ip", rate = "1/s" },
          { key = "ip", tool = "export-*", rate = "1/s" },
          { key = "ip", method = "initialize", rate = "1/s" },
          { key = "ip", method = "resources/*", rate = "1/s" },
        ]
        stream_opens = "1/s"
        """
    private static let (any, export, initialize, resources, opens): (UInt32, UInt32, UInt32, UInt32, UInt32) =
        (1, 2, 4, 8, 16)
    private static let all: UInt32 = 15

    static func limits(_ rules: String) throws -> RouteLimits {
        let text = """
            [listen]
            http = ":80"
            [upstream.mcp]
            servers = ["mcp-0:3001"]
            [[route]]
            upstream = "mcp"
            \(rules)
            """
        let checks = ConfigurationChecks(files: false, environment: { _ in nil })
        let file = try ConfigurationFile.parse(text, file: "berth.toml", checks: checks).get()
        let limits = try RouteLimits(file.configuration.routes[0], RateLimits(seed: (1, 2)))
        return try #require(limits)
    }

    private func match(_ request: String, isWhole: Bool = true) throws -> RouteLimits.Match {
        var buffer = ByteBuffer()
        buffer.append(Array(request.utf8))
        var head = RequestHead()
        guard case .complete = RequestParser(limits: HeadLimits()).parse(buffer, into: &head) else {
            Issue.record("no request: \(request)")
            return RouteLimits.Match(rules: 0)
        }
        let kind = RequestKind(of: head, in: buffer)
        return try Self.limits(Self.rules).match(head, in: buffer, kind, isWhole: isWhole, known: nil)
    }

    private static func call(_ tool: String) -> String {
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\#(tool)"}}"#
    }

    private static func message(_ method: String, id: String = #","id":1"#) -> String {
        #"{"jsonrpc":"2.0"\#(id),"method":"\#(method)"}"#
    }

    static let messages: [(body: String, rules: UInt32)] = [
        (call("search"), any), (call("export-all"), any | export), (call("export-"), any | export),
        (call("Export-all"), any), (message("tools/list"), any), (message("resources/read"), any | resources),
        (message("resources/templates/list"), any | resources), (message("ping"), any),
        (message("somebody/else"), any),
        // Only a rule that names it counts what begins a session.
        (message("initialize"), initialize),
        // Never: nobody waits for these, or a session waits for them.
        (message("notifications/initialized", id: ""), 0), (message("notifications/cancelled", id: ""), 0),
        (message("notifications/anything", id: ""), 0), (message(#"notifications\/initialized"#, id: ""), 0),
        (message("server/discover"), 0), (#"{"jsonrpc":"2.0","id":1,"result":{}}"#, 0),
        (#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#, 0),
        // A request does not become a notification by leaving its id out, nor by its name.
        (message("tools/call", id: ""), any | export), (message("notifications/initialized"), any),
        // Spelled otherwise they are the same.
        (call(#"\u0065xport-all"#), any | export), (call(#"export\u002dall"#), any | export),
        (#"{"jsonrpc":"2.0","id":1,"method":"tools\/call","params":{"name":"export-a"}}"#, any | export),
        (message(#"resources\/read"#), any | resources), (message(#"server\/discover"#), 0),
        (message(#"\u0069nitialize"#), initialize),
        // A tool that is not said in one way may be any.
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"export-a"}}"#, any | export),
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}"#, any | export),
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, any | export),
        // What cannot be read may be any request.
        (#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#, all),
        (#"{"jsonrpc":"2.0","id":1,"result":{},"method":"tools/call"}"#, all),
        (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{},"params":{"name":"export-a"}}"#, all),
        (call(#"export\u00"#), all), (message(#"\ud800"#), all), (call(#"\ud800"#), all),
        // What one reader takes for a call, and another does not.
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"},"Params":{"name":"export-a"}}"#, all),
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"export-a"}}"#, all),
        (#"{"id":1,"method":"tools/call","params":{"name":"a"},"param\u017f":{"name":"export-a"}}"#, all),
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"},"paramſ":{"name":"export-a"}}"#, all),
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name\u0000":"export-a"}}"#, all),
        (#"{"jsonrpc":"2.0","method":"notifications/x","Method":"tools/call","params":{"name":"export-a"}}"#, all),
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/call\u0000","params":{"name":"export-a"}}"#, all),
        (call(#"export-a\u0000"#), all),
        ("grant_type=authorization_code", all), ("", all), (#"{"method":"tools/call""#, all),
    ]

    @Test("by the message", arguments: messages)
    func byMessage(body: String, rules: UInt32) throws {
        #expect(try match(.post(body)) == RouteLimits.Match(rules: rules), "\(body)")
        // Header fields say what they like.
        let lies = "Mcp-Method: notifications/initialized\r\nMcp-Name: harmless\r\n"
        #expect(try match(.post(body, session: "s1", extra: lies)).rules == rules, "\(body)")
        #expect(try match(.post(body, version: "2026-07-28", extra: lies)).rules == rules, "\(body)")
        // In chunks it is the same.
        let half = body.utf8.count / 2
        let chunked = [Array(body.utf8.prefix(half)), Array(body.utf8.dropFirst(half))].filter { !$0.isEmpty }
            .map { "\(String($0.count, radix: 16))\r\n\(String(decoding: $0, as: UTF8.self))\r\n" }.joined()
        let head = "POST /mcp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(try match("\(head)\(chunked)0\r\n\r\n").rules == rules, "\(body)")
    }

    @Test("an array counts as many times as it has messages, with every rule")
    func batches() throws {
        let one = Self.call("search")
        #expect(try match(.post("[\(one)]")) == RouteLimits.Match(rules: Self.all))
        #expect(try match(.post("[\(one), \(one),\(one)]")) == RouteLimits.Match(rules: Self.all, count: 3))
        #expect(try match(.post("[]")) == RouteLimits.Match(rules: Self.all))
        #expect(try match(.post("[\(one),\(one)")).count == 4, "every brace of one that is cut off")
        let deep = String(repeating: "[", count: 5_000)
        #expect(try match(.post("[\(one),\(deep)")).count == 2)
    }

    @Test("what streams may be any request")
    func large() throws {
        #expect(try match(.post(Self.message("ping")), isWhole: false) == RouteLimits.Match(rules: Self.all))
    }

    @Test("an event stream counts as one that is opened, and by nothing else")
    func streams() throws {
        #expect(try match(.openStream()).rules == Self.opens)
        #expect(try match(.openStream(session: "s1")).rules == Self.opens)
        #expect(try match(.get(extra: "Mcp-Session-Id: s1\r\n")).rules == Self.opens)
        #expect(try match(.get(extra: "Accept: text/event-stream\r\nLast-Event-ID: 7\r\n")).rules == Self.opens)
        let modern = "MCP-Protocol-Version: 2026-07-28\r\n"
        #expect(try match(.get(extra: "Accept: text/event-stream\r\n\(modern)")).rules == Self.opens)
        #expect(
            try match(.post(Self.message("subscriptions/listen"), version: "2026-07-28")).rules == Self.opens | Self.any
        )
    }

    @Test("of other requests of HTTP only rules for everything count some")
    func others() throws {
        #expect(try match(.get("/.well-known/oauth-protected-resource")).rules == Self.any)
        #expect(try match("HEAD /mcp HTTP/1.1\r\nHost: a\r\n\r\n").rules == Self.any)
        #expect(try match("PUT /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").rules == Self.any)
        #expect(try match("DELETE /mcp HTTP/1.1\r\nHost: a\r\nMcp-Session-Id: s1\r\n\r\n").rules == 0)
        #expect(try match("OPTIONS /mcp HTTP/1.1\r\nHost: a\r\nOrigin: https://a\r\n\r\n").rules == 0)
    }

    @Test("a rule in words")
    func names() throws {
        let limits = try Self.limits(
            """
            rate_limit = [
              { key = "session", tool = "a*", rate = "6/min", burst = 2, concurrency = 2 },
              { key = "header:X-Tenant", method = "tools/list", rate = "1_000/d" }, { key = "route", concurrency = 9 },
            ]
            """)
        #expect(
            limits.rules.map(\.name)
                == ["session a* 6/min burst 2 2 at once", "header:x-tenant tools/list 1000/d", "route 9 at once"])
    }

    @Test("what a client is told has no character that would need an escape")
    func lines() throws {
        let limits = try Self.limits(#"rate_limit = [{ key = "ip", tool = "a\"\\é", rate = "10/min", burst = 5 }]"#)
        let refusal = RateLimitRefusal(limits.rules[0], .rate, nanoseconds: 1_000_000_001)
        #expect(
            String(decoding: refusal.lines, as: UTF8.self) == """
                ratelimit-policy: "ip a???? 10/min burst 5";q=10;w=60;berth-burst=5\r
                ratelimit: "ip a???? 10/min burst 5";r=0;t=2\r

                """)
        #expect(RateLimitRefusal(limits.rules[0], .rate, nanoseconds: .max).retryAfter == 30)
        #expect(RateLimitRefusal(limits.rules[0], .rate, nanoseconds: 1).retryAfter == 1)
        #expect(RateLimitRefusal(limits.rules[0], .rate, nanoseconds: 2_000_000_000).retryAfter == 2)
    }
}
