import Caching
import Kernel
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// Answers that need not reach a server.
@Suite("The cache in the proxy")
struct CacheTests {
    static let seeds: ClosedRange<UInt64> = 1...8

    @Test(
        "one answer serves all until its time is over, each with its id and what is left of the time", arguments: seeds)
    func hit(seed: UInt64) {
        let cached = CacheStage(seed)
        let first = cached.send(CacheStage.list("1"))
        #expect(first.number == 1 && first["cache-status"] == "berth; fwd=miss", "seed \(seed)")
        cached.stage.run(for: .seconds(10))
        for (number, id) in ["7", #""a-b""#, "8"].enumerated() {
            let answer = cached.send(CacheStage.list(id, token: "t\(number)"))
            #expect(answer.number == 1 && answer.id == id && answer.status == 200, "seed \(seed)")
            #expect((answer["cache-status"] ?? "").hasPrefix("berth; hit; ttl="), "seed \(seed)")
            #expect((40_000...50_000).contains(answer.ttl ?? 0), "\(answer.ttl ?? 0) seed \(seed)")
            #expect(answer["content-type"] == "application/json" && answer["date"] != nil)
        }
        #expect(cached.asked == 1)
        cached.stage.run(for: .seconds(51))
        #expect(cached.send(CacheStage.list()).number == 2, "seed \(seed)")
        cached.stage.expectNoLeaks()
    }

    @Test("a refusal for one caller says nothing of the others", arguments: seeds)
    func refusedCaller(seed: UInt64) {
        let cached = CacheStage(seed)
        let usual = cached.handler
        cached.handler = { _ in .reply("no", status: "401 Unauthorized") }
        #expect(cached.send(CacheStage.list(token: "bad")).status == 401)
        cached.handler = usual
        #expect(cached.send(CacheStage.list(token: "good"))["cache-status"] == "berth; fwd=miss", "seed \(seed)")
        #expect((cached.send(CacheStage.list())["cache-status"] ?? "").hasPrefix("berth; hit"), "seed \(seed)")
    }

    @Test("after a reload names are made anew", arguments: seeds)
    func renamed(seed: UInt64) throws {
        let cached = CacheStage(seed)
        _ = cached.send(CacheStage.list())
        _ = cached.send(CacheStage.list())
        #expect(cached.asked == 1)
        #expect(cached.stage.worker?.exchanges.caching.known.isEmpty == false)
        try cached.stage.reload { _ in }
        cached.stage.run(for: .milliseconds(10))
        #expect(cached.stage.worker?.exchanges.caching.known.isEmpty == true, "seed \(seed)")
    }

    @Test("streams of HTTP/2 are answered from it too, beside others that are not", arguments: seeds)
    func http2(seed: UInt64) {
        let cached = CacheStage(seed)
        #expect(cached.send(CacheStage.list()).number == 1)
        let client = cached.stage.connectHTTP2(isSecure: false)
        let body = Array(#"{"jsonrpc":"2.0","id":9,"method":"tools/list","params":{}}"#.utf8)
        let fields = [HeaderField("mcp-protocol-version", "2026-07-28"), HeaderField("mcp-method", "tools/list")]
        let streams = (0..<4).map { _ in client.ask("POST", "/mcp", fields, body: body) }
        cached.stage.run { streams.allSatisfy { client.isDone($0) } }
        for stream in streams {
            #expect(client[stream].response.text.contains(#""id":9,"result":{"answer":1,"#), "seed \(seed)")
        }
        #expect(cached.asked == 1, "seed \(seed)")
        client.leave()
        cached.stage.expectNoLeaks()
    }

    @Test("an event stream's answer is kept like another one's", arguments: seeds)
    func stream(seed: UInt64) {
        let cached = CacheStage(seed)
        cached.handler = { message in
            let note = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{}}\n\n"
            return .stream(note, "event: message\ndata: \(cached.result(5, message))\n\n") + [.lastChunk]
        }
        let first = cached.send(CacheStage.list("1"))
        #expect(first.text.hasPrefix("data: "))
        let second = cached.send(CacheStage.list("2"))
        #expect(second.number == 5 && second.id == "2" && second["content-type"] == "application/json")
        #expect(cached.asked == 1, "seed \(seed)")
        cached.stage.expectNoLeaks()
    }

