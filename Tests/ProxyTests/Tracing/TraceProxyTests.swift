import MCP
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// What servers are told about traces.
@Suite("Traces on the simulated network")
struct TraceProxyTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let parent = "00-\(trace)-b7ad6b7169203331-01"
    private static let other = "00-11112222333344445555666677778888-aaaabbbbccccdddd-01"

    private func call(message: String? = nil, http: String...) -> String {
        let meta = message.map { #","_meta":{"traceparent":"\#($0)"}"# } ?? ""
        let body = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"\#(meta)}}"#
        let fields = http.map { "TraceParent: \($0)\r\n" }.joined()
        return "POST /mcp HTTP/1.1\r\nHost: mcp.test\r\n\(fields)tracestate: a=b\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// The values of `traceparent` that the server gets with these requests, sent one after the other.
    private func received(_ sampler: TraceSampler, _ requests: String...) -> [[String]] {
        let stage = ProxyStage(seed: 3)
        stage.plan.affinity = .off
        stage.snapshot.sampler = sampler
        let server = ScriptedServer(stage) { _ in .reply(#"{"jsonrpc":"2.0","id":1,"result":{}}"#) }
        let client = stage.connect()
        for (index, request) in requests.enumerated() {
            client.ask(request)
            #expect(stage.run { client.responses.count == index + 1 })
        }
        for request in server.requests { #expect(request.all("tracestate") == ["a=b"]) }
        client.leave()
        return server.requests.map { $0.all("traceparent") }
    }

    @Test("where tracing is off, what the client says is forwarded as it came")
    func off() {
        #expect(
            received(.off, call(http: Self.parent), call(), call(http: "nonsense")) == [
                [Self.parent], [], ["nonsense"],
            ])
    }

    @Test("the server's parent is our span, in the client's trace")
    func joined() {
        let sampler = TraceSampler(ratio: 0)
        let values = received(
            sampler, call(http: Self.parent), call(message: Self.parent), call(message: Self.parent, http: Self.other))

        #expect(values.allSatisfy { $0.count == 1 })
        for value in values.joined() {
            let parts = value.split(separator: "-").map(String.init)
            #expect(parts.count == 4 && parts[0] == "00" && parts[1] == Self.trace && parts[3] == "01")
            #expect(parts[2] != "b7ad6b7169203331" && parts[2] != "aaaabbbbccccdddd")
        }
        #expect(Set(values.joined()).count == 3, "each call has a span of its own")
    }

    @Test("what is not sampled is forwarded as it came")
    func unsampled() {
        let quiet = String(Self.parent.dropLast()) + "0"

        #expect(received(TraceSampler(ratio: 1), call(http: quiet), call(message: quiet)) == [[quiet], []])
        #expect(received(TraceSampler(ratio: 0), call()) == [[]])
    }

    @Test("a call without a trace begins one where the ratio says so, and what is no traceparent is none")
    func begun() {
        let values = received(
            TraceSampler(ratio: 1), call(), call(http: "nonsense"), call(http: Self.parent, Self.other))

        #expect(values.allSatisfy { $0.count == 1 })
        let traces = values.joined().map { RemoteSpan(MetaTrace(Array($0.utf8).span)) }
        #expect(traces.allSatisfy { !$0.isNone })
        #expect(Set(traces.map(\.low)).count == 3)
        #expect(traces.allSatisfy { $0.flags == 0b11 })
        #expect(!values.joined().contains { $0.contains(Self.trace) }, "a head with two names none")
    }
}
