import Kernel
import MCP
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// What the metrics of calls say, compared with what clients and servers did.
@Suite("Metrics of calls")
struct CallMetricsTests {
    /// A call with what its server makes of it, and how it is to be counted.
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var request = String.tool("echo")
        var answers: [@Sendable () -> [SimulatedPeer.Action]]
        let failure: CallSeries.Failure
        var name = CallSeries.Name.tool("echo")
        var method = MCPMethod.toolsCall

        init(
            _ testDescription: String, _ failure: CallSeries.Failure = .none,
            _ answers: @autoclosure @escaping @Sendable () -> [SimulatedPeer.Action]
        ) {
            self.testDescription = testDescription
            self.failure = failure
            self.answers = [answers]
        }

        func with(_ change: (inout Row) -> Void) -> Row {
            var row = self
            change(&row)
            return row
        }
    }

    static let rows: [Row] = [
        Row("a result", .none, .reply(#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":false}}"#)),
        Row("a result in an event", .none, .stream(event(#"{"id":1,"result":{}}"#)) + [.lastChunk]),
        Row(
            "behind a notification", .toolError,
            .stream(
                event(#"{"method":"notifications/progress","params":{"result":{"isError":false}}}"#),
                event(#"{"id":1,"result":{"content":[{"text":"isError"}],"isError":true}}"#)) + [.lastChunk]),
        Row("an error of the tool", .toolError, .reply(#"{"id":1,"result":{"content":[],"isError":true}}"#)),
        Row("an error of JSON-RPC", .rpc(-32602), .reply(#"{"id":1,"error":{"code":-32602,"message":"no"}}"#)),
        Row(
            "the same with its status", .rpc(-32601),
            .reply(
                #"{"id":1,"error":{"code":-32601}}"#, status: "404 Not Found")),
        Row("a status alone", .status(418), .reply("no", status: "418 I'm a teapot")),
        Row("a connection that is reset", .rejection(ExchangeFault.serverReset.rawValue), [.reset]),
        Row("no answer", .timeout, []),
        Row("half an answer", .aborted, [.text("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), .reset]),
        Row("half a stream", .aborted, .stream(": wait\n\n") + [.reset]),
        Row("a prompt", .none, .reply(#"{"id":1,"result":{}}"#)).with {
            $0.request = .post(#"{"id":1,"method":"prompts/get","params":{"name":"poem"}}"#)
            ($0.name, $0.method) = (.prompt("poem"), .promptsGet)
        },
        Row("a notification", .none, [.text("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")]).with {
            $0.request = .post(#"{"method":"notifications/initialized"}"#)
            ($0.name, $0.method) = (.none, .initialized)
        },
        Row("a body in chunks", .none, .reply(#"{"id":1,"result":{}}"#)).with {
            let (first, second) = (#"{"id":1,"method":"tools/call","par"#, #"ams":{"name":"echo"}}"#)
            let size = { (text: String) in String(text.utf8.count, radix: 16) }
            $0.request =
                "POST /mcp HTTP/1.1\r\nHost: mcp.test\r\nTransfer-Encoding: chunked\r\n\r\n\(size(first))\r\n\(first)\r\n"
                + "\(size(second))\r\n\(second)\r\n0\r\n\r\n"
        },
        Row("no message", .none, .reply("{}")).with {
            $0.request = .post("hello")
            ($0.name, $0.method) = (.none, .other)
        },
    ]

    private static func event(_ message: String) -> String { "event: message\ndata: \(message)\n\n" }

    @Test("each is counted once, as what it was", arguments: rows)
    func table(row: Row) throws {
        let stage = ProxyStage(seed: 1)
        stage.plan.affinity = .off
        stage.plan.firstByteTimeout = .seconds(2)
        // The first call makes the tool known.
        var answers = [[SimulatedPeer.Action].reply(#"{"id":1,"result":{}}"#)] + row.answers.map { $0() }
        _ = ScriptedServer(stage) { _ in answers.isEmpty ? [.reset] : answers.removeFirst() }
        let client = stage.connect()
        client.ask(.tool("echo"))
        stage.run { client.responses.count == 1 }
        client.ask(row.request)
        stage.run { stage.metrics.calls.total == 2 }
        let series = stage.metrics.calls.series().filter { $0.kind == .operation }
        #expect(series.reduce(0) { $0 + $1.histogram.count } == 2)
        let isOfRow = series.filter {
            $0.method == row.method && $0.name == row.name && $0.failure == row.failure && $0.upstream == 0
        }
        #expect(isOfRow.count == 1, "\(series.map { ($0.method, $0.name, $0.failure) })")
        client.leave()
        stage.run(for: .seconds(30))
        #expect(stage.metrics.calls.total == 2)
        stage.expectNoLeaks()
    }

    @Test("who does not wait is counted as cancelled; a stream that listens is no call")
    func leaving() {
        let stage = ProxyStage(seed: 1)
        stage.plan.affinity = .off
        _ = ScriptedServer(stage) { message in message.method == "GET" ? .stream(": hello\n\n") : [] }
        let (caller, listener) = (stage.connect(), stage.connect())
        caller.ask(.tool("echo"))
        listener.ask(.openStream())
        stage.run(for: .seconds(1))
        caller.leave()
        listener.leave()
        stage.run(for: .seconds(1))
        let series = stage.metrics.calls.series().filter { $0.kind == .operation }
        #expect(series.map(\.failure) == [.cancelled])
        #expect(series.map(\.name) == [.other], "nobody knows such a tool yet")
        stage.expectNoLeaks()
    }

    @Test("a tool that its server has listed has its name, though all its calls fail", arguments: [false, true])
    func listed(inEvents: Bool) {
        let stage = ProxyStage(seed: 1)
        stage.plan.affinity = .off
        let list = #"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"broken","inputSchema":{}}]}}"#
        var answers = [
            inEvents ? .stream(Self.event(list)) + [.lastChunk] : [SimulatedPeer.Action].reply(list),
            .reply(#"{"id":1,"result":{"content":[],"isError":true}}"#),
        ]
        _ = ScriptedServer(stage) { _ in answers.isEmpty ? [.reset] : answers.removeFirst() }
        let client = stage.connect()
        client.ask(.post(#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#))
        stage.run { client.responses.count == 1 }
        client.ask(.tool("broken"))
        stage.run { client.responses.count == 2 }
        let calls = stage.metrics.calls.series().filter { $0.kind == .operation && $0.method == .toolsCall }
        #expect(calls.map(\.name) == [.tool("broken")])
        #expect(calls.map(\.failure) == [.toolError])
        client.leave()
        stage.run(for: .seconds(30))
        stage.expectNoLeaks()
    }

    @Test("ten thousand names that clients make up are one series")
    func clients() {
        let stage = ProxyStage(seed: 1)
        stage.plan.affinity = .off
        _ = ScriptedServer(stage) { _ in .reply(#"{"id":1,"error":{"code":-32602,"message":"Unknown tool"}}"#) }
        let client = stage.connect()
        for number in 1...10_000 {
            client.ask(.tool("made-up-\(number)"))
            stage.run { client.responses.count == number }
        }
        let series = stage.metrics.calls.series().filter { $0.kind == .operation }
        #expect(series.map(\.name) == [.other])
        #expect(series.map(\.histogram.count) == [10_000])
    }
}

extension String {
    fileprivate static func tool(_ name: String) -> String {
        .post(#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\#(name)","arguments":{}}}"#)
    }
}

extension CallMetrics {
    /// Calls that were counted.
    fileprivate var total: Int64 {
        series().filter { $0.kind == .operation }.reduce(0) { $0 + $1.histogram.count }
    }
}
