import Kernel
import MCP
import Simulation
import Telemetry
import Testing

@testable import Proxy

/// `retry.trust_annotations`: calls of tools that their server calls read-only or idempotent are sent again.
@Suite("Tools that may be called twice")
struct TrustedToolsTests {
    static let list = """
        {"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"read","annotations":{"readOnlyHint":true}},\
        {"name":"put","annotations":{"idempotentHint":true,"readOnlyHint":false}},\
        {"name":"pay","annotations":{"readOnlyHint":false}},{"name":"plain"}]}}
        """

    static func call(_ tool: String) -> String {
        #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"\#(tool)","arguments":{}}}"#
    }

    enum Form: CaseIterable {
        case json, chunkedJSON, events, eventsWithProgress
    }

    static func answer(_ form: Form) -> [SimulatedPeer.Action] {
        switch form {
        case .json: return .reply(list)
        case .chunkedJSON:
            let cut = list.utf8.count / 2
            return [
                .text("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"),
                .chunk(Array(list.utf8.prefix(cut))), .pause(.milliseconds(3)), .chunk(Array(list.utf8.dropFirst(cut))),
                .lastChunk,
            ]
        case .events: return .stream("event: message\r\ndata: \(list)\r\n\r\n") + [.lastChunk]
        case .eventsWithProgress:
            return .stream("data: {\"method\":\"notifications/progress\"}\n\n", "id: 4\ndata: \(list)\n\n") + [
                .lastChunk
            ]
        }
    }

    /// Two servers that list their tools and reset the first call of each tool once it has been executed.
    private func scene(seed: UInt64, trusts: Bool, _ form: Form) -> (ProxyStage, [ScriptedServer], () -> [String: Int])
    {
        let stage = ProxyStage(seed: seed, servers: 2)
        stage.plan.retry.trustsAnnotations = trusts
        var executions: [String: Int] = [:]
        let servers = (0..<2).map { index in
            ScriptedServer(stage, index) { message in
                if message.text.contains("initialize") {
                    return .reply("hello", extra: "Mcp-Session-Id: s\(index)\r\n")
                }
                if message.text.contains("tools/list") { return TrustedToolsTests.answer(form) }
                executions[message.text, default: 0] += 1
                return executions[message.text] == 1 ? [.reset] : .reply("done by \(index)")
            }
        }
        return (stage, servers, { executions })
    }

    @Test("only those, only where the operator trusts it, and only after the list", arguments: Form.allCases)
    func trusted(form: Form) {
        for seed in 1...4 as ClosedRange<UInt64> {
            for trusts in [true, false] {
                for isPinned in [true, false] {
                    let (stage, _, executions) = scene(seed: seed, trusts: trusts, form)
                    let client = stage.connect()
                    var session: String?
                    func ask(_ body: String) -> Int {
                        let count = client.responses.count
                        client.ask(.post(body, session: session))
                        stage.run(within: .seconds(20)) { client.responses.count > count || client.isOver }
                        return client.responses.last?.status ?? 0
                    }
                    if isPinned {
                        _ = ask(.call(0, "initialize"))
                        session = client.responses.last?["mcp-session-id"]
                    }
                    #expect(ask(Self.call("read")) == 502, "nothing was listed yet, seed \(seed)")
                    // Both servers, whose turns alternate.
                    for _ in 0..<4 { #expect(ask(.call(1, "tools/list")) == 200) }
                    let note = Comment(rawValue: "\(form), seed \(seed), trusts \(trusts), pinned \(isPinned)")
                    #expect(ask(Self.call("read") + " ") == (trusts ? 200 : 502), note)
                    #expect(ask(Self.call("put")) == (trusts ? 200 : 502), note)
                    #expect(ask(Self.call("pay")) == 502, note)
                    #expect(ask(Self.call("plain")) == 502, note)
                    #expect(ask(Self.call("other")) == 502, note)
                    #expect(ask(#"[\#(Self.call("put"))]"#) == 502, note)
                    for (body, count) in executions() where count > 1 {
                        #expect(trusts && (body.contains("read") || body.contains("put")), note)
                    }
                    client.leave()
                    stage.expectNoLeaks()
                }
            }
        }
    }

    @Test("what was read may be asked for, and what another worker has read")
    func shared() throws {
        let stage = ProxyStage(seed: 1)
        stage.plan.retry.trustsAnnotations = true
        _ = ScriptedServer(stage) { _ in Self.answer(.json) }
        let client = stage.connect()
        client.ask(.post(.call(1, "tools/list")))
        stage.run { client.responses.count == 1 }
        let name = Array("read".utf8)
        let other = Array("put".utf8)
        #expect(stage.worker?.isReadOnly(server: 0, tool: name.span) == true)
        #expect(stage.worker?.isReadOnly(server: 0, tool: other.span) == false)
        #expect(stage.worker?.isRepeatable(server: 0, tool: other.span) == true)
        #expect(stage.worker?.isReadOnly(server: 7, tool: name.span) == false)
        let text = Array(#"{"result":{"tools":[{"name":"put","annotations":{"readOnlyHint":true}}]}}"#.utf8)
        var tools = ToolAnnotations()
        let page = ToolListPage(response: text.span)
        tools.merge(try #require(page))
        stage.post(.toolAnnotations(server: ServerID(slot: 0, generation: 99), tools))
        stage.run(for: .milliseconds(5))
        #expect(stage.worker?.isReadOnly(server: 0, tool: other.span) == false, "of a server that had the slot before")
        stage.post(.toolAnnotations(server: try #require(stage.worker?.servers[0].id), tools))
        stage.run(for: .milliseconds(5))
        #expect(stage.worker?.isReadOnly(server: 0, tool: other.span) == true)
        #expect(stage.worker?.isReadOnly(server: 0, tool: name.span) == false)
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a list that is cut, coded or too long teaches nothing, and passes as it is")
    func unread() {
        let long = Self.list.replacing(
            "\"plain\"", with: "\"plain\",\"description\":\"\(String(repeating: "x", count: 600_000))\"")
        let answers: [[SimulatedPeer.Action]] = [
            .reply(Self.list, extra: "Content-Encoding: br\r\n"), .reply(long),
            .reply(Self.list, status: "201 Created"), .reply(String(Self.list.dropLast())),
        ]
        for answer in answers {
            let stage = ProxyStage(seed: 1)
            stage.plan.retry.trustsAnnotations = true
            _ = ScriptedServer(stage) { _ in answer }
            let client = stage.connect()
            client.ask(.post(.call(1, "tools/list")))
            stage.run { client.responses.count == 1 }
            #expect(client.responses.count == 1)
            let name = Array("read".utf8)
            #expect(stage.worker?.isReadOnly(server: 0, tool: name.span) == false)
            client.leave()
            stage.expectNoLeaks()
        }
    }
}
