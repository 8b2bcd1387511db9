import Foundation
import MCP
import TestSupport
import Testing

@Suite("JSON-RPC")
struct JSONRPCTests {
    static func id(_ body: String) -> String? {
        let bytes = Array(body.utf8)
        return JSONRPC.requestID(in: bytes.span).map { text(bytes[$0]) }
    }

    static func envelope(_ bytes: [UInt8]) -> JSONRPC.Envelope { JSONRPC.scan(bytes.span) }

    @Test(
        "the id of a request is returned as sent",
        arguments: [
            (#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#, "7"),
            (#"{"method":"tools/call","params":{"name":"x"},"jsonrpc":"2.0","id":1}"#, "1"),
            (#" { "id" : "a-1" , "method" : "ping" } "# + "\r\n\t", #""a-1""#),
            (#"{"id":"a\"},{\\","method":"ping"}"#, #""a\"},{\\""#),
            (#"{"id":-0.5E+10,"method":"ping"}"#, "-0.5E+10"),
            (#"{"id":"","method":"ping"}"#, #""""#),
            (#"{"id":"é\ud83d\ude00","method":"ping"}"#, #""é\ud83d\ude00""#),
            (#"{"params":{"id":9,"method":"no"},"id":1,"method":"ping"}"#, "1"),
            (#"{"params":[{"id":9}],"id":1,"method":"ping"}"#, "1"),
            (#"{"params":{"a":"\"id\":9,\"method\":{}}}"},"id":1,"method":"ping"}"#, "1"),
            (#"{"\u0069d":3,"m\u0065thod":"ping"}"#, "3"),
            (#"{"ID":9,"Id":8,"id ":7,"id":3,"method":"ping"}"#, "3"),
            (#"{"id":1,"method":"a","params":{"a":[[],{},[[]],{"b":{}}],"c":[1,2,{"d":null}]}}"#, "1"),
            (#"{"id":1,"method":"a","x":[true,false,null,0,-1.25,"",[],{}]}"#, "1"),
        ])
    func ids(_ body: String, _ expected: String) {
        #expect(Self.id(body) == expected)
        #expect(Self.envelope(Array(body.utf8)).isComplete)
    }

    @Test(
        "no id is returned if there is none to echo",
        arguments: [
            "", " ", "x", "null", "7", #""id""#, "[]", #"[{"id":1,"method":"a"}]"#, "{}",
            #"{"method":"a"}"#, #"{"id":null,"method":"a"}"#, #"{"id":true,"method":"a"}"#,
            #"{"id":{"id":1},"method":"a"}"#, #"{"id":[1],"method":"a"}"#,
            // A response: its id is one of the server's.
            #"{"jsonrpc":"2.0","id":1,"result":{}}"#, #"{"id":1,"error":{"code":1,"message":""}}"#,
            #"{"id":1,"method":"a","result":{}}"#, #"{"id":1}"#,
            // Twice: which one counts depends on the reader.
            #"{"id":1,"id":1,"method":"a"}"#, #"{"id":1,"method":"a","i\u0064":2}"#,
            #"{"id":1,"method":"a","method":"b"}"#, #"{"id":null,"id":1,"method":"a"}"#,
            // Not JSON.
            #"{"id":1,"method":"a"}}"#, #"{"id":1,"method":"a"} x"#, #"{"id":1,"method":"a",}"#,
            #"{id:1,"method":"a"}"#,
            #"{"id":01,"method":"a"}"#, #"{"id":+1,"method":"a"}"#, #"{"id":.5,"method":"a"}"#,
            #"{"id":1.,"method":"a"}"#,
            #"{"id":1e,"method":"a"}"#, #"{"id":-,"method":"a"}"#, #"{"id":1 2,"method":"a"}"#,
            #"{"id" 1,"method":"a"}"#,
            #"{"id":"a\x","method":"a"}"#, #"{"id":"\u12g4","method":"a"}"#, "{\"id\":\"a\nb\",\"method\":\"a\"}",
            #"{"id":1,"method":"a","p":[}]}"#, #"{"id":1,"method":"a","p":{]}"#, #"{"id":1,"method":"a","p":[1,]}"#,
            #"{"id":1,"method":"a","p":[1 2]}"#, #"{"id":1,"method":"a","p":{"x"}}"#,
            #"{"id":1,"method":"a","p":{"x":}}"#,
            #"{"id":1,"method":"a","p":{1:2}}"#, #"{"id":1,"method":"a","p":tru}"#, #"{"id":1,"method":"a","p":nul}"#,
            #"{"id":1,"method":7}"#, #"{"id":1,"method":null}"#, #"{"id":NaN,"method":"a"}"#, #"{'id':1,"method":"a"}"#,
            #"{,"id":1,"method":"a"}"#, "\u{FEFF}" + #"{"id":1,"method":"a"}"#,
        ])
    func none(_ body: String) {
        #expect(Self.id(body) == nil)
    }

    @Test(
        "the kind of a message is recognised",
        arguments: [
            (#"{"id":1,"method":"a"}"#, .request), (#"{"method":"a"}"#, .notification),
            (#"{"id":null,"method":"a"}"#, .notification), (#"{"id":1,"result":{}}"#, .response),
            (#"{"id":1,"error":{}}"#, .response), (#"{"id":1,"result":{"huge"#, .response), (" [", .batch),
            (#"{"method":"a""#, .unknown), (#"{"id":1"#, .unknown), ("{}", .unknown), ("x", .unknown),
            (#"{"id":1,"method":"a","params":{"#, .request),
        ] as [(String, JSONRPC.Kind)])
    func kinds(_ body: String, _ kind: JSONRPC.Kind) {
        #expect(Self.envelope(Array(body.utf8)).kind == kind)
    }

    @Test("a request has a method, a response has none")
    func methods() {
        let call = Array(#"{"method":"tools/call","id":1,"params":{"method":"x"}}"#.utf8)
        let answer = Array(#"{"jsonrpc":"2.0","id":0,"result":{"method":"x"}}"#.utf8)
        let method = JSONRPC.method(in: call.span)
        let none = JSONRPC.method(in: answer.span)
        let isRequest = [JSONRPC.isRequest(call.span), JSONRPC.isRequest(answer.span)]
        #expect(method.map { text(call[$0]) } == "tools/call")
        #expect(none == nil)
        #expect(isRequest == [true, false])
    }

    @Test("an id is echoed only if it is short and valid UTF-8")
    func echoable() {
        let longest = "\"" + String(repeating: "x", count: 1022) + "\""
        #expect(Self.id(#"{"method":"a","id":\#(longest)}"#) == longest)
        #expect(Self.id(#"{"method":"a","id":"x\#(longest.dropFirst())}"#) == nil)
        let invalid = Array(#"{"method":"a","id":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)
        let id = JSONRPC.requestID(in: invalid.span)
        #expect(id == nil)
        #expect(Self.envelope(invalid).kind == .request)
    }

    @Test("nesting is limited, without recursion")
    func depth() {
        func body(_ depth: Int, _ open: String, _ close: String) -> String {
            #"{"id":1,"method":"a","p":"# + String(repeating: open, count: depth) + "0"
                + String(repeating: close, count: depth) + "}"
        }
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            #expect(Self.id(body(JSONRPC.maximumDepth, open, close)) == "1")
            #expect(Self.id(body(JSONRPC.maximumDepth + 1, open, close)) == nil)
        }
        let abyss = Array(String(repeating: "[", count: 60_000).utf8)
        #expect(Self.envelope(Array(#"{"p":"#.utf8) + abyss).kind == .unknown)
    }

    @Test("only the first 64 KiB are scanned")
    func bound() {
        func body(padding: Int) -> String {
            #"{"id":1,"method":"a","p":""# + String(repeating: "x", count: padding) + #"","q":1}"#
        }
        let short = Self.envelope(Array(body(padding: 60_000).utf8))
        let long = Self.envelope(Array(body(padding: 70_000).utf8))
        #expect(short.isComplete && short.kind == .request)
        #expect(!long.isComplete && long.kind == .request)
        #expect(Self.id(#"{"p":""# + String(repeating: "x", count: 66_000) + #"","id":1,"method":"a"}"#) == nil)
    }

    // MARK: Random messages

    /// Random JSON text with traps in it: keys and strings that look like the message's own.
    static func value(depth: Int, using generator: inout SeededGenerator) -> String {
        let scalars = [
            "0", "-1.5e-7", "true", "false", "null", #""""#, #""id""#, #""\"id\":9""#, #""}{][,:""#, #""\\""#,
            #""é\u0041""#,
        ]
        let kind = depth > 4 ? 0 : Int.random(in: 0...3, using: &generator)
        let space = ["", "", " ", "\n", "\t "]
        func spaced(_ text: String) -> String {
            generator.element(of: space) + text + generator.element(of: space)
        }
        let count = Int.random(in: 0...3, using: &generator)
        switch kind {
        case 2:
            let elements = (0..<count).map { _ in spaced(value(depth: depth + 1, using: &generator)) }
            return "[" + elements.joined(separator: ",") + "]"
        case 3:
            let keys = ["id", "method", "a", "result", "", "\\u0069d"]
            let members = (0..<count).map { _ in
                spaced("\"" + generator.element(of: keys) + "\"") + ":"
                    + spaced(value(depth: depth + 1, using: &generator))
            }
            return "{" + members.joined(separator: ",") + "}"
        default: return generator.element(of: scalars)
        }
    }

    static func request(id: String, using generator: inout SeededGenerator) -> String {
        var members = [#""jsonrpc":"2.0""#, #""id": \#(id)"#, #""method" :"tools/call""#]
        members.append(#""params":"# + value(depth: 0, using: &generator))
        members.append(#""x":"# + value(depth: 0, using: &generator))
        members.shuffle(using: &generator)
        return "{" + members.joined(separator: ",") + "}"
    }

    @Test("finds the id of any request, and no other id in any prefix of it", arguments: 0..<60 as Range<UInt64>)
    func randomRequests(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<10 {
            let id = generator.element(of: ["7", #""a-\"1""#, "12345", "-3"])
            let body = Array(Self.request(id: id, using: &generator).utf8)
            let whole = Self.envelope(body)
            #expect(whole.kind == .request && whole.isComplete, "\(text(body))")
            #expect(whole.id.map { text(body[$0]) } == id)
            for count in 0..<body.count {
                let part = Array(body[..<count])
                let envelope = Self.envelope(part)
                #expect(!envelope.isComplete)
                #expect(envelope.kind == .request || envelope.kind == .unknown)
                if let range = envelope.id { #expect(text(part[range]) == id, "cut at \(count) of \(text(body))") }
                if let range = envelope.method { #expect(text(part[range]) == "tools/call") }
            }
        }
    }

    @Test("agrees with a full parser on what is JSON, for any changed byte", arguments: 0..<40 as Range<UInt64>)
    func damagedRequests(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var accepted = 0
        for _ in 0..<60 {
            var body = Array(Self.request(id: "7", using: &generator).utf8)
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                let index = Int.random(in: body.indices, using: &generator)
                body[index] = generator.element(of: Array("{}[]\",:\\ 07etnu-.x\n".utf8))
            }
            // The encoding is checked only in the id.
            guard String(validating: body, as: UTF8.self) != nil else { continue }
            let envelope = Self.envelope(body)
            guard envelope.isComplete, envelope.kind == .request else { continue }
            accepted += 1
            let object = try? JSONSerialization.jsonObject(with: Data(body), options: .fragmentsAllowed)
            #expect(object is [String: Any], "taken for JSON: \(text(body))")
        }
        #expect(accepted > 0 && accepted < 60)
    }

    @Test("random bytes never trap", arguments: 0..<40 as Range<UInt64>)
    func randomBytes(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let body =
                Array("{".utf8) + generator.bytes(.random(in: 0...60, using: &generator), from: #"{}[]",:\u0i d"#)
            let envelope = Self.envelope(body)
            if let id = envelope.id { #expect(id.upperBound <= body.count) }
        }
    }
}
