import Kernel
import MCP
import TestSupport
import Testing

@testable import Proxy

/// The conversation of mcp checks, without a network: what is sent after which answer.
@Suite("Conversation of mcp checks")
struct MCPCheckTests {
    typealias Answer = MCPCheck.Answer

    private static let discovered =
        #"{"jsonrpc":"2.0","id":"x","result":{"supportedVersions":["2025-11-25","2026-07-28"]}}"#
    private static let legacyList = #"{"jsonrpc":"2.0","id":"x","result":{"supportedVersions":["2025-06-18"]}}"#
    private static let unsupported =
        #"{"jsonrpc":"2.0","id":"x","error":{"code":-32022,"message":"no","data":{"supported":["2025-11-25"]}}}"#
    private static let noSession =
        #"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Missing session ID"}}"#
    private static let initialized =
        #"{"jsonrpc":"2.0","id":"x","result":{"protocolVersion":"2025-11-25","capabilities":{}}}"#
    private static let pong = #"{"jsonrpc":"2.0","id":"x","result":{}}"#
    private static let tools = #"{"jsonrpc":"2.0","id":"x","result":{"tools":[{"name":"a"},{"name":"b"}]}}"#

    private func answer(_ status: UInt16, _ body: String = "", session: String? = nil) -> Answer {
        Answer(status: status, sessionID: session.map { Array($0.utf8) }, body: Array(body.utf8))
    }

    private static let start = Instant(nanoseconds: 1_000_000_000_000)

    /// Begins a check and gives it answers; what was sent, and how it ended.
    private func run(
        _ check: inout MCPCheck, _ answers: [Answer], at now: Instant = start
    ) -> (sent: [MCPCheck.Request], end: MCPCheck.Action?) {
        var sent = [check.begin(path: Array("/mcp".utf8))]
        for (index, answer) in answers.enumerated() {
            let action = check.handle(answer, at: now)
            guard case .send(let request) = action else {
                #expect(index == answers.count - 1, "answers are left")
                return (sent, action)
            }
            sent.append(request)
        }
        return (sent, nil)
    }

    private func id(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("a server of 2026-07-28 is asked to discover, each time, and for its tools now and then")
    func modern() {
        var check = MCPCheck()
        let first = run(&check, [answer(200, Self.discovered), answer(200, Self.tools)])
        #expect(first.sent == [.discover, .listTools(cursor: [])] && first.end == .pass)
        #expect(check.mode == .modern && check.revisions.names == ["2025-11-25", "2026-07-28"] && check.catalog != 0)
        let soon = run(&check, [answer(200, Self.discovered)], at: Self.start + .seconds(29))
        #expect(soon.sent == [.discover] && soon.end == .pass)
        let later = run(&check, [answer(200, Self.discovered), answer(500)], at: Self.start + .seconds(30))
        #expect(later.sent == [.discover, .listTools(cursor: [])] && later.end == .pass)
        let end = check.end()
        #expect(end == nil)
    }

    @Test("an older server: the session that the question has begun is ended, one is opened, and kept")
    func session() {
        var check = MCPCheck()
        let first = run(
            &check,
            [
                answer(400, Self.noSession, session: "stray"), answer(200),
                answer(200, Self.initialized, session: "s1"),
                answer(202), answer(200, Self.tools),
            ])
        #expect(
            first.sent == [.discover, .delete(id("stray")), .initialize, .initialized, .listTools(cursor: [])]
                && first.end == .pass)
        #expect(check.mode == .session(id("s1"), version: id("2025-11-25")))
        #expect(check.revisions.names == ["2025-11-25"] && !check.revisions.mayBeModern)
        for second in 1..<30 as Range<UInt64> {
            let ping = run(&check, [answer(200, Self.pong, session: "s1")], at: Self.start + .seconds(second))
            #expect(ping.sent == [.ping] && ping.end == .pass)
        }
        let failing = run(&check, [answer(503)])
        #expect(failing.end == .fail(.status(503)) && check.session == id("s1"))
        let end = check.end()
        #expect(end == .delete(id("s1")))
        let again = check.end()
        #expect(again == nil)
    }

