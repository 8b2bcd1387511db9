import Foundation
import JSON
import TestSupport
import Testing

@Suite("JSON scanner")
struct JSONScannerTests {
    @Test("gives the tokens of a text, with commas and colons stepped over", arguments: validTexts)
    func valid(_ text: String, _ tokens: [String]) {
        let reading = Reading(Array(text.utf8))

        #expect(reading.ending == .whole)
        #expect(reading.tokens == tokens)
    }

    @Test("tells what is no JSON", arguments: malformedTexts)
    func malformed(_ text: String) {
        #expect(Reading(Array(text.utf8)).ending == .malformed)
    }

    @Test("says of every beginning of a text that more must follow", arguments: validTexts.map(\.text))
    func beginnings(_ text: String) {
        let bytes = Array(text.utf8)
        // A number, and white space behind a value, may end anywhere.
        let isWholeEarly = bytes.last.map { "0123456789 \n".utf8.contains($0) } ?? false
        for count in 0..<bytes.count {
            let ending = Reading(Array(bytes[..<count])).ending
            #expect(ending == .unfinished || isWholeEarly && ending == .whole, "cut at \(count) of \(text)")
        }
    }

    @Test("reads the same however the text is cut", arguments: validTexts.map(\.text) + malformedTexts)
    func cuts(_ text: String) {
        let bytes = Array(text.utf8)
        let whole = Reading(bytes)

        #expect(Reading(bytes, cutAt: Array(0...bytes.count)) == whole, "byte by byte")
        for cut in 0...bytes.count {
            #expect(Reading(bytes, cutAt: [cut]) == whole, "cut at \(cut)")
            #expect(Reading(bytes, cutAt: [cut, cut, min(cut + 3, bytes.count)]) == whole, "cut at \(cut) and behind")
        }
    }

