import MCP
import TestSupport
import Testing

@Suite("Lists of tools")
struct ToolListPageTests {
    private func hints(_ text: String, _ tool: String) -> ToolAnnotations.Hints? {
        let bytes = Array(text.utf8)
        guard let page = ToolListPage(response: bytes.span) else { return nil }
        var tools = ToolAnnotations()
        tools.merge(page)
        let name = Array(tool.utf8)
        return tools.hints(of: name.span)
    }

    private func list(_ tools: String) -> String { #"{"jsonrpc":"2.0","id":1,"result":{"tools":[\#(tools)]}}"# }

    @Test(
        "says what the annotations say",
        arguments: [
            (#"{"name":"t","annotations":{"readOnlyHint":true}}"#, 1),
            (#"{"annotations":{"idempotentHint":true},"name":"t"}"#, 2),
            (#"{"name":"t","annotations":{"idempotentHint":true,"title":"x","readOnlyHint":true}}"#, 3),
            (#"{"name":"t","annotations":{"readOnlyHint":false}}"#, 0),
            (#"{"name":"t","annotations":{"readOnlyHint":"true"}}"#, 0),
            (#"{"name":"t","annotations":{"readOnlyHint":1}}"#, 0), (#"{"name":"t"}"#, 0),
            (#"{"name":"u","annotations":{"readOnlyHint":true}}"#, 0),
            (#"{"name":"t","inputSchema":{"annotations":{"readOnlyHint":true}}}"#, 0),
            (#"{"name":"t","annotations":[true]}"#, 0),
            // What is there twice is read differently by different readers.
            (#"{"name":"t","annotations":{"readOnlyHint":false,"readOnlyHint":true}}"#, 0),
            (#"{"name":"t","annotations":{"readOnlyHint":true},"annotations":{}}"#, 0),
            (#"{"name":"u","name":"t","annotations":{"readOnlyHint":true}}"#, 0),
            (#"{"name":"t","annotations":{"readOnlyHint":true}},{"name":"t"}"#, 0),
            (#"{"name":"t"},{"name":"t","annotations":{"readOnlyHint":true}}"#, 0),
            (#"{"name":"\u0074","annotations":{"readOnlyHint":true}}"#, 0),
            (#"7,"t",{"name":"t","annotations":{"readOnlyHint":true}}"#, 1),
        ])
    func annotations(tools: String, expected: UInt8) {
        #expect(hints(list(tools), "t")?.rawValue == expected)
    }

    @Test("what is cut off anywhere, or is no list, says nothing")
    func cut() {
        let whole = list(#"{"name":"t","annotations":{"readOnlyHint":true}}"#)
        #expect(hints(whole, "t") == .readOnly)
        for count in 0..<whole.utf8.count {
            #expect(hints(String(whole.prefix(count)), "t") == nil, "\(count) bytes")
        }
        for text in ["[]", "{}", #"{"result":{}}"#, #"{"result":{"tools":{}}}"#, #"{"tools":[]}"#, whole + "x"] {
            #expect(hints(text, "t") == nil, "\(text)")
        }
    }

    @Test("a later list replaces what was said of its tools, and of no others")
    func merge() {
        var tools = ToolAnnotations()
        let first = Array(
            list(
                #"{"name":"a","annotations":{"readOnlyHint":true}},{"name":"b","annotations":{"idempotentHint":true}}"#
            ).utf8)
        let second = Array(list(#"{"name":"a"}"#).utf8)
        for text in [first, second] {
            guard let page = ToolListPage(response: text.span) else {
                Issue.record("no list")
                return
            }
            tools.merge(page)
        }
        let (a, b) = (Array("a".utf8), Array("b".utf8))
        #expect(tools.hints(of: a.span) == [])
        #expect(tools.hints(of: b.span) == .idempotent)
    }

    @Test("no server can fill our memory")
    func bounds() {
        let tools = (0..<5_000).map { #"{"name":"t\#($0)","annotations":{"readOnlyHint":true}}"# }.joined(
            separator: ",")
        let long = #"{"name":"\#(String(repeating: "n", count: 129))","annotations":{"readOnlyHint":true}}"#
        var known = ToolAnnotations()
        let text = Array(list(tools + "," + long).utf8)
        if let page = ToolListPage(response: text.span) { known.merge(page) }
        #expect(known.count == ToolAnnotations.maximumTools)
        let more = Array(
            list(
                (5_000..<6_000).map { #"{"name":"t\#($0)","annotations":{"readOnlyHint":true}}"# }.joined(
                    separator: ",")
            ).utf8)
        if let page = ToolListPage(response: more.span) { known.merge(page) }
        #expect(known.count == ToolAnnotations.maximumTools)
    }
}

@Suite("Streams that take an error at their end")
struct StreamEndTests {
    private func takesError(_ pieces: [String]) -> Bool {
        var tracker = EventStream.BoundaryTracker()
        for piece in pieces {
            let bytes = Array(piece.utf8)
            tracker.note(bytes.span)
            tracker.watch(bytes.span)
        }
        return tracker.takesError
    }

    @Test(
        "wherever the pieces are cut",
        arguments: [
            ("data: x\n\n", true), ("data: x\r\n\r\n", true), (": c\n\nevent: m\ndata: {\"a\":1}\n\n", true),
            ("idx: 1\n\n", true),
            ("data: id: 1\n\n", true), ("data: \\\"result\\\": 1\n\n", true), ("data: {\"level\":\"error\"}\n\n", true),
            ("data: {\"results\":1}\n\n", true), ("data: {\"errors\":1}\n\n", true), ("data: rresult\":\n\n", true),
            ("data: x\n", false), ("data: x", false), ("id: 1\ndata: x\n\n", false), ("data: x\nid:\n\n", false),
            ("data: x\rid\r\r", false), ("data: {\"result\":{}}\n\n", false), ("data: {\"error\" \t: 1}\n\n", false),
            ("data: \"\"result\":\n\n", false), ("data: {\"x\":\"r\",\"result\":1}\n\n", false),
            ("data: {\"error\":\"error\"}\n\ndata: y\n\n", false),
        ])
    func cuts(text: String, expected: Bool) {
        #expect(takesError([text]) == expected)
        for cut in 0...text.utf8.count {
            let (one, two) = (String(text.prefix(cut)), String(text.dropFirst(cut)))
            #expect(takesError([one, two]) == expected, "cut at \(cut)")
        }
        #expect(takesError(text.map { String($0) }) == expected)
    }

    @Test("a stream without a byte takes one, and its state costs four bytes")
    func size() {
        #expect(EventStream.BoundaryTracker().takesError)
        #expect(MemoryLayout<EventStream.BoundaryTracker>.size == 4)
    }
}