    @Test("when the session is gone, the check starts over: the process may be another version now")
    func gone() {
        var check = MCPCheck()
        _ = run(
            &check, [answer(400), answer(200, Self.initialized, session: "s1"), answer(202), answer(200, Self.tools)])
        let upgraded = run(&check, [answer(404), answer(200, Self.discovered)])
        #expect(upgraded.sent == [.ping, .discover] && upgraded.end == .pass && check.mode == .modern)
        // And back.
        let back = run(
            &check, [answer(400, Self.unsupported), answer(200, Self.initialized, session: "s2"), answer(202)])
        #expect(back.sent == [.discover, .initialize, .initialized] && back.end == .pass)
        #expect(check.session == id("s2") && !check.revisions.mayBeModern)
        // A server that refuses to answer in a session that it may still have.
        let refusing = run(
            &check,
            [
                answer(400), answer(200), answer(404), answer(200, Self.initialized, session: "s3"), answer(202),
            ])
        #expect(refusing.sent == [.ping, .delete(id("s2")), .discover, .initialize, .initialized])
        #expect(refusing.end == .pass && check.session == id("s3"))
    }

    @Test(
        "answers to the first question",
        arguments: [
            (401, "", "pass"), (500, "", "fail"), (503, "", "fail"), (429, "", "fail"), (408, "", "fail"),
            (400, "", "initialize"), (404, "", "initialize"), (405, "", "initialize"), (406, "{}", "initialize"),
            (200, legacyList, "initialize"), (400, unsupported, "initialize"), (400, discovered, "pass"),
            (200, pong, "initialize"), (200, noSession, "initialize"), (200, "", "fail"), (200, "<html>", "fail"),
            (202, "", "fail"),
        ] as [(UInt16, String, String)])
    func questions(status: UInt16, body: String, expected: String) {
        var check = MCPCheck()
        // Tools were listed just now.
        _ = run(&check, [answer(200, Self.discovered), answer(404)])
        let result = run(&check, [answer(status, body)])
        switch expected {
        case "pass": #expect(result.end == .pass)
        case "fail": #expect(result.end == .fail(status == 200 || status == 202 ? .notMCP : .status(status)))
        default: #expect(result.sent == [.discover, .initialize])
        }
    }

    @Test("what initialize may answer")
    func initialize() {
        var check = MCPCheck()
        _ = run(&check, [answer(404), answer(404)])
        for (reply, end) in [
            (answer(404), .fail(.status(404))), (answer(401), .pass), (answer(200, "{}"), .fail(.notMCP)),
            (answer(200, Self.pong), .fail(.notMCP)), (answer(200, Self.noSession), .fail(.notMCP)),
            (answer(500), .fail(.status(500))),
        ] as [(Answer, MCPCheck.Action)] {
            #expect(run(&check, [answer(404), reply]).end == end)
            #expect(check.mode == .unknown)
        }
        // It has opened a session and does not take its confirmation: nothing is left there.
        let refused = run(
            &check, [answer(404), answer(200, Self.initialized, session: "s"), answer(400), answer(200)])
        #expect(refused.sent.last == .delete(id("s")) && refused.end == .fail(.status(400)) && check.mode == .unknown)
        // A refusal with a session of its own.
        let stray = run(&check, [answer(404), answer(400, Self.noSession, session: "stray"), answer(404)])
        #expect(stray.sent.last == .delete(id("stray")) && stray.end == .fail(.status(400)))
    }

    @Test("a server without sessions is pinged without one, and nothing is left to end")
    func sessionless() {
        var check = MCPCheck()
        let first = run(&check, [answer(400), answer(200, Self.initialized), answer(200, Self.tools)])
        #expect(first.sent == [.discover, .initialize, .listTools(cursor: [])] && first.end == .pass)
        #expect(run(&check, [answer(200, Self.pong)]).sent == [.ping])
        let end = check.end()
        #expect(end == nil)
    }

    @Test("an interruption fails the check, but for what it is not judged by")
    func interruptions() {
        var check = MCPCheck()
        _ = check.begin(path: [])
        #expect(check.interrupted(.closed) == .fail(.closed))
        _ = run(&check, [answer(200, Self.discovered)])
        #expect(check.request == .listTools(cursor: []))
        #expect(check.interrupted(.noAnswer(.seconds(1))) == .pass)
        #expect(check.catalog == 0)
        var other = MCPCheck()
        _ = run(&other, [answer(404, session: "stray")])
        #expect(other.request == .delete(id("stray")))
        #expect(other.interrupted(.closed) == .send(.initialize))
        #expect(other.request == .initialize)
    }