    @Test("gives the parts of a cut token as they come")
    func parts() throws {
        var scanner = JSONScanner()
        var parts: [[JSONToken]] = []
        for piece in ["[\"ab", "", "c\\", "u00", "41\"", ",1", "2", "]"] {
            let bytes = Array(piece.utf8)
            var tokens: [JSONToken] = []
            scanner.beginPiece()
            while let token = try scanner.next(in: bytes.span) { tokens.append(token) }
            #expect(scanner.position == bytes.count)
            parts.append(tokens)
        }

        #expect(
            parts == [
                [JSONToken(.arrayStart, 0..<1), JSONToken(.string, 2..<4, isComplete: false)], [],
                [JSONToken(.string, 0..<2, isComplete: false)], [JSONToken(.string, 0..<3, isComplete: false)],
                [JSONToken(.string, 0..<2)], [JSONToken(.number, 1..<2, isComplete: false)],
                [JSONToken(.number, 0..<1, isComplete: false)],
                [JSONToken(.number, 0..<0), JSONToken(.arrayEnd, 0..<1)],
            ])
        #expect(scanner.isComplete)
    }

    /// A zero within so many levels: `shape` repeated says which are objects.
    private func nested(_ depth: Int, _ shape: [Bool]) -> [UInt8] {
        let isObject = (0..<depth).map { shape[$0 % shape.count] }
        let opening = isObject.map { $0 ? #"{"a":"# : "[" }.joined()
        let closing = isObject.reversed().map { $0 ? "}" : "]" }.joined()
        return Array((opening + "0" + closing).utf8)
    }

    @Test("goes as deep as it may and no deeper", arguments: [[false], [true], [false, true], [true, true, false]])
    func depth(_ shape: [Bool]) {
        for depth in [0, 1, 2, 63, 64, 65, 128, JSONScanner.maximumDepth] {
            #expect(Reading(nested(depth, shape)).ending == .whole, "\(depth) deep")
        }
        #expect(Reading(nested(JSONScanner.maximumDepth + 1, shape)).ending == .malformed)
        #expect(Reading(nested(100_000, shape)).ending == .malformed)
    }

    @Test("says how deep it is")
    func depths() throws {
        let bytes = Array(#"{"a":[0,{}],"b":1} "#.utf8)
        var scanner = JSONScanner()
        var depths = [scanner.depth]
        while try scanner.next(in: bytes.span) != nil { depths.append(scanner.depth) }
        #expect(depths == [0, 1, 1, 2, 2, 3, 2, 1, 1, 1, 0])
    }

    @Test("remembers of every level whether it is an object", arguments: 0..<8 as Range<UInt64>)
    func levels(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let isObject = (0..<JSONScanner.maximumDepth).map { _ in Bool.random(using: &generator) }
        let opening = Array(isObject.map { $0 ? #"{"a":"# : "[" }.joined().utf8) + Array("0".utf8)
        let closing = isObject.reversed().map { UInt8(ascii: $0 ? "}" : "]") }

        #expect(Reading(opening + closing).ending == .whole)
        for _ in 0..<20 {
            var wrong = closing
            let index = Int.random(in: wrong.indices, using: &generator)
            wrong[index] = wrong[index] == UInt8(ascii: "}") ? UInt8(ascii: "]") : UInt8(ascii: "}")
            #expect(Reading(opening + wrong).ending == .malformed)
        }
    }

    @Test("what has failed stays so")
    func failed() {
        var scanner = JSONScanner()
        let (bad, good) = (Array("[}".utf8), Array("[]".utf8))

        #expect(throws: JSONScanner.Malformed.self) { while try scanner.next(in: bad.span) != nil {} }
        scanner.beginPiece()
        #expect(throws: JSONScanner.Malformed.self) { _ = try scanner.next(in: good.span) }
        #expect(!scanner.isComplete)
    }

    @Test("bytes that are no UTF-8 are the caller's business")
    func encoding() {
        let bytes = Array("[\"".utf8) + [0xC3, 0x28, 0xFF, 0x80, 0xED, 0xA0, 0x80, 0x80, 0x80] + Array("\"]".utf8)
        #expect(Reading(bytes).ending == .whole)
        #expect(Reading([0xC3]).ending == .malformed)
    }

    // MARK: Random texts

    @Test("takes all JSON, and nothing that Foundation refuses", arguments: 0..<40 as Range<UInt64>)
    func mutations(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var endings: Set<Bool> = []
        for _ in 0..<50 {
            var text = Array(randomValue(depth: 0, using: &generator).utf8)
            let changes = Int.random(in: 0...2, using: &generator)
            for _ in 0..<changes where !text.isEmpty {
                let index = Int.random(in: text.indices, using: &generator)
                switch Int.random(in: 0...2, using: &generator) {
                case 0: text[index] = generator.element(of: Array("{}[]\",:\\ 07etnu-.x\n".utf8))
                case 1: text.remove(at: index)
                default: text.insert(generator.element(of: Array("{}[]\",:\\ 07et-.".utf8)), at: index)
                }
            }
            // Foundation refuses what is no UTF-8.
            guard String(validating: text, as: UTF8.self) != nil else { continue }
            let reading = Reading(text)
            // It takes more than JSON: a comma before a closing bracket.
            let object = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
            #expect(reading.ending == .whole ? object != nil : changes > 0, "\(String(decoding: text, as: UTF8.self))")
            endings.insert(reading.ending == .whole)

            let cuts = (0..<3).map { _ in Int.random(in: 0...text.count, using: &generator) }.sorted()
            #expect(Reading(text, cutAt: cuts) == reading)
        }
        #expect(endings.count == 2)
    }

    @Test("random bytes never trap, and end alike however they are cut", arguments: 0..<20 as Range<UInt64>)
    func randomBytes(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let count = Int.random(in: 0...40, using: &generator)
            let text =
                Bool.random(using: &generator)
                ? generator.bytes(count) : generator.bytes(count, from: #"{}[]",:\u0i d1e-.tf"#)
            #expect(Reading(text) == Reading(text, cutAt: Array(0...text.count)))
        }
    }

    /// Random JSON with traps in it: strings that look like structure.
    private func randomValue(depth: Int, using generator: inout SeededGenerator) -> String {
        let scalars = [
            "0", "-1.5e-7", "true", "false", "null", #""""#, #""id""#, #""\"id\":9""#, #""}{][,:""#, #""\\""#,
            #""é\u0041""#, #""a longer text, in words""#,
        ]
        let space = ["", "", " ", "\n", "\t ", "         "]
        func spaced(_ text: String) -> String {
            generator.element(of: space) + text + generator.element(of: space)
        }
        let count = Int.random(in: 0...3, using: &generator)
        switch depth > 4 ? 0 : Int.random(in: 0...3, using: &generator) {
        case 2:
            let elements = (0..<count).map { _ in spaced(randomValue(depth: depth + 1, using: &generator)) }
            return "[" + elements.joined(separator: ",") + "]"
        case 3:
            // Foundation is asked whether it is JSON, not which of two equal names counts.
            let members = (0..<count).map { index in
                spaced("\"\(index)\"") + ":" + spaced(randomValue(depth: depth + 1, using: &generator))
            }
            return "{" + members.joined(separator: ",") + "}"
        default: return generator.element(of: scalars)
        }
    }
}
