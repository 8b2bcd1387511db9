import Foundation
import JSON
import MCP
import TestSupport
import Testing

/// Our JSON scanner and our reading of messages beside Python's json.
@Suite("JSON beside Python's", .enabled(if: OtherParsers.areReady))
struct TextComparisonTests {
    private static let values = [
        "1", "-0", "0.5e-3", "1E400", "01", "1.", ".5", "+1", "NaN", "Infinity", "true", "nul", #""a""#, #""\u00e9""#,
        #""\ud83d\ude00""#,
        #""\ud800""#, #""\x""#, "\"a\tb\"", "\"\u{7F}\"", "\"é\"", "[]", "[1,]", "[1,2]", "{}", #"{"a":1}"#,
        #"{"a":1,}"#, #"{"a":1,"a":2}"#,
        "'a'", "/**/1", " 1 ", "\u{A0}1", #"{"name":"x","name":"y"}"#, #"{"name":"x"}"#, #""tools/call""#,
        #""tools\/call""#,
        #"{"name":"\u0061"}"#, #"{"n\u0061me":"b","Name":"c"}"#, String(repeating: "9", count: 200),
    ]
    private static let names = ["id", "method", "params", "jsonrpc", "m\\u0065thod", "Method", "x", "name", "params"]

    private static func inputs(seed: UInt64) -> [[UInt8]] {
        var random = SeededGenerator(seed: seed)
        return (0..<2_500).map { _ in
            let members = (0..<Int.random(in: 0...4, using: &random)).map { _ -> String in
                let name = random.element(of: names)
                let isSimple = !random.oneIn(5)
                let value =
                    name == "method" && isSimple
                    ? random.element(of: [#""tools/call""#, #""tools\/call""#])
                    : name == "params" && isSimple
                        ? random.element(of: [#"{"name":"add"}"#, #"{"name":"x","name":"y"}"#])
                        : random.element(of: values)
                return "\"\(name)\":\(value)"
            }
            var bytes = Array(
                (random.oneIn(6) ? random.element(of: values) : "{" + members.joined(separator: ",") + "}").utf8)
            if random.oneIn(5), !bytes.isEmpty {
                let place = Int.random(in: bytes.indices, using: &random)
                let byte = random.element(of: Array("{}[]\",:\\ 0e.-\u{0}\u{1}".utf8) + [0xC1, 0xFF, 0xED])
                if random.oneIn(2) { bytes[place] = byte } else { bytes.insert(byte, at: place) }
            }
            return bytes
        }
    }

    private static func digits(_ text: [UInt16]) -> String { text.map { String(format: "%04x", $0) }.joined() }

    /// What a JSON string says, by Foundation.
    private static func said(_ bytes: [UInt8], _ range: Range<Int>) -> String? {
        let quoted = Data([UInt8(ascii: "\"")] + bytes[range] + [UInt8(ascii: "\"")])
        let text = try? JSONSerialization.jsonObject(with: quoted, options: .fragmentsAllowed) as? String
        return text.map { digits(Array($0.utf16)) }
    }

    /// Where the two may differ, with the reason.
    private static let allowed: [(reason: String, fits: @Sendable ([UInt8]) -> Bool)] = [
        (
            "bytes that are no UTF-8 are StrictReading's business, not the scanner's",
            { String(validating: $0, as: UTF8.self) == nil }
        ),
        ("a byte order mark: Python's json refuses it in a text, as we do", { $0.starts(with: [0xEF, 0xBB, 0xBF]) }),
    ]

    @Test("both take the same texts, and read the same methods and names", arguments: 1...4 as ClosedRange<UInt64>)
    func compare(seed: UInt64) throws {
        let inputs = Self.inputs(seed: seed)
        let others = try OtherParsers.shared.get().texts(inputs)
        try #require(others.count == inputs.count)
        var (texts, messages, twice) = (0, 0, 0)
        for (bytes, other) in zip(inputs, others) {
            let shown = String(decoding: bytes, as: UTF8.self)
            var reader = JSONReader()
            let isJSON = reader.value(bytes.span) != nil && reader.isAtEnd(bytes.span)
            if isJSON { texts += 1 }
            #expect(isJSON == other.isJSON || Self.allowed.contains { $0.fits(bytes) }, "\(shown)")
            if other.twice == true { twice += 1 }
            guard case .message(let summary) = StrictReading(bytes.span) else { continue }
            messages += 1
            #expect(other.isJSON, "\(shown)")
            #expect(other.twice != true, "a name twice: \(shown)")
            guard summary.method != .response else { continue }
            #expect(Self.said(bytes, summary.methodText) == other.method, "\(shown)")
            if let name = summary.name { #expect(Self.said(bytes, name) == other.name, "\(shown)") }
        }
        #expect(
            texts > 500 && messages > 50 && twice > 50,
            "\(texts) texts, \(messages) messages, \(twice) with a name twice")
    }
}
