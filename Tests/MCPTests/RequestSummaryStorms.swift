import MCP
import TestSupport
import Testing

/// Requests without anything unusual are read in a way of their own; both ways must say the same.
@Suite("Request summary: random bodies")
struct RequestSummaryStorms {
    /// What a summary says, as texts.
    private static func texts(_ body: [UInt8]) -> [String]? {
        guard let summary = RequestSummary(of: body.span) else { return nil }
        let places = [
            summary.name, summary.uri, summary.taskID, summary.traceparent, summary.protocolVersion, summary.params,
            summary.subject, summary.tool,
        ]
        return [
            "\(summary.method)", "\(summary.hasID)", "\(summary.hasAmbiguousVersion)", text(body[summary.methodText]),
        ]
            + places.map { $0.map { text(body[$0]) } ?? "-" }
    }

    /// The same message with a member in front whose name has an escape, so that it needs a second look.
    private static func unusual(_ body: [UInt8]) -> [UInt8]? {
        guard let brace = body.firstIndex(where: { $0 > 0x20 }), body[brace] == UInt8(ascii: "{") else { return nil }
        let isEmpty = body[(brace + 1)...].first { $0 > 0x20 } == UInt8(ascii: "}")
        return body[...brace] + Array((#""\u0078x":0"# + (isEmpty ? "" : ",")).utf8) + body[(brace + 1)...]
    }

    private static let values = [
        "1", "0", "12", "123", "1234", "-1.5e3", "01", "true", "null", #""""#, #""add""#, #""tools/call""#,
        #""a text of more than sixteen bytes""#, #""with \"quotes\" and \\""#, #""bad \x""#, "{}", "[]",
        "[1,{\"name\":\"x\"}]",
        #"{"name":"x","id":[{}]}"#, #""2026-07-28""#, #""00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01""#, "",
    ]
    private static let names = [
        "id", "method", "params", "name", "uri", "taskId", "_meta", "traceparent", "arguments", "jsonrpc", "x",
        "io.modelcontextprotocol/protocolVersion", "progressToken", "eight...", "a name of more than sixteen", "result",
    ]

    private static func object(_ names: [String], _ depth: Int, _ generator: inout SeededGenerator) -> String {
        let space = generator.oneIn(6) ? " " : ""
        let members = names.map { name in
            let isInner = depth > 0 && (name == "params" || name == "_meta") && !generator.oneIn(8)
            let value =
                isInner
                ? object(pick(&generator), depth - 1, &generator)
                : name == "method" && !generator.oneIn(8) ? #""tools/call""# : generator.element(of: values)
            return "\"\(name)\"\(space):\(space)\(value)"
        }
        return "{" + members.joined(separator: space + "," + space) + "}"
    }

    private static func pick(_ generator: inout SeededGenerator) -> [String] {
        (0..<Int.random(in: 0...5, using: &generator)).map { _ in generator.element(of: names) }
    }

    @Test("both ways say the same", arguments: 0..<40 as Range<UInt64>)
    func ways(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var read = 0
        for _ in 0..<300 {
            var members =
                ["jsonrpc", "id", "method", "params"] + Self.pick(&generator).prefix(generator.oneIn(2) ? 0 : 2)
            if generator.oneIn(2) { members.shuffle(using: &generator) }
            var body = Array(Self.object(members, 2, &generator).utf8)
            if generator.oneIn(6) { body.remove(at: Int.random(in: body.indices, using: &generator)) }
            guard let other = Self.unusual(body) else { continue }
            let (first, second) = (Self.texts(body), Self.texts(other))
            #expect(first == second, "seed \(seed): \(text(body))")
            if first != nil { read += 1 }
        }
        #expect(read > 30)
    }
}
