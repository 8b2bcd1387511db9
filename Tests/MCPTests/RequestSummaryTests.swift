import MCP
import TestSupport
import Testing

@Suite("Request summary")
struct RequestSummaryTests {
    private static func summary(_ body: String) -> RequestSummary? { RequestSummary(of: Array(body.utf8).span) }

    @Test(
        "method and tool are found wherever they stand",
        arguments: [
            (
                #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"name":"no"}}}"#,
                "add"
            ),
            (#"{"params":{"arguments":{"name":"no"},"name":"add"},"id":"a","method":"tools/call"}"#, "add"),
            (#" { "method" : "\u0074ools/call" , "params" : { "n\u0061me" : "a\"b" } } "#, #"a\"b"#),
            (#"{"method":"tools/call","params":{"name":""}}"#, ""),
        ])
    func tools(_ body: String, _ tool: String) throws {
        let summary = try #require(Self.summary(body))
        #expect(summary.method == .toolsCall)
        #expect(summary.tool.map { text(Array(body.utf8)[$0]) } == tool)
    }

    @Test(
        "a call that does not say which tool has none",
        arguments: [
            #"{"id":1,"method":"tools/call"}"#, #"{"id":1,"method":"tools/call","params":{}}"#,
            #"{"id":1,"method":"tools/call","params":["add"]}"#, #"{"id":1,"method":"tools/call","params":{"name":1}}"#,
            #"{"id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#,
            #"{"id":1,"method":"tools/call","params":{"name":"a","n\u0061me":"a"}}"#,
            #"{"id":1,"method":"tools/call","params":{"name":null,"name":"b"}}"#,
        ])
    func nameless(_ body: String) {
        #expect(Self.summary(body)?.method == .toolsCall)
        #expect(Self.summary(body)?.tool == nil)
    }

    @Test(
        "kinds of messages",
        arguments: [
            (#"[{"id":1,"method":"a"}]"#, MCPMethod.batch), ("[", .batch), (#"{"id":1,"result":{}}"#, .response),
            (#"{"id":1,"error":{"code":1,"message":""}}"#, .response), (#"{"method":"x"}"#, .other),
            (#"{"method":"tools/calls"}"#, .other), (#"{"method":"Tools/call"}"#, .other),
            (#"{"id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#, .initialize),
            (#"{"method":"notifications/initialized"}"#, .initialized), (#"{"id":1,"method":"tasks/get"}"#, .tasksGet),
            (#"{"id":1,"method":"tools\/list"}"#, .toolsList), (#"{"id":1,"method":"tools\/\u0063all"}"#, .toolsCall),
            (#"{"id":1,"method":"tools\\call"}"#, .other), (#"{"id":1,"method":"tools/call\/"}"#, .other),
        ])
    func kinds(_ body: String, _ method: MCPMethod) {
        #expect(Self.summary(body)?.method == method)
        #expect(Self.summary(body)?.tool == nil)
    }

    @Test(
        "what is no message, or two at once, is none",
        arguments: [
            "", "x", "null", "{}", #"{"id":1}"#, #"{"id":1,"method":"a""#, #"{"id":1,"method":"a"} x"#,
            #"{"method":"a","method":"a"}"#, #"{"method":"tools/call","params":{"name":"a"},"params":{"name":"b"}}"#,
            #"{"method":"tools/call","params":1,"params":{"name":"b"}}"#, #"{"method":"a","result":1}"#,
            #"{"method":"tools/call","params":{"name":"a"}"#, #"{"method":"tools/call","params":{"name":"a}}"#,
            #"{"method":1}"#, #"{"id":{},"method":"a"}"#,
        ])
    func none(_ body: String) {
        #expect(Self.summary(body) == nil)
    }

    @Test("parameters are given out whole")
    func params() throws {
        let body = #"{"id":1,"params": {"a":[1,{"b":2}]} ,"method":"x"}"#
        let range = try #require(Self.summary(body)?.params)
        #expect(text(Array(body.utf8)[range]) == #"{"a":[1,{"b":2}]}"#)
        #expect(Self.summary(body)?.hasID == true)
    }

    @Test("a body is looked at up to a bound")
    func bound() {
        let filler = String(repeating: " ", count: JSONRPC.maximumBytes)
        #expect(Self.summary(#"{"method":"a"}"# + filler) == nil)
        #expect(Self.summary(#"{"method":"a"}"# + filler.dropLast(20)) != nil)
    }

    @Test("a message that is cut anywhere is none")
    func cut() {
        let body = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","x":[1]}}"#
        for count in 0..<body.utf8.count { #expect(Self.summary(String(body.prefix(count))) == nil) }
    }

    @Test(
        "the tool, the prompt or the resource",
        arguments: [
            (#"{"id":1,"method":"tools/call","params":{"name":"add","uri":"no","taskId":"no"}}"#, "add"),
            (#"{"id":1,"method":"prompts/get","params":{"arguments":{"name":"no"},"name":"p"}}"#, "p"),
            (#"{"id":1,"method":"resources/read","params":{"name":"no","uri":"file:\/\/x"}}"#, #"file:\/\/x"#),
            (#"{"id":1,"method":"resources/subscribe","params":{"uri":"u"}}"#, "u"),
            (#"{"id":1,"method":"resources/unsubscribe","params":{"uri":"u"}}"#, "u"),
            (#"{"id":1,"method":"resources/read","params":{"uri":"u","uri":"u"}}"#, nil),
            (#"{"id":1,"method":"resources/read","params":{"uri":["u"]}}"#, nil),
            (#"{"id":1,"method":"tools/list","params":{"name":"no","uri":"no"}}"#, nil),
            (#"{"method":"tools/call","params":{"name":""}}"#, ""), (#"{"method":"tools/call"}"#, nil),
        ] as [(String, String?)])
    func subjects(_ body: String, _ subject: String?) throws {
        let summary = try #require(Self.summary(body))
        #expect(summary.subject.map { text(Array(body.utf8)[$0]) } == subject)
    }

    @Test("trace, protocol version and task are found where they belong, and nowhere else")
    func meta() throws {
        let version = "io.modelcontextprotocol/protocolVersion"
        let inner = #"{"traceparent":"no","\#(version)":"no","taskId":"no"}"#
        let body = """
            {"traceparent":"no","_meta":\(inner),"id":1,"method":"tasks/get","params":{"a":\(inner),"traceparent":"no",
            "\(version)":"no","taskId":"t","_meta":{"x":\(inner),"\(version)":"2026-07-28","traceparent":"00-ab-cd-01"}}}
            """
        let summary = try #require(Self.summary(body))
        let bytes = Array(body.utf8)
        #expect(summary.traceparent.map { text(bytes[$0]) } == "00-ab-cd-01")
        #expect(summary.protocolVersion.map { text(bytes[$0]) } == "2026-07-28")
        #expect(summary.taskID.map { text(bytes[$0]) } == "t")
        #expect(summary.params.map { text(bytes[$0]).hasPrefix("{\"a\":") && text(bytes[$0]).hasSuffix("}}") } == true)
    }

    @Test(
        "a trace or version that stands there twice, or is no string, is none",
        arguments: [
            #"{"traceparent":"a","traceparent":"a","io.modelcontextprotocol/protocolVersion":1}"#,
            #"{"traceparent":null,"io.modelcontextprotocol/protocolVersion":{}}"#, "{}", "[]", "null",
            #""traceparent""#,
        ])
    func ambiguousMeta(_ meta: String) throws {
        let body = #"{"id":1,"method":"ping","params":{"_meta":\#(meta)}}"#
        let summary = try #require(Self.summary(body))
        #expect(summary.traceparent == nil && summary.protocolVersion == nil)
    }
}
