import ASCII
import Testing

@Suite("Ends of strings")
struct StringScanTests {
    /// Byte by byte.
    private static func end(_ bytes: [UInt8]) -> Int {
        var isEscaped = false
        for (index, byte) in bytes.enumerated() {
            if byte < 0x20 || (byte == UInt8(ascii: "\"") && !isEscaped) { return index }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        return bytes.count
    }

    /// Numbers that look random, the same each time.
    private static func numbers(_ seed: UInt64) -> () -> Int {
        var state = seed
        return {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33)
        }
    }

    @Test("are found as byte by byte, whatever is escaped", arguments: 0..<8 as Range<UInt64>)
    func ends(seed: UInt64) {
        let next = Self.numbers(seed)
        let alphabets = [
            #"a"\"#, #"aaaaaaaaaaaaaaaaaaaaaaaaaaa\""#, #"\\\\\\\\""#, "abcdefgh\u{E9}\u{7F}!#[]{}\\\"\n", "a",
        ]
        for _ in 0..<4_000 {
            let alphabet = Array(alphabets[next() % alphabets.count].utf8)
            let bytes = (0..<(next() % 220)).map { _ in alphabet[next() % alphabet.count] }
            #expect(bytes.span.stringEnd(from: 0) == Self.end(bytes))
            let special = bytes.firstIndex { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
            #expect(bytes.span.stringSpecial(from: 0) == special ?? bytes.count)
        }
    }

    @Test("one byte in a block is seen at every place")
    func blocks() {
        for place in 0..<200 {
            for byte in [0, 0x1F, UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "E"), UInt8(ascii: "q")] {
                var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 200)
                bytes[place] = byte
                #expect(bytes.span.stringEnd(from: 0) == (byte == 0x5C || byte > 0x40 ? 200 : place))
                #expect(bytes.span.stringSpecial(from: 0) == (byte < 0x40 || byte == 0x5C ? place : 200))
                let isInBlock = 64..<128 ~= place && byte != 0x22 && byte != 0x5C
                #expect(bytes.span.hasControl(or: 0x45, or: 0x71, inBlockAt: 64) == isInBlock)
            }
        }
    }
}
