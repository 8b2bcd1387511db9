import TestSupport
import Testing

@testable import MCP

@Suite("Lists of tools without what a caller may not know of")
struct ToolListFilterTests {
    private static func allows(_ name: String) -> Bool { name.hasPrefix("get-") }

    private static func apply(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        return switch ToolListFilter.apply(to: bytes.span, allows: allows) {
        case .unchanged: text
        case .changed(let bytes): String(decoding: bytes, as: UTF8.self)
        case .unreadable: nil
        }
    }

    static let table: [(text: String, left: String?)] = [
        (
            #"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"get-a"},{"name":"set-b"}],"nextCursor":"x"}}"#,
            #"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"get-a"}],"nextCursor":"x"}}"#
        ),
        (
            #"{"result": {"tools": [ {"name":"set-b"} , {"name":"get-a","x":[1,{}]} , {"name":"set-c"} ]}, "id": 1}"#,
            #"{"result": {"tools": [{"name":"get-a","x":[1,{}]}]}, "id": 1}"#
        ),
        (#"{"id":1,"result":{"tools":[{"name":"set-b"}]}}"#, #"{"id":1,"result":{"tools":[]}}"#),
        (#"{"id":1,"result":{"tools":[]}}"#, #"{"id":1,"result":{"tools":[]}}"#),
        // Nothing is left out: not a byte changes.
        (
            #" { "id":1,"result":{"tools":[ {"name":"get-a"} ,{"name":"get-b"}],"cacheScope":"public"}} "#,
            #" { "id":1,"result":{"tools":[ {"name":"get-a"} ,{"name":"get-b"}],"cacheScope":"public"}} "#
        ),
        // What is not everybody's must not be kept for everybody.
        (
            #"{"id":1,"result":{"cacheScope":"public","tools":[{"name":"set-b"}],"ttlMs":5}}"#,
            #"{"id":1,"result":{"cacheScope":"private","tools":[],"ttlMs":5}}"#
        ),
        // Names with escapes say the same.
        (
            #"{"id":1,"re\u0073ult":{"t\u006fols":[{"n\u0061me":"\u0073et-b"},{"name":"\u0067et-a"}]}}"#,
            #"{"id":1,"re\u0073ult":{"t\u006fols":[{"name":"\u0067et-a"}]}}"#
        ),
        // As somebody reads it who does not mind case, or who takes the first or the last of two.
        (#"{"id":1,"Result":{"Tools":[{"Name":"set-b"}]}}"#, #"{"id":1,"Result":{"Tools":[]}}"#),
        (
            #"{"id":1,"result":{"tools":[{"name":"set-b"}],"tools":[{"name":"get-a"},{"name":"set-c"}]}}"#,
            #"{"id":1,"result":{"tools":[],"tools":[{"name":"get-a"}]}}"#
        ),
        (
            #"{"id":1,"result":{},"result":{"tools":[{"name":"set-b"}]}}"#,
            #"{"id":1,"result":{},"result":{"tools":[]}}"#
        ),
        (#"{"id":1,"result":{"tools":[{"name":"get-a","name":"set-b"}]}}"#, #"{"id":1,"result":{"tools":[]}}"#),
        // What has no name, or is no tool.
        (
            #"{"id":1,"result":{"tools":[{},null,1,"get-a",[],{"name":1},{"name":"\ud800"},{"name":"get-a"}]}}"#,
            #"{"id":1,"result":{"tools":[{"name":"get-a"}]}}"#
        ),
        (#"{"id":1,"result":{"tools":{"set-b":{}}}}"#, #"{"id":1,"result":{"tools":[]}}"#),
        // Batches of 2025-03-26.
        (
            #"[{"id":1,"result":{"tools":[{"name":"set-b"}]}},{"id":2,"result":{}}]"#,
            #"[{"id":1,"result":{"tools":[]}},{"id":2,"result":{}}]"#
        ),
        // Other things of that name.
        (
            #"{"id":1,"result":{"capabilities":{"tools":{}}}}"#, #"{"id":1,"result":{"capabilities":{"tools":{}}}}"#
        ),
        (#"{"id":1,"error":{"tools":[{"name":"set-b"}]}}"#, #"{"id":1,"error":{"tools":[{"name":"set-b"}]}}"#),
        // No JSON.
        (#"{"id":1,"result":{"tools":[{"name":"get-a"}]"#, nil), ("", nil), ("x", nil),
        (#"{"id":1,"result":{"tools":[{"name":"set-b"}]}} {}"#, nil), (#"{"a":NaN}"#, nil),
        (String(repeating: "[", count: 600), nil),
    ]

    @Test("one message", arguments: table)
    func message(text: String, left: String?) { #expect(Self.apply(text) == left) }

    @Test("whatever is cut off is not read")
    func cut() {
        let whole = Array(Self.table[1].text.utf8)
        for count in 0..<whole.count {
            let cut = Array(whole[..<count])
            let outcome = ToolListFilter.apply(to: cut.span, allows: Self.allows)
            #expect(outcome == .unreadable, "\(count)")
        }
    }

    // MARK: - Events

    private static func pass(_ text: String, pieces: Int, isAnswer: Bool = false) -> (text: String, failed: Bool) {
        var events = ToolListEvents(isAnswer: isAnswer)
        let bytes = Array(text.utf8)
        var passed: [UInt8] = []
        var start = 0
        while start < bytes.count {
            let end = min(start + pieces, bytes.count)
            let piece = Array(bytes[start..<end])
            passed += events.take(piece.span, allows: allows)
            start = end
        }
        passed += events.finish(allows: allows)
        return (String(decoding: passed, as: UTF8.self), events.isUnreadable)
    }

    private static let both = #"{"id":1,"result":{"tools":[{"name":"get-a"},{"name":"set-b"}]}}"#
    private static let one = #"{"id":1,"result":{"tools":[{"name":"get-a"}]}}"#

    static let streams: [(text: String, left: String)] = [
        (
            ": hi\n\nevent: message\ndata: \(both)\n\ndata: {}\n\n",
            ": hi\n\nevent: message\ndata: \(one)\n\ndata: {}\n\n"
        ),
        ("id: 7\r\ndata:\(both)\r\nretry: 3\r\n\r\n", "id: 7\r\ndata: \(one)\r\nretry: 3\r\n\r\n"),
        ("data: \(both)\r\rdata: x\r\r", "data: \(one)\r\rdata: x\r\r"),
        // One message on several lines.
        (
            "data: {\"id\":1,\"result\":{\ndata: \"tools\":[{\"name\":\"set-b\"}]\nid: 3\ndata: }}\n\n",
            "data: {\"id\":1,\"result\":{\ndata: \"tools\":[]\ndata: }}\nid: 3\n\n"
        ),
        // Without its blank line, as some clients still read it.
        ("data: \(both)\n", "data: \(one)\n"), ("data: \(both)", "data: \(one)"),
        // A byte order mark does not hide the line.
        ("\u{FEFF}data: \(both)\n\n", "data: \(one)\n\n"),
        (
            "event: endpoint\ndata: /tools/messages?session_id=1\n\n",
            "event: endpoint\ndata: /tools/messages?session_id=1\n\n"
        ),
        // No JSON: without tools it goes on, with them it does not.
        ("data: {\"a\":NaN}\n\n", "data: {\"a\":NaN}\n\n"),
        ("data: {\"a\":NaN,\"tools\":[]}\n\ndata: 1\n\n", "data: 1\n\n"),
        ("\n\n\ndata: \(both)\n\n", "\n\n\ndata: \(one)\n\n"),
    ]

    @Test("the events of a stream, in pieces of any size", arguments: streams)
    func events(text: String, left: String) {
        for pieces in [1, 2, 3, 5, 7, 1_000] { #expect(Self.pass(text, pieces: pieces).text == left, "\(pieces)") }
    }

    @Test("an answer that is no JSON is none")
    func unreadable() {
        let passed = Self.pass("data: {\"a\":NaN}\n\n", pieces: 100, isAnswer: true)
        #expect(passed.text.isEmpty && passed.failed)
    }

    @Test("whole events go on at once, whatever ends their lines", arguments: ["\n", "\r\n", "\r"])
    func promptness(end: String) {
        var events = ToolListEvents(isAnswer: false)
        for _ in 0..<3 {
            let event = Array("data: 1\(end)\(end)".utf8)
            let passed = events.take(event.span, allows: Self.allows)
            #expect(passed == event)
            #expect(events.heldCount == 0)
        }
    }
}
