import ASCII
import Testing

@Suite("ASCII")
struct ASCIITests {
    @Test("every byte is classified as Swift's own characters are")
    func bytes() {
        for byte in UInt8.min...UInt8.max {
            let character = Character(UnicodeScalar(byte))
            let isASCII = byte < 0x80
            #expect(byte.isDigit == (isASCII && character.isWholeNumber))
            #expect(byte.hexadecimalValue.map(Int.init) == (isASCII ? character.hexDigitValue : nil))
            #expect(byte.lowercased == (isASCII ? character.lowercased().utf8.first : byte))
            #expect(byte.uppercased == (isASCII ? character.uppercased().utf8.first : byte))
        }
        for value in 0..<16 as Range<UInt8> {
            #expect(String(UnicodeScalar(UInt8(hexadecimalDigit: value))) == String(value, radix: 16))
        }
    }

    @Test("compares bytes with a text, whole and in its place")
    func comparing() {
        let bytes = Array("Mcp-Session".utf8)
        let other = Array("mcp-sESSION".utf8)
        let span = bytes.span
        let equal = [
            span.equals("Mcp-Session"), span.equals("Mcp-Sessio"), span.equals("Mcp-Sessions"), span.equals(""),
        ]
        let has = [
            span.has("Mcp", at: 0), span.has("Session", at: 4), span.has("Sessions", at: 4), span.has("", at: 11),
            span.has("M", at: -1), span.has("M", at: 12), span.has("M", at: .max), span.has("mcp", at: 0),
        ]
        let folded = [
            span.hasIgnoringCase("session", at: 4), span.hasIgnoringCase("mcp_", at: 0),
            span.hasIgnoringCase("session", at: 5), span.equalsIgnoringCase(other.span), span.equals(other.span),
            span.equals(span), span.equalsIgnoringCase(other.span.extracting(0..<10)),
        ]
        #expect(equal == [true, false, false, false])
        #expect(has == [true, true, false, true, false, false, false, false])
        #expect(folded == [true, false, false, true, false, true, false])
    }

    @Test("letters are folded, and nothing that differs by the same bit")
    func folding() {
        let (left, right) = (Array("[@`{\u{7F}".utf8), Array("{`@[_".utf8))
        let isEqual = left.span.equalsIgnoringCase(right.span)
        #expect(!isEqual)
    }

    @Test(
        "a number is 1 to 19 digits and nothing else",
        arguments: [
            ("0", 0 as UInt64?), ("007", 7), ("9999999999999999999", 9_999_999_999_999_999_999), ("", nil), ("-1", nil),
            ("+1", nil), (" 1", nil), ("1 ", nil), ("1a", nil), ("10000000000000000000", nil), ("١", nil),
        ])
    func decimals(_ text: String, _ number: UInt64?) {
        let bytes = Array(text.utf8)
        #expect(bytes.span.decimal == number)
    }

    @Test("visible text has no other byte anywhere", arguments: 0...20)
    func visible(count: Int) {
        var bytes = [UInt8](repeating: 0x41, count: count)
        let isVisible = bytes.span.isVisible
        #expect(isVisible)
        for place in 0..<count {
            for byte in UInt8.min...UInt8.max {
                bytes[place] = byte
                let isVisible = bytes.span.isVisible
                #expect(isVisible == (0x21...0x7E).contains(byte), "\(byte) at \(place) of \(count)")
            }
            bytes[place] = 0x7E
        }
    }
}
