import Foundation
import MCP
import TestSupport
import Testing

@Suite("Reply scanner")
struct ReplyScannerTests {
    typealias Verdict = ReplyScanner.Verdict

    static let success = Verdict.result(isError: false, needsInput: false)
    static let toolError = Verdict.result(isError: true, needsInput: false)
    static let needsInput = Verdict.result(isError: false, needsInput: true)

    /// The verdict on a body that comes in pieces which begin at `cuts`.
    static func verdict(
        _ body: [UInt8], _ format: ReplyScanner.Format = .json, cutAt cuts: [Int] = []
    ) -> Verdict {
        var scanner = ReplyScanner(format)
        var start = 0
        for end in cuts + [body.count] {
            // A copy of its own, so that reading past a piece is seen.
            let piece = Array(body[start..<end])
            scanner.scan(piece.span)
            start = end
        }
        return scanner.verdict
    }

    static let messages: [(String, Verdict)] = [
        (#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"ok"}],"isError":false}}"#, success),
        (#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"no"}],"isError":true}}"#, toolError),
        (#"{"result":{"isError":true,"content":[]},"id":1}"#, toolError),
        (#" { "id" : 1 , "result" : { "isError" : true } } "#, toolError),
        ("{\n\t\"result\": {\n\t\t\"isError\":\ttrue\n\t}\n}\n", toolError),
        (#"{"id":1,"result":{}}"#, success), (#"{"id":1,"result":{"tools":[]}}"#, success),
        (#"{"result":{"structuredContent":{"isError":true},"isError":false}}"#, success),
        (#"{"result":{"structuredContent":{"isError":true}}}"#, success),
        (#"{"result":{"content":[{"isError":true}],"_meta":{"isError":true}}}"#, success),
        (#"{"id":{"isError":true},"result":{"a":"\"isError\":true"}}"#, success),
        (#"{"id":1,"isError":true,"result":{}}"#, success),
        (#"{"result":{"isError":"true"}}"#, success), (#"{"result":{"isError":null}}"#, success),
        (#"{"result":{"isError":{"isError":true}}}"#, success), (#"{"result":{"isErrors":true}}"#, success),
        (#"{"result":{"IsError":true}}"#, success), (#"{"result":{"is\u0045rror":true}}"#, success),
        (#"{"result":{"x":"\\","isError":true}}"#, toolError), (#"{"result":{"x":"\\\"","isError":true}}"#, toolError),
        (#"{"result":{"x\"":1,"\\":2,"isError":true}}"#, toolError),
        (#"{"result":{"x":[[[["}]",{"]":"["}]]]],"isError":true}}"#, toolError),
        (#"{"result":{"x":-1.5e+7,"y":true,"z":null,"isError":true}}"#, toolError),
        (#"{"result":{"a-name-that-is-longer-than-sixteen-bytes":1,"isError":true}}"#, toolError),
        (#"{"result":[1,"isError",true]}"#, success), (#"{"result":"text"}"#, success), (#"{"result":7}"#, success),
        (#"{"result":null}"#, success), (#"{"result":null,"error":null}"#, success),
        (#"{"result":null,"error":{"code":-1,"message":"m"}}"#, .error(code: -1)),
        (#"{"error":null,"result":{"isError":true}}"#, toolError),
        (#"{"result":{"resultType":"complete","content":[],"isError":true}}"#, toolError),
        (#"{"result":{"resultType":"input_required","inputRequests":{},"requestState":"x"}}"#, needsInput),
        (#"{"result":{"requestState":"x","resultType":"input_required"}}"#, needsInput),
        (#"{"result":{"resultType":"input_requires"}}"#, success), (#"{"result":{"resultType":1}}"#, success),
        (#"{"result":{"resultType":"input_required_and_more"}}"#, success),
        (#"{"result":{"resultTypes":"input_required"}}"#, success),
        (#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#, .error(code: -32601)),
        (#"{"error":{"message":"m","data":{"code":7},"code": 5 },"id":1}"#, .error(code: 5)),
        (#"{"error":{"code":0}}"#, .error(code: 0)), (#"{"error":{"message":"m"}}"#, .error(code: 0)),
        (#"{"error":{"code":"x"}}"#, .error(code: 0)), (#"{"error":"text"}"#, .error(code: 0)),
        (#"{"error":{"code":null,"message":"m"}}"#, .error(code: 0)), (#"{"error":[1]}"#, .error(code: 0)),
        (#"{"error":{"code":2147483647}}"#, .error(code: .max)),
        (#"{"error":{"code":-2147483648}}"#, .error(code: .min)),
        (#"{"error":{"code":2147483648}}"#, .error(code: .max)),
        (#"{"error":{"code":-99999999999999999999999999}}"#, .error(code: .min)),
        (#"{"error":{"code":10000000000}}"#, .error(code: .max)),
        (#"{"error":{"code":-32000.0}}"#, .error(code: -32000)),
        (#"{"id":"server-error","error":{"code":-32600,"message":"\"result\":{}"}}"#, .error(code: -32600)),
        (#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"result":{},"error":{"code":1}}}"#, .none),
        (#"{"id":1,"method":"ping"}"#, .none), (#"{"method":"x","result":{"isError":true}}"#, .none),
        (#"{"result":{"a":{},"text":"isError q E"},"id":1,"x":"\"isError\":true"}"#, success),
        (#"{"result":{"isError" : false,"x":"QqEe"}}"#, success),
        (#"{"result":{"x":{"isError":true},"isError":false}}"#, success),
        (#"{"result":{"x":"input_required","y":"\"isError\":true"}}"#, success), ("{}", .none), ("", .none),
        (" \r\n", .none),
        (#"{"id":1,"res\u0075lt":{}}"#, .none), (#"{"results":{}}"#, .none), (#"{"resultres":{}}"#, .none),
        (#"{"RESULT":{},"errors":{}}"#, .none),
    ]

    /// Whose whole text is no message.
    static let others: [(String, Verdict)] = [
        (#"[{"id":1,"result":{}}]"#, .unknown), ("[]", .unknown), ("<html>", .unknown), ("null", .unknown),
        ("\u{FEFF}{}", .unknown), (#"{"result""#, .none), (#"{"result":{"content":["#, .none),
        (#"{"result":{"isErr"#, .none),
        (#"{"error":{"code""#, .none), (#"{"a""b"}"#, .unknown), (#"{"a":1"b":2}"#, .unknown), (#"{"a",}"#, .unknown),
        (#"{"a":}"#, .unknown), (#"{"a":,"result":{}}"#, .unknown), (#"{1:2}"#, .unknown), ("{\"a\nb\":1}", .unknown),
        ("{\"a\":\"\n\",\"result\":{}}", .unknown), ("{\"a\\\n\":1}", .unknown), ("{\"a\":\"\\\n\"}", .unknown),
        (#"{"a":1]"#, .unknown), ("{{", .unknown),
    ]

    @Test("what a message says", arguments: messages + others)
    func whole(_ body: String, _ expected: Verdict) {
        #expect(Self.verdict(Array(body.utf8)) == expected)
    }

    @Test("what a message says that is known to be whole", arguments: messages)
    func last(_ body: String, _ expected: Verdict) {
        for message in [body, Self.usual(body)] {
            let bytes = Array(message.utf8)
            var scanner = ReplyScanner(.json)
            scanner.scan(bytes.span, isLast: true)
            #expect(scanner.verdict == expected, "\(message)")
        }
    }

    /// The same with the members in front that most servers put there, and long enough for short cuts.
    static func usual(_ body: String) -> String {
        guard let brace = body.firstIndex(of: "{"), !body.hasPrefix("{}") else { return body }
        let members = #"{"jsonrpc":"2.0","id":17,"#
        return members + body[body.index(after: brace)...] + String(repeating: " ", count: 64)
    }

    @Test("every cut gives the same verdict", arguments: messages + others)
    func cuts(_ body: String, _ expected: Verdict) {
        let bytes = Array(body.utf8)
        for cut in 0...bytes.count { #expect(Self.verdict(bytes, cutAt: [cut]) == expected, "cut at \(cut)") }
        #expect(Self.verdict(bytes, cutAt: Array(bytes.indices)) == expected)
    }

    @Test("an event stream says the same, with every line end and every cut", arguments: messages)
    func events(_ message: String, _ expected: Verdict) {
        for end in ["\n", "\r", "\r\n"] {
            // White space between tokens may be a line end: then the message has several lines of data.
            let data = message.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: end + "data:")
            for stream in Self.streams(data, end) {
                let bytes = Array(stream.utf8)
                #expect(Self.verdict(bytes, .eventStream) == expected, "\(stream.debugDescription)")
                #expect(Self.verdict(bytes, .eventStream, cutAt: Array(bytes.indices)) == expected)
                guard end != "\r" else { continue }
                for cut in bytes.indices { #expect(Self.verdict(bytes, .eventStream, cutAt: [cut]) == expected) }
            }
        }
    }

    /// A message with what may stand around it in a stream.
    static func streams(_ data: String, _ end: String) -> [String] {
        let message = "event: message\(end)data: \(data)\(end)\(end)"
        let usual = "event: message\(end)data: \(Self.usual(data))\(end)\(end)"
        let notification = #"data:{"method":"notifications/message","params":{"data":{"result":{"isError":true}}}}"#
        let request = #"data: {"id":0,"method":"elicitation/create","params":{"error":{"code":1}}}"#
        return [
            message, usual, "\u{FEFF}" + message, ": ping\(end)\(end)" + message,
            "id: 7\(end)data:\(end)\(end)" + message,
            "retry: 500\(end)\(end)\(notification)\(end)\(end)\(request)\(end)id: x\(end)\(end)" + message,
            "data: {\"result\":\(end)\(end)" + message, "data: not json\(end)\(end)" + message,
            "data: {\"a\":\"\(end)\(end)" + message, "data: {\"a\(end)\(end)" + message,
            "data\(end)dat\(end)\(end)" + message,
            "datum: {\"result\":{}}\(end)data : {\"result\":{}}\(end) data: {\"result\":{}}\(end)\(end)" + message,
        ]
    }

    @Test("the first answer of a stream counts, and nothing after it is looked at")
    func firstAnswer() {
        let stream = Array("data: {\"result\":{}}\n\ndata: {\"error\":{\"code\":1}}\n\n".utf8)
        #expect(Self.verdict(stream, .eventStream) == Self.success)
        var scanner = ReplyScanner(.eventStream)
        scanner.scan(stream.span.extracting(0..<17))
        #expect(!scanner.isDecided)
        scanner.scan(stream.span.extracting(17..<18))
        #expect(scanner.isDecided)
    }

    @Test("a batch in a stream is unknown, unless an answer comes after it")
    func batches() {
        let batch = "data: [{\"result\":{}}]\n\n"
        #expect(Self.verdict(Array(batch.utf8), .eventStream) == .unknown)
        #expect(
            Self.verdict(Array((batch + "data: {\"error\":{\"code\":1}}\n\n").utf8), .eventStream) == .error(code: 1))
    }

    @Test("a message may have its data in many lines")
    func lines() {
        let stream =
            "data: {\ndata: \"result\"\ndata: :\r\ndata:{\"isError\" :\n: comment\ndata\ndata: \ndata: true}}\n\n"
        let bytes = Array(stream.utf8)
        for cut in bytes.indices { #expect(Self.verdict(bytes, .eventStream, cutAt: [cut]) == Self.toolError) }
        let error = Array("data: {\"error\":{\"code\":-32\ndata: 0}}\n\n".utf8)
        for cut in error.indices { #expect(Self.verdict(error, .eventStream, cutAt: [cut]) == .error(code: -32)) }
    }

    @Test("the state is small")
    func size() {
        #expect(MemoryLayout<ReplyScanner>.stride <= 40)
    }
}
