import Foundation
import MCP
import TestSupport
import Testing

@Suite("Reply scanner: random and hostile bodies")
struct ReplyScannerStorms {
    /// What Foundation makes of a message.
    static func reference(_ body: [UInt8]) throws -> ReplyScanner.Verdict {
        let object = try JSONSerialization.jsonObject(with: Data(body))
        guard let message = object as? [String: Any] else { return .unknown }
        if let error = message["error"] {
            return .error(code: ((error as? [String: Any])?["code"] as? NSNumber)?.int32Value ?? 0)
        }
        guard let result = message["result"] else { return .none }
        let members = result as? [String: Any] ?? [:]
        return .result(
            isError: members["isError"] as? Bool == true,
            needsInput: members["resultType"] as? String == "input_required")
    }

    /// Cuts in ascending order.
    static func cuts(_ count: Int, _ generator: inout SeededGenerator) -> [Int] {
        (0..<Int.random(in: 0...6, using: &generator)).map { _ in Int.random(in: 0...count, using: &generator) }
            .sorted()
    }

    /// Whether the data of the only event of a stream is JSON.
    static func isWhole(_ stream: [UInt8]) -> Bool {
        let data = stream.dropFirst(6).prefix { $0 != 0x0A && $0 != 0x0D }
        return (try? JSONSerialization.jsonObject(with: Data(data))) != nil
    }