    @Test("those who ask the same at once wait for one answer", arguments: seeds)
    func coalescing(seed: UInt64) {
        let cached = CacheStage(seed)
        cached.handler = { message in [.pause(.milliseconds(300))] + cached.answer(message) }
        let clients = (0..<20).map { _ in cached.stage.connect() }
        for (number, client) in clients.enumerated() {
            client.ask(CacheStage.list("\(number + 1)", token: "t\(number)"))
        }
        cached.stage.run { clients.allSatisfy { $0.responses.count == 1 } }
        for (number, client) in clients.enumerated() {
            #expect(
                client.responses.first?.id == "\(number + 1)" && client.responses.first?.number == 1, "seed \(seed)")
        }
        #expect(cached.asked == 1, "seed \(seed)")
        #expect(cached.cache.waiting == 0 && cached.cache.fetches == 0)
        for client in clients { client.leave() }
        cached.stage.expectNoLeaks()
    }

    @Test("if who fetches goes, or its server fails, the others are not left waiting", arguments: seeds)
    func failures(seed: UInt64) {
        for failure in 0..<4 {
            let cached = CacheStage(seed, servers: 2)
            var isFirst = true
            cached.handler = { message in
                guard isFirst else { return cached.answer(message) }
                isFirst = false
                switch failure {
                case 0: return []
                case 1: return [.pause(.milliseconds(50)), .reset]
                case 2: return [.pause(.milliseconds(50))] + .reply("broken", status: "500 Internal Server Error")
                default:
                    return [.pause(.milliseconds(50)), .text("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"), .close]
                }
            }
            let first = cached.stage.connect()
            first.ask(CacheStage.list("1"))
            cached.stage.run { cached.asked == 1 }
            let others = (0..<5).map { _ in cached.stage.connect() }
            for (number, client) in others.enumerated() { client.ask(CacheStage.list("\(number + 2)")) }
            cached.stage.run(for: .milliseconds(20))
            if failure == 0 { first.leave() }
            cached.stage.run(within: .seconds(4)) { others.allSatisfy { $0.responses.count == 1 } }
            for (number, client) in others.enumerated() {
                #expect(client.responses.first?.id == "\(number + 2)", "failure \(failure) seed \(seed)")
            }
            #expect(cached.cache.waiting == 0 && cached.cache.fetches == 0, "failure \(failure) seed \(seed)")
            for client in others + [first] { client.leave() }
            cached.stage.expectNoLeaks()
        }
    }

    @Test("who waits too long asks a server", arguments: seeds)
    func timeout(seed: UInt64) {
        let cached = CacheStage(seed)
        cached.handler = { message in cached.asked == 1 ? [] : cached.answer(message) }
        let first = cached.stage.connect()
        first.ask(CacheStage.list("1"))
        cached.stage.run { cached.asked == 1 }
        let second = cached.stage.connect()
        second.ask(CacheStage.list("2"))
        cached.stage.run(within: .seconds(8)) { second.responses.count == 1 }
        #expect(second.responses.first?.id == "2" && cached.asked == 2, "seed \(seed)")
        first.leave()
        second.leave()
        cached.stage.expectNoLeaks()
    }

    @Test("private answers are for who asked, and for nobody without a credential", arguments: seeds)
    func personal(seed: UInt64) {
        let cached = CacheStage(seed)
        cached.scope = "private"
        for round in 0..<2 {
            for token in ["a", "b", "c"] {
                let answer = cached.send(CacheStage.list(token: token))
                #expect(answer.text.contains("\"for\":\"Bearer \(token)\""), "seed \(seed)")
                #expect((answer["cache-status"] ?? "").contains("hit") == (round == 1), "\(token) seed \(seed)")
            }
        }
        #expect(cached.asked == 3)
        for _ in 0..<2 { #expect(cached.send(CacheStage.list()).text.contains("nobody")) }
        #expect(cached.asked == 5)
        cached.stage.expectNoLeaks()
    }

    @Test("what servers do not want kept is not kept", arguments: seeds)
    func unfit(seed: UInt64) {
        let changes: [(String, String)] = [
            (#""ttlMs":60000"#, #""ttlMs":0"#), ("complete", "input_required"),
            (#""result":{"#, #""error":{"code":-1,"#),
        ]
        for (from, to) in changes {
            let cached = CacheStage(seed)
            cached.handler = { message in .reply(cached.result(1, message).replacing(from, with: to)) }
            for _ in 0..<3 { #expect(cached.send(CacheStage.list()).status == 200) }
            #expect(cached.asked == 3 && cached.cache.entries == 0, "\(to) seed \(seed)")
        }
        for extra in [
            "Set-Cookie: a=b\r\n", "Vary: X-Tenant\r\n", "Cache-Control: max-age=3, no-store\r\n",
            "Cache-Control: private\r\n", "Content-Encoding: br\r\n",
        ] {
            let cached = CacheStage(seed)
            cached.handler = { message in cached.answer(message, extra: extra) }
            for _ in 0..<2 { _ = cached.send(CacheStage.list()) }
            #expect(cached.asked == 2 && cached.cache.entries == 0, "\(extra) seed \(seed)")
        }
    }

    @Test("a request whose id cannot be repeated goes to the server", arguments: seeds)
    func ids(seed: UInt64) {
        let cached = CacheStage(seed)
        #expect(cached.send(CacheStage.list()).number == 1)
        let long = "\"\(String(repeating: "x", count: 2_000))\""
        #expect(cached.send(CacheStage.list(long)).number == 2, "seed \(seed)")
        #expect(cached.send(CacheStage.list("3")).number == 1, "seed \(seed)")
        cached.stage.expectNoLeaks()
    }

    @Test("where it was asked, from which page and in which revision makes a difference", arguments: seeds)
    func places(seed: UInt64) {
        let cached = CacheStage(seed) { $0.vary = [Array("x-tenant".utf8)] }
        cached.handler = { message in cached.answer(message, extra: "Access-Control-Allow-Origin: x\r\n") }
        let body = #"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#
        func request(_ version: String = "2026-07-28", to target: String = "/mcp", _ extra: String = "") -> String {
            .post(body, to: target, version: version, extra: "Mcp-Method: tools/list\r\n\(extra)")
        }
        let requests = [
            request(), request(to: "/other"), request(to: "/mcp?x=1"), request("2026-09-01"),
            request("2026-07-28", "Origin: https://a.test\r\n"), request("2026-07-28", "X-Tenant: a\r\n"),
            request().replacing("mcp.test", with: "b.test"),
        ]
        for round in 0..<2 {
            for (number, request) in requests.enumerated() {
                let answer = cached.send(request)
                #expect(answer.number == number + 1, "round \(round) seed \(seed)")
                #expect(answer["access-control-allow-origin"] == "x")
            }
        }
        #expect(cached.asked == requests.count)
        // Header fields that do not say what the message says are for the server to judge.
        let odd = String.post(body, version: "2026-07-28", extra: "Mcp-Method: tools/call\r\n")
        #expect(cached.send(odd)["cache-status"] == nil)
    }

    @Test("what a server says has changed is asked for again at once", arguments: seeds)
    func changes(seed: UInt64) {
        let cached = CacheStage(seed)
        var stream: SimulatedPeer?
        cached.handler = { message in
            message.text.contains("subscriptions/listen") ? .stream("data: {}\n\n") : cached.answer(message)
        }
        cached.servers[0].onConnection = { stream = $0 }
        let listener = cached.stage.connect()
        listener.ask(
            .post(
                #"{"jsonrpc":"2.0","id":"l","method":"subscriptions/listen","params":{}}"#, version: "2026-07-28",
                extra: "Mcp-Method: subscriptions/listen\r\n"))
        cached.stage.run { listener.current.text.contains("{}") }
        let open = stream
        for (change, method, params) in [
            ("tools/list_changed", "tools/list", "{}"), ("prompts/list_changed", "prompts/list", "{}"),
            ("resources/list_changed", "resources/list", "{}"),
            (#"resources/updated","params":{"uri":"a"},"x":"#, "resources/read", #"{"uri":"a"}"#),
        ] {
            let before = cached.send(CacheStage.list("1", method, params)).number
            #expect(cached.send(CacheStage.list("1", method, params)).number == before, "\(method) seed \(seed)")
            let tail = change.hasSuffix(":") ? "0}" : "\"}"
            open?.perform(.chunk("data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/\(change)\(tail)\n\n"))
            cached.stage.run(for: .milliseconds(50))
            #expect(cached.send(CacheStage.list("1", method, params)).number != before, "\(method) seed \(seed)")
        }
        #expect(cached.cache.invalidations == 4)
        listener.leave()
        cached.stage.run(for: .milliseconds(50))
        cached.stage.expectNoLeaks()
    }

    @Test("if its server fails, an old answer serves for a while", arguments: seeds)
    func stale(seed: UInt64) {
        for failure in 0..<2 {
            let cached = CacheStage(seed)
            #expect(cached.send(CacheStage.list()).number == 1)
            cached.stage.run(for: .seconds(61))
            if failure == 0 {
                cached.servers[0].die()
            } else {
                cached.handler = { _ in .reply("no", status: "500 Internal Server Error") }
            }
            let answer = cached.send(CacheStage.list("9"))
            #expect(answer.number == 1 && answer.id == "9" && answer.ttl == 0, "failure \(failure) seed \(seed)")
            #expect((answer["cache-status"] ?? "").hasPrefix("berth; hit; ttl=-"), "seed \(seed)")
            cached.stage.run(for: .seconds(61))
            #expect(cached.send(CacheStage.list()).status >= 500, "failure \(failure) seed \(seed)")
            cached.stage.expectNoLeaks()
        }
    }

    @Test("tools that the operator vouches for, in any order of arguments, and lists of sessions", arguments: seeds)
    func vouched(seed: UInt64) {
        let cached = CacheStage(seed) {
            $0.tools = [CacheRules.Tool(pattern: Array("get-*".utf8), ttl: .seconds(30))]
            $0.sessionLists = .seconds(30)
        }
        func call(_ name: String, _ arguments: String, id: Int = 1) -> String {
            .post(
                #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(name)","arguments":\#(arguments)}}"#
            )
        }
        cached.handler = { message in
            message.text.contains("initialize")
                ? .reply("{}", extra: "Mcp-Session-Id: s1\r\n")
                : cached.answer(message)
        }
        let first = cached.send(call("get-weather", #"{"city":"Bern","days":2}"#))
        #expect(cached.send(call("get-weather", #"{ "days":2.0, "city":"B\u0065rn"}"#, id: 5)).number == first.number)
        #expect(cached.send(call("get-weather", #"{"city":"Bern","days":3}"#)).number != first.number)
        #expect(cached.send(call("set-weather", #"{}"#)).number != cached.send(call("set-weather", #"{}"#)).number)
        let sessions = (0..<2).map { _ in cached.send(.post(.call(1, "initialize")))["mcp-session-id"] ?? "" }
        let lists = sessions.map { cached.send(.post(.call(2, "tools/list"), session: $0)).number }
        #expect(lists[0] != nil && lists[0] == lists[1], "seed \(seed)")
        // A server may list nothing to whom has no session: it is asked.
        let outside = cached.send(.post(.call(3, "tools/list"))).number
        #expect(outside != nil && outside != lists[0], "seed \(seed)")
        cached.stage.expectNoLeaks()
    }

    /// What a server of the test does with the proxy's own stream.
    private func answerListen(_ cached: CacheStage, _ message: Message) -> [SimulatedPeer.Action] {
        guard message.text.contains("subscriptions/listen") else { return cached.answer(message) }
        let ack = #"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged"}"#
        return .stream("data: \(ack)\n\n")
    }

    @Test("the proxy itself listens to what changes, without anybody's credentials", arguments: seeds)
    func listening(seed: UInt64) {
        let cached = CacheStage(seed) { $0.listens = true }
        var stream: SimulatedPeer?
        cached.handler = { [unowned cached] in answerListen(cached, $0) }
        cached.servers[0].onConnection = { peer in stream = stream ?? peer }
        #expect(cached.send(CacheStage.list(token: "secret")).number == 1)
        cached.stage.run(for: .seconds(1))
        let own = cached.servers[0].requests.filter { $0.text.contains("subscriptions/listen") }
        #expect(own.count == 1 && own.first?["authorization"] == nil, "seed \(seed)")
        #expect(own.first?["mcp-method"] == "subscriptions/listen" && own.first?["accept"]?.contains("stream") == true)
        #expect(cached.send(CacheStage.list()).number == 1)
        let change = #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#
        for peer in cached.servers[0].connections where !peer.isDone { peer.perform(.chunk("data: \(change)\n\n")) }
        cached.stage.run(for: .milliseconds(50))
        #expect(cached.send(CacheStage.list()).number == 2, "seed \(seed)")
        #expect(cached.send(CacheStage.list()).number == 2, "seed \(seed)")
        // Its end means that nobody has heard what changed since.
        cached.stage.run(for: .seconds(11))
        cached.servers[0].die()
        cached.stage.run(for: .seconds(1))
        cached.servers[0].listen()
        #expect(cached.send(CacheStage.list()).number == 3, "seed \(seed)")
        cached.stage.run(for: .seconds(1))
        #expect(cached.servers[0].requests.count { $0.text.contains("subscriptions/listen") } == 2, "seed \(seed)")
        cached.stage.post(.drain)
        cached.stage.run(for: .seconds(20))
        #expect(cached.stage.worker?.isDone == true, "it keeps nobody from leaving, seed \(seed)")
    }

    @Test(
        "a server that is drained is left, and one that knows no such stream is not asked again and again",
        arguments: seeds)
    func listeningEnds(seed: UInt64) throws {
        let cached = CacheStage(seed, servers: 2) { $0.listens = true }
        cached.handler = { [unowned cached] in answerListen(cached, $0) }
        #expect(cached.send(CacheStage.list()).number == 1)
        cached.stage.run(for: .seconds(1))
        let listened =
            cached.servers.firstIndex { $0.requests.contains { $0.text.contains("subscriptions/listen") } } ?? 0
        try cached.stage.reload { $0.servers[listened].isDraining = true }
        cached.stage.run(for: .seconds(1))
        #expect(cached.stage.metrics.sum(.streaming, server: listened) == 0, "seed \(seed)")

        let other = CacheStage(seed) { $0.listens = true }
        other.ttl = 100
        other.handler = { [unowned other] message in
            message.text.contains("subscriptions/listen")
                ? .reply("no", status: "404 Not Found") : other.answer(message)
        }
        for _ in 0..<20 {
            _ = other.send(CacheStage.list())
            other.stage.run(for: .seconds(1))
        }
        #expect(
            (1...3).contains(other.servers[0].requests.count { $0.text.contains("subscriptions/listen") }),
            "seed \(seed)")
        other.stage.expectNoLeaks()
    }
}