    @Test("tools in pages, within bounds; the cursor goes back as it came")
    func pages() {
        let page = #"{"id":1,"result":{"tools":[{"name":"b"}],"nextCursor":"p\u0032"}}"#
        let last = #"{"id":1,"result":{"tools":[{"name":"a"}]}}"#
        var check = MCPCheck()
        let result = run(&check, [answer(200, Self.discovered), answer(200, page), answer(200, last)])
        #expect(result.sent.last == .listTools(cursor: id(#"p\u0032"#)) && result.end == .pass)
        var whole = MCPCheck()
        _ = run(&whole, [answer(200, Self.discovered), answer(200, Self.tools)])
        #expect(check.catalog == whole.catalog && check.catalog != 0)
        var endless = MCPCheck()
        let pages = [answer(200, Self.discovered)] + (0..<16).map { _ in answer(200, page) }
        #expect(run(&endless, pages).end == .pass && endless.catalog == 0)
    }

    @Test("no answer leaves more than one session open or goes on for ever", arguments: 0..<200 as Range<UInt64>)
    func random(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var check = MCPCheck()
        // The server's truth: sessions that it holds. It gives one with any answer, as it likes.
        var open: Set<String> = []
        var issued = 0
        var now = Self.start
        let bodies = [
            "", "{", Self.discovered, Self.legacyList, Self.unsupported, Self.noSession, Self.initialized, Self.pong,
            Self.tools,
        ]
        let statuses: [UInt16] = [200, 200, 200, 202, 400, 401, 404, 405, 429, 500, 503]
        for _ in 0..<40 {
            now = now + .seconds(.random(in: 1...20, using: &generator))
            var action = MCPCheck.Action.send(check.begin(path: Array("/mcp".utf8)))
            var steps = 0
            while case .send(let request) = action {
                steps += 1
                guard steps < 64 else {
                    Issue.record("the check goes on, seed \(seed)")
                    return
                }
                if case .delete(let session) = request {
                    open.remove(String(decoding: session, as: UTF8.self))
                    action = check.handle(answer(200), at: now)
                    continue
                }
                var session: String?
                if Int.random(in: 0..<3, using: &generator) == 0 {
                    issued += 1
                    session = "s\(issued)"
                    open.insert("s\(issued)")
                }
                let status = statuses.randomElement(using: &generator) ?? 200
                // 404 in a session says that it is gone.
                if request == .ping, status == 404, let kept = check.session {
                    open.remove(String(decoding: kept, as: UTF8.self))
                }
                action = check.handle(
                    answer(status, bodies.randomElement(using: &generator) ?? "", session: session), at: now)
            }
            let kept = check.session.map { String(decoding: $0, as: UTF8.self) } ?? ""
            #expect(open.subtracting([kept]) == [], "seed \(seed)")
        }
        if case .delete(let session)? = check.end() { open.remove(String(decoding: session, as: UTF8.self)) }
        #expect(open == [], "seed \(seed)")
    }

    @Test("the first response among events is found, whatever else the stream has")
    func events() {
        let response = #"{"jsonrpc":"2.0","id":"x","result":{}}"#
        let notification = #"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#
        for (text, isFound) in [
            ("data: \(response)\n\n", true), ("event: message\r\ndata: \(response)\r\n\r\n", true),
            (": ping\n\ndata:\(notification)\n\nid: 1\ndata:\(response)\n\n", true), ("data: \(response)\n", false),
            ("data: \(response)", false), ("data: \(notification)\n\n", false), ("", false),
        ] {
            let found = MCPCheckText.response(inEvents: Array(text.utf8))
            #expect(found.map { String(decoding: $0, as: UTF8.self) } == (isFound ? response : nil), "\(text)")
        }
        let parts = "data: {\"id\":1,\ndata: \"result\":{}}\n\n"
        #expect(MCPCheckText.response(inEvents: Array(parts.utf8)) == Array("{\"id\":1,\n\"result\":{}}".utf8))
    }
}