    @Test("random messages are read as Foundation reads them, however they are cut", arguments: 0..<40 as Range<UInt64>)
    func messages(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            let body = Array(RandomMessage(&generator).text.utf8)
            let expected = try Self.reference(body)
            let cuts = Self.cuts(body.count, &generator)
            #expect(ReplyScannerTests.verdict(body, cutAt: cuts) == expected, "seed \(seed): \(text(body))")
            var scanner = ReplyScanner(.json)
            scanner.scan(body.span, isLast: true)
            #expect(scanner.verdict == expected, "seed \(seed), in one piece: \(text(body))")
            let stream = Array("event: message\ndata: ".utf8) + body + Array("\r\n\r\n".utf8)
            let streamCuts = Self.cuts(stream.count, &generator)
            #expect(ReplyScannerTests.verdict(stream, .eventStream, cutAt: streamCuts) == expected)
        }
    }

    @Test("mutilated messages never trap, and every cut gives the same verdict", arguments: 0..<40 as Range<UInt64>)
    func mutations(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let inserts = [
            "\"", "\\", "{", "}", "[", "]", ",", ":", "\n", "\r", "\0", "data:", "\n\n", "\u{E9}", "1", "\\\n",
        ]
        for _ in 0..<50 {
            var body = Array("data: \(RandomMessage(&generator).text)\r\n\r\n".utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let start = Int.random(in: 0...body.count, using: &generator)
                let end = min(body.count, start + Int.random(in: 0...3, using: &generator))
                body.replaceSubrange(start..<end, with: Array(generator.element(of: inserts).utf8))
            }
            for format in [ReplyScanner.Format.json, .eventStream] {
                let message = format == .json ? Array(body.dropFirst(6)) : body
                let single = ReplyScannerTests.verdict(message, format, cutAt: Array(message.indices))
                for _ in 0..<4 {
                    let cuts = Self.cuts(message.count, &generator)
                    let cut = ReplyScannerTests.verdict(message, format, cutAt: cuts)
                    // In one piece, what breaks off behind a brace counts as a result.
                    let isCutOff = format == .eventStream && !Self.isWhole(message) && cut == ReplyScannerTests.success
                    #expect(cut == single || isCutOff, "seed \(seed), cuts \(cuts): \(text(message).debugDescription)")
                }
                if format == .json { #expect(ReplyScannerTests.verdict(message, format) == single) }
                var scanner = ReplyScanner(format)
                scanner.scan(message.span, isLast: true)
            }
        }
    }

    @Test(
        "a member behind a mebibyte is found",
        arguments: ["x", "\\n", "\\\"", "\\\\", "{", "]", "\u{E9}", "\\u0022", "data: ", "isError"])
    func longStrings(_ filler: String) {
        let long = String(repeating: filler, count: (1 << 20) / filler.utf8.count)
        let body = Array(#"{"id":1,"result":{"content":[{"text":"\#(long)"}],"isError":true}}"#.utf8)
        #expect(ReplyScannerTests.verdict(body) == ReplyScannerTests.toolError)
        let pieces = Array(stride(from: 1, to: body.count, by: 4093))
        #expect(ReplyScannerTests.verdict(body, cutAt: pieces) == ReplyScannerTests.toolError)
        let stream = Array("data: ".utf8) + body + Array("\n\n".utf8)
        #expect(ReplyScannerTests.verdict(stream, .eventStream, cutAt: pieces) == ReplyScannerTests.toolError)
    }

    @Test("what never ends is no answer", arguments: ["[", "{\"a\":", "\"", "\\", " ", "{", "1", "\"result\":"])
    func endless(_ text: String) {
        let bytes = Array(#"{"result":{"x":"#.utf8) + Array(String(repeating: text, count: 1 << 18).utf8)
        let verdict = ReplyScannerTests.verdict(bytes)
        #expect(verdict == .none || verdict == .unknown)
        #expect(ReplyScannerTests.verdict(Array("data: ".utf8) + bytes, .eventStream) == .none)
    }

    @Test("nesting of any depth is stepped over")
    func deep() {
        let (open, close) = (String(repeating: "[", count: 1 << 20), String(repeating: "]", count: 1 << 20))
        let body = Array(#"{"result":{"x":\#(open)\#(close),"isError":true}}"#.utf8)
        #expect(ReplyScannerTests.verdict(body) == ReplyScannerTests.toolError)
    }
}

/// A JSON-RPC message with members in any order, and with names that count where they do not.
struct RandomMessage {
    let text: String

    init(_ generator: inout SeededGenerator) {
        var members = [#""jsonrpc":"2.0""#, #""id":\#(Self.scalar(&generator))"#]
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: members.append(#""error":{\#(Self.error(&generator))}"#)
        case 1: members += [#""method":"x""#, #""params":\#(Self.value(3, &generator))"#]
        default: members.append(#""result":{\#(Self.result(&generator))}"#)
        }
        if generator.oneIn(4) { members.append(#""x":\#(Self.value(3, &generator))"#) }
        if generator.oneIn(2) { members.shuffle(using: &generator) }
        text = "{" + Self.join(members, &generator) + "}"
    }

    private static func join(_ members: [String], _ generator: inout SeededGenerator) -> String {
        members.joined(separator: generator.oneIn(3) ? " , " : ",")
    }

    private static func result(_ generator: inout SeededGenerator) -> String {
        var members: [String] = []
        if generator.oneIn(2) { members.append(#""content":\#(value(4, &generator))"#) }
        if generator.oneIn(2) { members.append(#""structuredContent":\#(value(4, &generator))"#) }
        if generator.oneIn(2) {
            members.append(#""isError":\#(generator.oneIn(2))"#)
        } else if generator.oneIn(2) {
            let types = ["complete", "input_required", "task"]
            members.append(#""resultType":"\#(generator.element(of: types))""#)
        }
        members.shuffle(using: &generator)
        return join(members, &generator)
    }

    private static func error(_ generator: inout SeededGenerator) -> String {
        var members = [
            #""code":\#(Int32.random(in: -33000...10, using: &generator))"#, #""message":\#(string(&generator))"#,
        ]
        if generator.oneIn(2) { members.append(#""data":\#(value(3, &generator))"#) }
        members.shuffle(using: &generator)
        return join(members, &generator)
    }

    private static func string(_ generator: inout SeededGenerator) -> String {
        let parts = [
            "a", "isError", "\\\"", "\\\\", "\\n", "\\u0022", "é😀", "{", "]", ",", ":", "result", "the quick brown fox",
        ]
        let count = Int.random(in: 0...8, using: &generator)
        return "\"" + (0..<count).map { _ in generator.element(of: parts) }.joined() + "\""
    }

    private static func scalar(_ generator: inout SeededGenerator) -> String {
        generator.oneIn(2)
            ? string(&generator) : generator.element(of: ["0", "-1.5e3", "true", "false", "null", "12345"])
    }

    private static func value(_ depth: Int, _ generator: inout SeededGenerator) -> String {
        guard depth > 0, !generator.oneIn(3) else { return scalar(&generator) }
        let names = ["isError", "result", "error", "code", "resultType", "x", "text"]
        let count = Int.random(in: 0...3, using: &generator)
        if generator.oneIn(2) {
            return "[" + join((0..<count).map { _ in value(depth - 1, &generator) }, &generator) + "]"
        }
        let members = names.shuffled(using: &generator).prefix(count).map {
            "\"\($0)\":" + value(depth - 1, &generator)
        }
        return "{" + join(members, &generator) + "}"
    }
}
