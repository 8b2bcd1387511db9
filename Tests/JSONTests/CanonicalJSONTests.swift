import Foundation
import JSON
import TestSupport
import Testing

@Suite("Canonical JSON (RFC 8785)")
struct CanonicalJSONTests {
    private func canonical(_ text: String) -> String? {
        var json = CanonicalJSON()
        guard json.append(Array(text.utf8).span) == .appended else { return nil }
        return String(decoding: json.text, as: UTF8.self)
    }

    @Test("the RFC's example of members, strings and numbers")
    func example() {
        let text = #"""
            {
              "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
              "literals": [null, true, false]
            }
            """#
        let expected =
            #"{"literals":[null,true,false],"numbers":[333333333.33333329,1e+30,4.5,0.002,1e-27],"#
            + #""string":"€$\u000f\nA'B\"\\\\\"/"}"#
        // A double holds 333333333.3333333 only: here it stands as written.
        #expect(canonical(text) == expected)
    }

    @Test("the RFC's example of the order of names")
    func order() {
        let text = #"""
            {"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
             "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}
            """#
        let names = ["\\r", "1", "\u{80}", "ö", "€", "\u{1F600}", "\u{FB33}"]
        let result = canonical(text) ?? ""
        let positions = names.map { result.range(of: "\"\($0)\":")?.lowerBound }
        #expect(!positions.contains(nil))
        #expect(positions.compactMap { $0 } == positions.compactMap { $0 }.sorted())
    }

    @Test(
        "numbers are spelled as ECMAScript does",
        arguments: [
            ("0", "0"), ("-0", "0"), ("-0.0", "0"), ("1", "1"), ("-1", "-1"), ("1.0", "1"), ("10", "10"),
            ("1e2", "100"),
            ("1E+2", "100"), ("0.5", "0.5"), ("0.1e1", "1"), ("1e21", "1e+21"), ("1e20", "100000000000000000000"),
            ("123456789012345", "123456789012345"), ("0.000001", "0.000001"), ("0.0000001", "1e-7"),
            ("1.5e-9", "1.5e-9"), ("9007199254740993", "9007199254740993"), ("9007199254740992", "9007199254740992"),
            ("12345678901234567890", "12345678901234567890"), ("1e400", "1e400"), ("5e-324", "5e-324"),
            ("0.30000000000000004", "0.30000000000000004"), ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ])
    func numbers(text: String, expected: String) {
        #expect(canonical(text) == expected)
    }

    @Test(
        "what is malformed or ambiguous is refused",
        arguments: [
            "", "{", #"{"a":1,"a":2}"#, #"{"b":1,"a":2,"b":3}"#, #"{"a":1,"\u0061":2}"#, #""\ud800""#, #""\udc00x""#,
            #""\ud800\u0041""#, "[1,]", "{\"a\":1}x", "nul",
            String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
        ])
    func refused(text: String) {
        #expect(canonical(text) == nil)
    }

    @Test("half a character is refused, too")
    func invalidUTF8() {
        var json = CanonicalJSON()
        #expect(json.append(([0x22, 0xC3, 0x22] as [UInt8]).span) == .refused)
    }

    @Test(
        "order of members, white space and escapes make no difference; anything else does",
        arguments: 1...200 as ClosedRange<UInt64>)
    func shuffled(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let value = RandomJSON.value(&random, depth: 3)
        let one = value.text(&random)
        let other = value.text(&random)
        let canonicalOne = try #require(canonical(one), "\(one)")
        #expect(canonicalOne == canonical(other), "\(one)\n\(other)")
        #expect(canonicalOne == canonical(canonicalOne))
        let changed = value.changed(&random).text(&random)
        #expect(canonicalOne != canonical(changed), "\(one)\n\(changed)")
    }
}

/// A JSON value that can be written in many ways.
private indirect enum RandomJSON {
    case number(Int), string(String), array([RandomJSON]), object([(String, RandomJSON)])

    static func value(_ random: inout SeededGenerator, depth: Int) -> RandomJSON {
        switch random.next() % (depth > 0 ? 4 : 2) {
        case 0: .number(Int(random.next() % 2_000) - 1_000)
        case 1: .string(text(&random))
        case 2: .array((0..<random.next() % 4).map { _ in value(&random, depth: depth - 1) })
        default:
            .object(
                (0..<random.next() % 4).map { index in ("\(index)\(text(&random))", value(&random, depth: depth - 1)) })
        }
    }

    private static func text(_ random: inout SeededGenerator) -> String {
        let letters: [String] = ["a", "B", "é", "€", "😀", "\"", "\\", "\n", "\u{1}", " "]
        return (0..<random.next() % 5).map { _ in letters[Int(random.next() % 10)] }.joined()
    }

    func text(_ random: inout SeededGenerator) -> String {
        let space = ["", " ", "\n\t"][Int(random.next() % 3)]
        switch self {
        case .number(let value): return random.next() % 2 == 0 ? "\(value)" : "\(value).0"
        case .string(let text): return Self.quoted(text, &random)
        case .array(let values): return "[" + values.map { $0.text(&random) + space }.joined(separator: ",") + "]"
        case .object(let members):
            var rest = members
            var parts: [String] = []
            while !rest.isEmpty {
                let (name, value) = rest.remove(at: Int(random.next() % UInt64(rest.count)))
                parts.append("\(space)\(Self.quoted(name, &random))\(space):\(value.text(&random))")
            }
            return "{" + parts.joined(separator: ",") + space + "}"
        }
    }

    private static func quoted(_ text: String, _ random: inout SeededGenerator) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            let mustEscape = scalar == "\"" || scalar == "\\" || scalar.value < 32
            guard mustEscape || random.next() % 3 == 0 else {
                result.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 { result += String(format: "\\u%04x", unit) }
        }
        return result + "\""
    }

    func changed(_ random: inout SeededGenerator) -> RandomJSON {
        switch self {
        case .number(let value): .number(value + 1)
        case .string(let text): .string(text + "x")
        case .array(let values): .array(values + [.number(1)])
        case .object(let members): .object(members + [("z", .number(1))])
        }
    }
}
