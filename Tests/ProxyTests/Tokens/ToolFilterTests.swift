import Caching
import Kernel
import Simulation
import TestIssuer
import TestSupport
import Testing
import Tokens

@testable import Proxy

/// `tools/list` has what its caller may call, and nothing else, however the answer comes.
@Suite("Lists of tools by what tokens allow")
struct ToolFilterTests {
    private static let rules =
        #"tools = [{ scope = "weather", allow = ["get-*"] }, { scope = "admin", allow = ["*"], deny = ["drop-*"] }, { scope = "root", allow = ["*"] }]"#

    private static let request = #"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#

    private static func list(_ names: [String], id: Int = 7, more: String = #","nextCursor":"page-2""#) -> String {
        let tools = names.map { #"{"name":"\#($0)","inputSchema":{"type":"object"}}"# }.joined(separator: ",")
        return #"{"jsonrpc":"2.0","id":\#(id),"result":{"tools":[\#(tools)]\#(more)}}"#
    }

    private static let all = list(["get-a", "set-b", "drop-c", "get-d"])

    /// What callers with a scope get of `all`.
    static let scopes: [(scope: String, names: [String])] = [
        ("weather", ["get-a", "get-d"]), ("admin", ["get-a", "set-b", "get-d"]), ("mail", []),
        ("root", ["get-a", "set-b", "drop-c", "get-d"]), ("weather mail admin", ["get-a", "set-b", "get-d"]),
    ]

    private static func stage(
        _ seed: UInt64, _ handler: @escaping (Message) -> [SimulatedPeer.Action]
    ) async throws -> TokenStage {
        let berth = try TokenStage(seed, Self.rules, keys: await KeySet(document: TestIssuer.allKeys))
        berth.server.server.handler = handler
        return berth
    }

    private static func chunked(_ body: String, type: String = "application/json", extra: String = "")
        -> [SimulatedPeer.Action]
    {
        [.text("HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\n\(extra)Transfer-Encoding: chunked\r\n\r\n")]
            + Array(body.utf8).split(maximumBytes: 50).map { .chunk($0) } + [.lastChunk]
    }

    // MARK: - JSON

    @Test("a JSON answer, however it is framed, in both kinds of revisions", arguments: scopes)
    func json(scope: String, names: [String]) async throws {
        for (seed, version) in [(1, "2025-11-25"), (2, "2026-07-28")] as [(UInt64, String)] {
            for form in 0..<3 {
                let berth = try await Self.stage(seed) { _ in
                    switch form {
                    case 0: .reply(Self.all, extra: "ETag: \"1\"\r\nContent-Digest: sha-256=:x:\r\n")
                    case 1: Self.chunked(Self.all)
                    default: [.text("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + Self.all), .close]
                    }
                }
                let token = berth.token(["scope": "\"\(scope)\""])
                let answer = berth.answer(
                    .post(
                        Self.request, version: version,
                        extra: "Authorization: Bearer \(token)\r\nAccept-Encoding: gzip\r\nMcp-Method: tools/list\r\n"))
                #expect(answer.status == 200 && answer.isComplete, "form \(form)")
                #expect(answer.text == Self.list(names), "form \(form)")
                guard scope != "root" else { continue }
                #expect(answer["content-length"] == "\(answer.text.utf8.count)")
                #expect(answer["transfer-encoding"] == nil && answer["etag"] == nil && answer["content-digest"] == nil)
                #expect(berth.server.server.requests.last?["accept-encoding"] == nil)
                berth.stage.expectEveryExchangeEndedOnce()
                berth.stage.expectNoLeaks()
            }
        }
    }

    @Test("a connection goes on after a list that was filtered, and other calls are not touched")
    func goesOn() async throws {
        let berth = try await Self.stage(3) { message in
            message.text.contains("tools/list") ? .reply(Self.all) : .reply(Self.list(["set-b"]))
        }
        let client = berth.stage.connect()
        let token = "Authorization: Bearer \(berth.token(["scope": "\"weather\""]))\r\n"
        for _ in 0..<3 {
            client.ask(.post(Self.request, extra: token))
            client.ask(.post(#"{"jsonrpc":"2.0","id":8,"method":"ping"}"#, extra: token + "Accept-Encoding: gzip\r\n"))
        }
        #expect(berth.run { client.responses.count == 6 })
        for (index, answer) in client.responses.enumerated() {
            #expect(answer.text == (index.isMultiple(of: 2) ? Self.list(["get-a", "get-d"]) : Self.list(["set-b"])))
        }
        #expect(berth.server.server.requests.last?["accept-encoding"] == "gzip")
        client.leave()
        berth.stage.expectNoLeaks()
    }

    @Test("over HTTP/2")
    func http2() async throws {
        let berth = try await Self.stage(4) { _ in Self.chunked(Self.all) }
        let client = berth.stage.connectHTTP2()
        let token = berth.token(["scope": "\"weather\""])
        let stream = client.ask(
            "POST", "/mcp",
            [HeaderField("authorization", "Bearer \(token)"), HeaderField("content-type", "application/json")],
            body: Array(Self.request.utf8))
        #expect(berth.run { client.isDone(stream) })
        #expect(client[stream].response.text == Self.list(["get-a", "get-d"]))
        client.leave()
        berth.stage.expectNoLeaks()
    }

    @Test("what is no JSON, is compressed, or too long fails the call, and nothing of it goes out", arguments: 0..<6)
    func impossible(form: Int) async throws {
        let long = Self.list(
            ["get-a", "set-b"] + (0..<100).map { "get-" + String(repeating: "x", count: 50_000) + "\($0)" })
        let berth = try await Self.stage(UInt64(form)) { _ in
            switch form {
            case 0: .reply(Self.all + "x")
            case 1: .reply(Self.all, extra: "Content-Encoding: gzip\r\n")
            case 2: .reply(long)
            case 3: Self.chunked(String(Self.all.dropLast()))
            case 4: [.text("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + Self.all), .close]
            default: [.text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + Self.all)]
            }
        }
        let answer = berth.call(berth.token(["scope": "\"weather\""]), Self.request)
        #expect(answer.status == 502 && answer.text.contains("\"id\":7"))
        #expect(answer.text.contains(form < 4 ? "tool_list_unreadable" : "bad_server_response"))
        #expect(answer.text.contains("\"limit\":4194304") == (form == 2))
        #expect(!answer.text.contains("set-b"))
        berth.stage.expectEveryExchangeEndedOnce()
        berth.stage.expectNoLeaks()
    }

    @Test("what is not an answer is left as it is")
    func others() async throws {
        let berth = try await Self.stage(1) { _ in .reply("<h1>no</h1>", status: "404 Not Found") }
        let token = berth.token(["scope": "\"weather\""])
        let answer = berth.call(token, Self.request)
        #expect(answer.status == 404 && answer.text == "<h1>no</h1>")
        berth.server.server.handler = { _ in [.text("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")] }
        #expect(berth.call(token, Self.request).status == 202)
        berth.server.server.handler = { _ in [.text("HTTP/1.1 204 No Content\r\n\r\n")] }
        #expect(berth.call(token, Self.request).status == 204)
    }

    @Test("a server that stops in the middle is an answer of its own, and so is a client that goes")
    func stalled() async throws {
        let berth = try await Self.stage(2) { _ in
            [.text("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + Self.all)]
        }
        berth.stage.plan.readTimeout = .seconds(3)
        let token = berth.token(["scope": "\"weather\""])
        let answer = berth.call(token, Self.request)
        #expect(answer.status == 502 && answer.text.contains("bad_server_response"))
        let client = berth.stage.connect()
        client.ask(.post(Self.request, extra: "Authorization: Bearer \(token)\r\n"))
        berth.run(within: .seconds(1)) { false }
        #expect(client.current.startLine.isEmpty)
        client.leave()
        berth.stage.expectNoLeaks()
    }

    // MARK: - Event streams

    @Test("an answer in an event stream, with or without its length, between other events", arguments: scopes)
    func events(scope: String, names: [String]) async throws {
        let progress = "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n"
        let stream = progress + "id: 9\nevent: message\ndata: \(Self.all)\n\n"
        for isCounted in [false, true] {
            let berth = try await Self.stage(isCounted ? 5 : 6) { _ in
                guard isCounted else { return Self.chunked(stream, type: "text/event-stream") }
                let head =
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: \(stream.utf8.count)\r\n\r\n"
                return [.text(head + stream)]
            }
            let answer = berth.call(berth.token(["scope": "\"\(scope)\""]), Self.request)
            #expect(answer.status == 200 && answer.isComplete)
            #expect(answer.text == progress + "id: 9\nevent: message\ndata: \(Self.list(names))\n\n")
            berth.stage.expectEveryExchangeEndedOnce()
            berth.stage.expectNoLeaks()
        }
    }

    @Test("an event that is no JSON, or too long, fails the call by an event of its own", arguments: 0..<3)
    func impossibleEvents(form: Int) async throws {
        let filler = String(repeating: "x", count: 100_000)
        let berth = try await Self.stage(UInt64(7 + form)) { _ in
            let first = "id: 1\ndata: {}\n\n"
            switch form {
            case 0: return Self.chunked(first + "data: \(Self.all)x\n\n", type: "text/event-stream")
            case 1: return Self.chunked(first + "data: \(Self.all)x", type: "text/event-stream")
            default:
                return .stream(first, "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"tools\":[{\"name\":\"set-b\"")
                    + (0..<50).map { _ in .chunk(filler) }
            }
        }
        let answer = berth.call(berth.token(["scope": "\"weather\""]), Self.request)
        #expect(answer.status == 200 && answer.isComplete)
        #expect(
            answer.text.hasPrefix("id: 1\ndata: {}\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":7,\"error\":"))
        #expect(answer.text.contains("tool_list_unreadable") && answer.text.hasSuffix("\n\n"))
        #expect(!answer.text.contains("set-b"))
        berth.stage.expectEveryExchangeEndedOnce()
        berth.stage.expectNoLeaks()
    }

    @Test("the stream of an HTTP+SSE session, and one that is resumed", arguments: 1...3 as ClosedRange<UInt64>)
    func listening(seed: UInt64) async throws {
        let berth = try await Self.stage(seed) { message in
            guard message.method == "GET" else { return [.text("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")] }
            return .stream("event: endpoint\ndata: /mcp?session_id=abc\n\n")
        }
        let token = berth.token(["scope": "\"weather\""])
        for extra in ["Accept: text/event-stream\r\n", "Accept: text/event-stream\r\nLast-Event-ID: 4\r\n"] {
            let client = berth.stage.connect()
            client.ask(.get(extra: "Authorization: Bearer \(token)\r\n" + extra))
            #expect(berth.run { client.current.text.contains("session_id=") })
            let peer = try #require(berth.server.server.connections.last)
            for byte in "event: message\r\ndata: \(Self.all)\r\n\r\n: beat\r\n\r\n".utf8 {
                peer.perform(.chunk([byte]))
            }
            #expect(berth.run { client.current.text.hasSuffix(": beat\r\n\r\n") })
            #expect(client.current.text.contains(Self.list(["get-a", "get-d"])))
            #expect(!client.current.text.contains("set-b") && !client.current.text.contains("drop-c"))
            client.leave()
        }
        berth.stage.expectNoLeaks()
    }

    // MARK: - The cache

    @Test("answers that are kept are kept whole, and filtered for each", arguments: 1...3 as ClosedRange<UInt64>)
    func cached(seed: UInt64) async throws {
        for scope in ["public", "private"] {
            let facts = #","ttlMs":60000,"cacheScope":"\#(scope)","resultType":"complete""#
            let berth = try await Self.stage(seed) { _ in
                .reply(Self.list(["get-a", "set-b", "drop-c", "get-d"], more: facts))
            }
            var cacheRules = CacheRules()
            cacheRules.listens = false
            berth.stage.plan.cache = UpstreamCache(cacheRules)
            func names(_ token: String) -> [String] {
                let answer = berth.answer(
                    .post(
                        #"{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{}}"#, version: "2026-07-28",
                        extra: "Mcp-Method: tools/list\r\nAuthorization: Bearer \(token)\r\n"))
                #expect(answer["content-length"] == "\(answer.text.utf8.count)" && answer.text.contains("\"id\":7"))
                #expect(answer.text.contains("\"cacheScope\":\"private\""))
                return answer.text.matches(of: /"name":"([^"]*)"/).map { String($0.1) }
            }
            let weather = berth.token(["scope": "\"weather\""])
            let admin = berth.token(["scope": "\"admin\"", "sub": "\"bob\""])
            for _ in 0..<3 {
                #expect(names(weather) == ["get-a", "get-d"], "seed \(seed)")
                #expect(names(admin) == ["get-a", "set-b", "get-d"], "seed \(seed)")
            }
            #expect(berth.server.server.requests.count == (scope == "public" ? 1 : 2))
            berth.stage.expectNoLeaks()
        }
    }
}

extension ToolFilterTests {
    @Test("a list that breaks off is no reason for one that is outdated", arguments: 1...4 as ClosedRange<UInt64>)
    func outdated(seed: UInt64) async throws {
        let facts = #","ttlMs":1000,"cacheScope":"public","resultType":"complete""#
        let answers: [[SimulatedPeer.Action]] = [
            .reply(Self.list(["get-a", "set-b"], more: facts)), .reply(Self.list(["get-a", "set-c"], more: "")),
            [.text("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + Self.all), .close], .reply("x"),
        ]
        var count = 0
        let berth = try await Self.stage(seed) { _ in
            defer { count += 1 }
            return answers[min(count, answers.count - 1)]
        }
        var rules = CacheRules()
        rules.listens = false
        rules.staleIfError = .seconds(600)
        berth.stage.plan.cache = UpstreamCache(rules)
        let token = berth.token(["scope": "\"weather\""], life: 3_000)
        var statuses: [Int] = []
        for _ in 0..<5 {
            let answer = berth.answer(
                .post(
                    #"{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{}}"#, version: "2026-07-28",
                    extra: "Mcp-Method: tools/list\r\nAuthorization: Bearer \(token)\r\n"))
            statuses.append(answer.status)
            #expect(!answer.text.contains("set-"), "seed \(seed)")
            berth.stage.run(for: .seconds(3))
        }
        #expect(statuses.prefix(2) == [200, 200] && statuses.dropFirst(2).allSatisfy { $0 == 502 }, "\(statuses)")
        berth.stage.expectEveryExchangeEndedOnce()
        berth.stage.expectNoLeaks()
    }
}

extension [UInt8] {
    /// Pieces of at most so many bytes.
    fileprivate func split(maximumBytes count: Int) -> [[UInt8]] {
        stride(from: 0, to: self.count, by: count).map { Array(self[$0..<Swift.min($0 + count, self.count)]) }
    }
}
