import JSON
import MCP
import TestSupport
import Testing

/// A body that two readers read in two ways: nothing is decided by it.
@Suite("Strict reading of messages")
struct StrictReadingTests {
    private static func read(_ body: String) -> StrictReading { StrictReading(Array(body.utf8).span) }

    private static func call(_ members: String) -> String {
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{\#(members)}}"#
    }

    @Test(
        "what every reader reads alike is a message",
        arguments: [
            call(#""name":"add","arguments":{"a":1,"A":2}"#), call(#""name":"caf\u00e9 \ud83d\ude00""#),
            #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, #"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"tools\/call","params":{"name":"add"}}"#,
            #"{"jsonrpc":"2.0","id":1e400,"method":"ping"}"#, #"{"id":123456789012345678901234567890,"method":"ping"}"#,
            // Names of the protocol mean nothing within arguments, and others may be there twice.
            call(#""name":"add","arguments":{"name":"x","name":"y","Name":"z","b\u0000":1}"#),
            call(#""name":"add","_meta":{"progressToken":1,"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#),
            #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"clientInfo":{"name":"a","version":"1"}}}"#,
        ])
    func messages(_ body: String) {
        guard case .message(let summary) = Self.read(body) else {
            Issue.record("\(Self.read(body)): \(body)")
            return
        }
        #expect(RequestSummary(of: Array(body.utf8).span) == summary)
    }

    @Test(
        "names of the protocol that stand there twice",
        arguments: [
            #"{"id":1,"method":"a","method":"b"}"#, #"{"id":1,"method":"a","m\u0065thod":"b"}"#,
            #"{"id":1,"id":1,"method":"a"}"#, #"{"jsonrpc":"1.0","jsonrpc":"2.0","method":"a"}"#,
            #"{"id":1,"result":{},"result":{}}"#, #"{"method":"a","params":{},"params":{}}"#,
            call(#""name":"a","name":"b""#), call(#""name":"a","name":"a""#), call(#""arguments":{},"arguments":{}"#),
            call(#""uri":"a","uri":"b""#), call(#""_meta":{},"_meta":{}"#), call(#""taskId":"a","taskId":"b""#),
            call(
                #""_meta":{"io.modelcontextprotocol/protocolVersion":"1","io.modelcontextprotocol\/protocolVersion":"2"}"#
            ),
        ])
    func repeats(_ body: String) { #expect(Self.read(body) == .flawed(.repeatedName), "\(body)") }

    @Test(
        "names that some readers take for one of the protocol",
        arguments: [
            #"{"id":1,"Method":"a"}"#, #"{"id":1,"METHOD":"a","params":{}}"#, #"{"ID":1,"method":"a"}"#,
            #"{"id":1,"method":"a","Params":{}}"#, #"{"id":1,"method":"a","param\u017f":{}}"#,
            #"{"İd":1,"method":"a"}"#,
            call(#""Name":"a""#), call(#""tas\u212aId":"a""#), call(#""taskid":"a""#), call(#""Arguments":{}"#),
            call(#""_META":{}"#), call(#""na\u006dE":"a""#), #"{"id":1,"method\u0000":"a"}"#,
            #"{"id":1,"method\u0000x":"a","params":{}}"#, call(#""name\u0000":"a""#),
            call(#""_meta":{"io.modelcontextprotocol/protocolversion":"2026-07-28"}"#),
        ])
    func variants(_ body: String) { #expect(Self.read(body) == .flawed(.variantName), "\(body)") }

    @Test("a variant beside the name itself is there twice, whichever comes first")
    func variantTwice() {
        for body in [#"{"id":1,"method":"a","Method":"b"}"#, #"{"id":1,"Method":"b","method":"a"}"#] {
            guard case .flawed(let flaw) = Self.read(body) else {
                Issue.record("\(body)")
                continue
            }
            #expect(flaw == .repeatedName || flaw == .variantName)
        }
    }

    @Test(
        "names and texts with half of a surrogate pair, or with a NUL",
        arguments: [
            #"{"id":1,"method":"tools\ud800/call"}"#, #"{"id":1,"method":"tools/call\u0000"}"#,
            #"{"id":1,"meth\udc00od":"a"}"#, call(#""name":"a\ud83d""#), call(#""name":"a\u0000b""#),
            call(#""uri":"\ude00\ud83d""#), call(#""x\ud800":1"#), call(#""_meta":{"a\u0000":1}"#),
            call(#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28\u0000"}"#),
        ])
    func brokenTexts(_ body: String) { #expect(Self.read(body) == .flawed(.brokenText), "\(body)") }

    @Test(
        "what is no JSON",
        arguments: [
            "", " ", "{", "x", #"{"id":1,"method":"a"} x"#, #"{"id":1,"method":"a"}{"id":2,"method":"b"}"#,
            #"{"id":1,"method":"a",}"#, #"{"id":1,/**/"method":"a"}"#, #"{'id':1}"#, #"{id:1}"#, "\u{FEFF}{}",
            "{\"id\":1,\"method\":\"a\u{0}\"}", #"{"id":01,"method":"a"}"#, #"{"id":NaN,"method":"a"}"#,
            #"{"id":1,"method":"a"}"# + "\u{0}", "[", #"[{"id":1}"#, #"{"id":1,"method":"\x61"}"#,
            String(repeating: "[", count: 100_000),
            #"{"method":"a","params":"# + String(repeating: "[", count: JSONRPC.maximumDepth + 1)
                + String(repeating: "]", count: JSONRPC.maximumDepth + 1) + "}",
            #"{"method":"a"}"# + String(repeating: " ", count: JSONRPC.maximumBytes),
        ])
    func notJSON(_ body: String) { #expect(Self.read(body) == .flawed(.notJSON), "\(body.prefix(80))") }

    @Test(
        "bytes that are no UTF-8: alone, too long for what they say, halves of pairs, beyond Unicode",
        arguments: [
            [0xFF], [0xC3], [0xC1, 0xAE], [0xE0, 0x80, 0xAE], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80],
        ] as [[UInt8]])
    func notUnicode(_ bytes: [UInt8]) {
        let body = Array(#"{"id":1,"method":"a"#.utf8) + bytes + Array(#""}"#.utf8)
        #expect(StrictReading(body.span) == .flawed(.notUnicode))
    }

    @Test(
        "JSON that is no message",
        arguments: [
            "1", "null", "{}", #""a""#, #"{"id":1}"#, #"{"method":1}"#, #"{"id":{},"method":"a"}"#,
            #"{"method":"a","result":1}"#,
        ])
    func notMessage(_ body: String) { #expect(Self.read(body) == .flawed(.notMessage), "\(body)") }

    @Test("batches are told apart", arguments: ["[]", #"[{"id":1,"method":"a"}]"#, " [1] "])
    func batches(_ body: String) { #expect(Self.read(body) == .batch) }

    /// A reader as Go's, .NET's or a C library's may be: takes the first or the last of several, compares without case,
    /// ends names at a NUL.
    private static func lenient(_ members: [(name: String, value: String)], takesLast: Bool) -> String? {
        let found = members.filter { member in
            let name = member.name.prefix { $0 != "\0" }.lowercased()
            return name.replacing("ſ", with: "s").replacing("\u{212A}", with: "k") == "method"
        }
        return takesLast ? found.last?.value : found.first?.value
    }

    @Test("what is read as a message is read so by lenient readers as well", arguments: 0..<20 as Range<UInt64>)
    func readers(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let names = ["method", "Method", "metHod", "method\0", "method\0x", "x", "id", "methods", "METHOD", "jsonrpc"]
        var accepted = 0
        for _ in 0..<400 {
            let members = (0..<Int.random(in: 1...3, using: &generator)).map { index in
                (name: generator.element(of: names), value: "m\(index)")
            }
            let body =
                "{" + members.map { "\(JSONString.quoted($0.name)):\"\($0.value)\"" }.joined(separator: ",") + "}"
            guard case .message(let summary) = Self.read(body) else { continue }
            accepted += 1
            let method = text(Array(body.utf8)[summary.methodText])
            for takesLast in [true, false] {
                #expect(Self.lenient(members, takesLast: takesLast) == method, "\(body)")
            }
        }
        #expect(accepted > 5)
    }
}
