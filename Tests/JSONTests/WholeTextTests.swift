import JSON
import TestSupport
import Testing

/// What reads a whole text at once says the same as the scanner, which reads token by token.
@Suite("Whole texts")
struct WholeTextTests {
    /// What the reader makes of one value: where it ends and what is wrong.
    private func value(_ text: [UInt8]) -> (end: Int?, isAtEnd: Bool, isMalformed: Bool) {
        var reader = JSONReader()
        let end = reader.value(text.span)?.upperBound
        let isAtEnd = reader.isAtEnd(text.span)
        return (end, isAtEnd, reader.failure == .malformed)
    }

    private func expectSame(_ text: [UInt8]) {
        let reading = Reading(text)
        let read = value(text)
        let comment = Comment(rawValue: String(decoding: text, as: UTF8.self).debugDescription)
        #expect(read.isAtEnd == (reading.ending == .whole), comment)
        #expect(read.isMalformed == (reading.ending == .malformed), comment)
        var cursor = JSONCursor()
        if cursor.skipValue(text.span) {
            #expect(read.end == cursor.position || text.first.map(isSpace) == true, comment)
        }
    }

    private func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x0A, 0x0D, 0x09].contains(byte) }

    @Test("texts that are JSON, and texts that are not")
    func tables() {
        for text in validTexts.map(\.text) + malformedTexts {
            for padding in ["", " ", "\n\t  ", String(repeating: " ", count: 40)] {
                expectSame(Array((padding + text + padding).utf8))
                expectSame(Array("[\(padding)\(text)\(padding),{\"a\(padding)\":\(padding)\(text)}]".utf8))
            }
        }
    }

    @Test("every beginning of a text")
    func beginnings() {
        for text in validTexts.map(\.text) {
            let whole = Array("{\"name\":\(text),\"other\":[\(text)]}".utf8)
            for count in 0...whole.count { expectSame(Array(whole[..<count])) }
        }
    }

    @Test("mutilated texts", arguments: 0..<40 as Range<UInt64>)
    func mutations(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let inserts = [
            "\"", "\\", "{", "}", "[", "]", ",", ":", " ", "\n", "\0", "1", "e", "-", ".", "true", "\\u12", "\u{E9}",
        ]
        for _ in 0..<100 {
            let (first, second) = (generator.element(of: validTexts).text, generator.element(of: validTexts).text)
            var text = Array("{\"a\":\(first),\"more than eight\":[{\"b\":\(second)},0]}".utf8)
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                let start = Int.random(in: 0...text.count, using: &generator)
                let end = min(text.count, start + Int.random(in: 0...3, using: &generator))
                text.replaceSubrange(start..<end, with: Array(generator.element(of: inserts).utf8))
            }
            expectSame(text)
        }
    }

    @Test(
        "nesting up to the limit of the scanner, and beyond it",
        arguments: [1, 62, 63, 64, 65, 66, 447, 448, 449, 511, 512, 513])
    func nesting(depth: Int) {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let text = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
            expectSame(Array(text.utf8))
            #expect(value(Array(text.utf8)).isAtEnd == (depth <= JSONScanner.maximumDepth))
        }
    }

    @Test("the cursor walks through members, and stops at what is unusual")
    func cursor() {
        let text = Array(#" { "a" : 1 ,"eight...":{"b":[]}, "nine.....":"x" } "#.utf8)
        var cursor = JSONCursor()
        let isObject = cursor.enter(text.span)
        #expect(isObject)
        var names: [String] = []
        while true {
            let name = cursor.nextName(text.span)
            guard name.count >= 0 else {
                #expect(name.count == -1)
                break
            }
            names.append(String(decoding: text[name.start..<(name.start + name.count)], as: UTF8.self))
            guard cursor.skipValue(text.span) else { break }
        }
        let isAtEnd = cursor.isAtEnd(text.span)
        #expect(names == ["a", "eight...", "nine....."])
        #expect(isAtEnd)
    }

    @Test("a name is a number of up to eight bytes, also at the end of the text")
    func words() {
        for name in ["", "i", "id", "eight...", "nine....."] {
            let text = Array("{\"x\":1,\"\(name)\":2}".utf8)
            var cursor = JSONCursor()
            guard cursor.enter(text.span), cursor.nextName(text.span).count == 1, cursor.skipValue(text.span) else {
                Issue.record("the first member is not read")
                continue
            }
            var expected: UInt64 = 0
            for (index, byte) in name.utf8.prefix(8).enumerated() { expected |= UInt64(byte) << UInt64(index * 8) }
            let read = cursor.nextName(text.span)
            #expect(read.count == name.utf8.count && read.word == expected)
        }
    }
}
