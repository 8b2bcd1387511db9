import MCP
import Testing

@testable import Telemetry

@Suite("Calls as spans")
struct SpanEncoderTests {
    private static let resource = TraceResource(version: "1.2.3", host: "edge-7", process: 42)

    /// The spans of one call, the server's first.
    private func spans(
        _ change: (inout CallEvent) -> Void = { _ in }
    ) throws -> (resource: [String: String], spans: [ProtobufReader]) {
        var event = RecordedCalls.toolCall()
        change(&event)
        var encoder = SpanEncoder()
        encoder.add(event, RecordedCalls.names)
        let request = try #require(ProtobufReader(encoder.request(Self.resource)))
        let resourceSpans = try #require(request.messages(1).first)
        let scope = try #require(resourceSpans.messages(2).first)
        #expect(scope.messages(1).first?.text(1) == "berth")
        #expect(scope.text(3) == SpanEncoder.schema)
        #expect(scope.messages(2).count == encoder.count)
        return (try #require(resourceSpans.messages(1).first).attributes(1), scope.messages(2))
    }

    private func serverAttributes(_ change: (inout CallEvent) -> Void) throws -> [String: String] {
        try spans(change).spans[0].attributes(9)
    }

    @Test("a call of a tool is a SERVER span of the client's trace, with all that the conventions ask for")
    func server() throws {
        let (resource, spans) = try spans()

        #expect(
            resource == [
                "service.name": "berth", "service.version": "1.2.3", "service.instance.id": "edge-7:42",
                "host.name": "edge-7", "process.pid": "42",
            ])
        let span = spans[0]
        #expect(span.digits(1) == "0af7651916cd43dd8448eb211c80319c")
        #expect(span.digits(2) == "123456789abcdef0")
        #expect(span.digits(4) == "b7ad6b7169203331")
        #expect(span.text(5) == "tools/call get-weather")
        #expect(span.number(6) == 2)
        #expect(span.number(7) == 1_800_000_000_000_000_000)
        #expect(span.number(8) == 1_800_000_000_012_500_000)
        #expect(span.number(16) == 0x301)
        #expect(span.messages(15).isEmpty, "a call that succeeded has no status")
        #expect(
            span.attributes(9) == [
                "mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "get-weather", "mcp.protocol.version": "2025-06-18",
                "client.address": "10.1.2.80", "client.port": "65123", "network.transport": "tcp",
                "network.protocol.name": "http", "network.protocol.version": "2", "http.request.method": "POST",
                "http.response.status_code": "200", "http.request.body.size": "212",
                "http.response.body.size": "3000", "berth.upstream": "mcp", "berth.server": "mcp-1:3001",
                "berth.listener": ":443", "berth.session": "0000000000000abc", "berth.connect.duration": "0.0007",
                "berth.first_byte.duration": "0.0113",
            ])
    }

    @Test("a call that was queued says how long, and one that waited in vain too")
    func queued() throws {
        let waited = try serverAttributes { event in
            event.offsets.queued = 200
            event.offsets.connected = 2_200
        }
        #expect(waited["berth.queue.duration"] == "0.002")
        #expect(waited["berth.connect.duration"] == nil)
        #expect(waited["berth.first_byte.duration"] == "0.0098")

        let gaveUp = try serverAttributes { event in
            event.offsets = CallEvent.Offsets()
            event.offsets.queued = 500
        }
        #expect(gaveUp["berth.queue.duration"] == "0.012")
    }

    @Test("the leg to the server is its child, named to the server by traceparent")
    func client() throws {
        let span = try #require(try spans { $0.retries = 2 }.spans.dropFirst().first)

        let context = RecordedCalls.toolCall().trace
        let text = context.traceparent
        let named = String(decoding: (36..<52).map { text[$0] }, as: UTF8.self)
        #expect(span.digits(1) == "0af7651916cd43dd8448eb211c80319c")
        #expect(span.digits(2) == named)
        #expect(span.digits(4) == "123456789abcdef0")
        #expect(span.number(6) == 3)
        #expect(span.number(7) == 1_800_000_000_000_700_000)
        #expect(span.number(16) == 0x101)
        let attributes = span.attributes(9)
        #expect(attributes["server.address"] == "mcp-1")
        #expect(attributes["server.port"] == "3001")
        #expect(attributes["http.request.resend_count"] == "2")
        #expect(attributes["gen_ai.tool.name"] == "get-weather")
    }

    @Test("an IPv6 server has no brackets in its address")
    func brackets() throws {
        let attributes = try spans { $0.server = 1 }.spans[1].attributes(9)

        #expect(attributes["server.address"] == "fd00::7")
        #expect(attributes["server.port"] == "3002")
    }

    @Test("a call that reached no server has one span")
    func rejected() throws {
        let spans = try spans { event in
            event.outcome = .rejected
            event.reason = 1
            event.server = -1
            event.offsets.connected = CallEvent.Offsets.never
            event.status = 503
        }.spans

        #expect(spans.count == 1)
        #expect(spans[0].attributes(9)["error.type"] == "queue_full")
        #expect(spans[0].messages(15).first?.number(3) == 2)
    }

    @Test(
        "a call that failed says how, by the conventions",
        arguments: [
            (CallEvent.Outcome.toolError, "tool_error"), (.rpcError, "-32602"), (.httpError, "500"),
            (.timeout, "timeout"), (.cancelled, "cancelled"), (.aborted, "aborted"), (.rejected, "no_route"),
        ])
    func failed(_ outcome: CallEvent.Outcome, _ type: String) throws {
        let spans = try spans { event in
            event.outcome = outcome
            event.errorCode = outcome == .rpcError ? -32_602 : 0
            event.status = outcome == .httpError ? 500 : 200
            event.reason = outcome == .rejected ? 0 : .max
        }.spans

        for span in spans {
            #expect(span.attributes(9)["error.type"] == type)
            #expect(span.messages(15).first?.number(3) == 2)
        }
        #expect(spans[0].attributes(9)["rpc.response.status_code"] == (outcome == .rpcError ? "-32602" : nil))
    }

    @Test("the HTTP context is a link where the message has another parent")
    func link() throws {
        let span = try spans { event in
            event.trace.linkHigh = 1
            event.trace.linkLow = 2
            event.trace.linkSpan = 3
        }.spans[0]

        let link = try #require(span.messages(13).first)
        #expect(link.digits(1) == "00000000000000010000000000000002")
        #expect(link.digits(2) == "0000000000000003")
        #expect(try spans().spans[0].messages(13).isEmpty)
    }

    @Test("a trace that begins here has no parent")
    func root() throws {
        let span = try spans { $0.trace.parent = 0 }.spans[0]

        #expect(span.digits(4) == nil)
        #expect(span.number(16) == 0x101)
    }

    @Test("prompts are in the span's name, resources and unknown methods are not")
    func spanNames() throws {
        #expect(try spans { $0.method = .promptsGet }.spans[0].text(5) == "prompts/get get-weather")
        #expect(try spans { $0.method = .resourcesRead }.spans[0].text(5) == "resources/read")
        #expect(try spans { $0.method = .other }.spans[0].text(5) == "_OTHER")
        let listening = try spans { event in
            event.method = .other
            event.flags = [.listening, .eventStream]
            event.httpMethod = 0
        }.spans[0]
        #expect(listening.text(5) == "GET")
        #expect(listening.attributes(9)["berth.event_stream"] == "true")
        #expect(listening.attributes(9)["mcp.method.name"] == nil)
    }

    @Test(
        "the URI of a resource is without user, query and fragment",
        arguments: [
            ("postgres://me:pw@db/customers", "postgres://db/customers"), ("file:///a/b?token=1", "file:///a/b"),
            ("https://h/p#x", "https://h/p"), ("note", "note"), ("x://h/p@q", "x://h/p@q"), ("", ""),
        ])
    func resources(_ uri: String, _ shown: String) throws {
        let attributes = try serverAttributes { event in
            event.method = .resourcesRead
            event.name = CallName(Array(uri.utf8).span)
        }

        #expect(attributes["mcp.resource.uri"] ?? "" == shown)
        #expect(attributes["gen_ai.tool.name"] == nil)
    }

    @Test("a name that was cut within a character is still valid text")
    func cutName() throws {
        let attributes = try serverAttributes { event in
            event.name = CallName(Array((String(repeating: "a", count: 62) + "é").utf8).span)
        }

        #expect(attributes["gen_ai.tool.name"] == String(repeating: "a", count: 62) + "\u{fffd}")
    }

    @Test("numbers that nothing is known of have no attributes")
    func unknown() throws {
        let attributes = try serverAttributes { event in
            event.server = 77
            event.upstream = .max
            event.listener = 9
            event.revision = 0
            event.client = CallEvent.ClientAddress()
            event.session = 0
        }

        for key in ["berth.server", "berth.upstream", "mcp.protocol.version", "client.address", "berth.session"] {
            #expect(attributes[key] == nil)
        }
    }
}
