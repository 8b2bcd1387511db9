import MCP
import TestSupport
import Testing

@Suite("Signed session id")
struct SignedSessionIDTests {
    static let plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
    static let visible = String(decoding: (0x21...0x7E).map { UInt8($0) }, as: UTF8.self)

    /// Stands for the caller's HMAC: a function of all bytes is enough here.
    static func authenticate(_ signed: SignedSessionID, _ content: [UInt8]) -> (UInt64, UInt64) {
        let header = signed.authenticatedHeader()
        var one: UInt64 = 0xCBF2_9CE4_8422_2325
        var two: UInt64 = 0x9E37_79B9_7F4A_7C15
        for byte in (0..<header.count).map({ header.bytes[$0] }) + content {
            one = (one ^ UInt64(byte)) &* 0x100_0000_01B3
            two = (two &+ UInt64(byte) &+ 1) &* 0xD6E8_FEB8_6659_FD93
            two ^= two >> 29
        }
        return (one, two)
    }

    static func makeSigned(_ id: [UInt8], affinityKey: UInt64?, using generator: inout SeededGenerator) -> (
        SignedSessionID, [UInt8]
    ) {
        var signed = SignedSessionID(
            signing: id.span, keyID: .random(in: .min ... .max, using: &generator), serverTag: generator.next(),
            issuedAt: .random(in: .min ... .max, using: &generator), affinityKey: affinityKey)
        signed.tag = authenticate(signed, id)
        return (signed, written(signed, id))
    }

    static func written(_ signed: SignedSessionID, _ id: [UInt8]) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: signed.textLength(idLength: id.count))
        var space = output.mutableSpan
        let count = signed.write(id: id.span, into: &space)
        #expect(count == output.count)
        return output
    }

    /// The server's id in a text; nil if the parser refuses the text or the tag differs.
    static func opened(_ text: [UInt8]) -> (signed: SignedSessionID, id: [UInt8])? {
        guard let (signed, range) = SignedSessionID.parse(text.span) else { return nil }
        var id = Array(text[range])
        if !signed.carriesIDVerbatim {
            var decoded = [UInt8](repeating: 0, count: SessionIdentifier.maximumLength)
            var space = decoded.mutableSpan
            guard let count = SignedSessionID.decodeID(id.span, into: &space) else { return nil }
            id = Array(decoded[..<count])
        }
        return signed.hasTag(authenticate(signed, id)) ? (signed, id) : nil
    }

    static func isParsed(_ text: [UInt8]) -> Bool { SignedSessionID.parse(text.span) != nil }

    static func parameter(_ text: [UInt8]) -> SignedSessionID? { SignedSessionID.parseParameter(text.span) }

    @Test("a parsed id has the same id and the same values that were signed", arguments: 0..<40 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for alphabet in [Self.plain, Self.visible] {
            let id = generator.bytes(.random(in: 1...512, using: &generator), from: alphabet)
            let affinityKey = Bool.random(using: &generator) ? generator.next() : nil

            let (signed, text) = Self.makeSigned(id, affinityKey: affinityKey, using: &generator)
            let found = try #require(Self.opened(text))

            #expect(found.id == id)
            #expect(found.signed.keyID == signed.keyID)
            #expect(found.signed.serverTag == signed.serverTag)
            #expect(found.signed.issuedAt == signed.issuedAt)
            #expect(found.signed.affinityKey == affinityKey)
            #expect(found.signed.tag == signed.tag)
            #expect(found.signed.purpose == .session)
            #expect(text.count <= SignedSessionID.maximumTextLength)
            #expect(text.allSatisfy(Array(Self.plain.utf8).contains))
        }
    }

    @Test(
        "the ids of all SDKs are carried verbatim and grow by at most 55 characters",
        arguments: [
            "82d3e3a9db724c70abb7da28667da2e9", "3b241101-e2bb-4255-8caf-4136c566a962", "LDHKJYXN7ELQX5JJGB5QCS5T4A",
            "3q2-7wAAAAAAAAAAAAAAA_", "mcp-session-3b241101-e2bb-4255-8caf-4136c566a962", "a", ".", "..",
        ])
    func growth(id: String) {
        var generator = SeededGenerator(seed: 1)
        let bytes = Array(id.utf8)
        for (affinityKey, growth) in [(nil, 44), (7, 55)] as [(UInt64?, Int)] {
            let (signed, text) = Self.makeSigned(bytes, affinityKey: affinityKey, using: &generator)
            #expect(signed.carriesIDVerbatim)
            #expect(text.count == bytes.count + growth)
            #expect(text.hasSuffix(bytes))
        }
    }

    @Test(
        "an id with other characters is encoded, and the text has only the allowed characters",
        arguments: ["a+b", "a/b=", "~", "a:b@c"])
    func encodedIDs(id: String) throws {
        var generator = SeededGenerator(seed: 2)
        let (signed, text) = Self.makeSigned(Array(id.utf8), affinityKey: nil, using: &generator)
        #expect(!signed.carriesIDVerbatim)
        #expect(text.allSatisfy(Array(Self.plain.utf8).contains))
        #expect(try #require(Self.opened(text)).id == Array(id.utf8))
    }

    @Test("an encoded id has one text: unused bits that are set are refused", arguments: ["+", "++", "+++", "++++"])
    func canonicalIDs(id: String) {
        var generator = SeededGenerator(seed: 6)
        var (_, text) = Self.makeSigned(Array(id.utf8), affinityKey: nil, using: &generator)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        let accepted = alphabet.filter { character in
            text[text.count - 1] = character
            return Self.isParsed(text)
        }
        #expect(accepted.count == [64, 4, 16][id.utf8.count % 3])
    }

    @Test("the prefix followed by a plain id equals the text of write", arguments: [nil, 9] as [UInt64?])
    func prefix(affinityKey: UInt64?) {
        var generator = SeededGenerator(seed: 3)
        let id = Array("f9dcaabd".utf8)
        let (signed, text) = Self.makeSigned(id, affinityKey: affinityKey, using: &generator)
        let prefix = signed.encodedPrefix()
        #expect((0..<prefix.count).map { prefix.bytes[$0] } + id == text)
    }

    @Test("the text of a given id never changes, because clients have stored such ids")
    func goldenText() throws {
        let id = Array("82d3e3a9db724c70abb7da28667da2e9".utf8)
        var signed = SignedSessionID(
            signing: id.span, keyID: 3, serverTag: 0x0123_4567_89AB_CDEF, issuedAt: 0x6921_9000,
            affinityKey: 0xFEDC_BA98_7654_3210)
        signed.tag = (0x1122_3344_5566_7788, 0x99AA_BBCC_DDEE_FF00)
        let header = signed.authenticatedHeader()
        #expect(
            (0..<header.count).map { header.bytes[$0] } == [
                0x11, 3, 0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0x69, 0x21, 0x90, 0x00, 0xFE, 0xDC, 0xBA, 0x98,
                0x76, 0x54, 0x32, 0x10,
            ])
        #expect(
            text(Self.written(signed, id))
                == "b1.EQMBI0VniavN72khkAD-3LqYdlQyEBEiM0RVZneImaq7zN3u_wA.82d3e3a9db724c70abb7da28667da2e9")
    }

    @Test("write does not change a buffer that is one byte too short")
    func shortBuffer() {
        var generator = SeededGenerator(seed: 4)
        let id = Array("f9dcaabd".utf8)
        let (signed, text) = Self.makeSigned(id, affinityKey: nil, using: &generator)
        var output = [UInt8](repeating: 0xEE, count: text.count - 1)
        var space = output.mutableSpan
        let count = signed.write(id: id.span, into: &space)
        #expect(count == nil)
        #expect(output.allSatisfy { $0 == 0xEE })
    }

    @Test("a flipped bit in the text is always detected", arguments: 0..<12 as Range<UInt64>)
    func bitFlips(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let id = generator.bytes(
            .random(in: 1...40, using: &generator), from: seed % 2 == 0 ? Self.plain : Self.visible)
        let (_, text) = Self.makeSigned(id, affinityKey: seed % 3 == 0 ? nil : generator.next(), using: &generator)
        #expect(Self.opened(text) != nil)
        for index in text.indices {
            for bit in 0..<8 {
                var altered = text
                altered[index] ^= 1 << UInt8(bit)
                #expect(Self.opened(altered) == nil, "bit \(bit) of byte \(index)")
            }
        }
    }

    @Test("truncated, extended and recombined texts are refused", arguments: 0..<10 as Range<UInt64>)
    func splices(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let (_, one) = Self.makeSigned(Array("aaaaaaaa".utf8), affinityKey: generator.next(), using: &generator)
        let (_, other) = Self.makeSigned(Array("bbbbbbbb".utf8), affinityKey: nil, using: &generator)
        for count in 0..<one.count { #expect(Self.opened(Array(one[..<count])) == nil) }
        for extra in Self.plain.utf8 { #expect(Self.opened(one + [extra]) == nil) }
        #expect(Self.opened(Array(one.dropLast(8)) + Array("bbbbbbbb".utf8)) == nil)
        #expect(Self.opened(Array(other.dropLast(8)) + Array("aaaaaaaa".utf8)) == nil)
    }

    @Test(
        "malformed texts are not parsed",
        arguments: [
            "", "b", "b1", "b1.", "b1..", "b1..x", "82d3e3a9db724c70abb7da28667da2e9",
            "B1." + String(repeating: "A", count: 40) + ".x", "b1." + String(repeating: "A", count: 40) + ".x",
            "b1." + String(repeating: "A", count: 51) + ".x", "b2.EA" + String(repeating: "A", count: 38) + ".x",
            "b1.EA" + String(repeating: "A", count: 38) + ".", "b1.EA" + String(repeating: "A", count: 38),
            "b1.EA" + String(repeating: "A", count: 38) + ".x y", "b1.EA" + String(repeating: "A", count: 38) + ".é",
            "b1.AA" + String(repeating: "A", count: 38) + ".x", "b1.IA" + String(repeating: "A", count: 38) + ".x",
            "b1.EQ" + String(repeating: "A", count: 38) + ".x", "b1.EA" + String(repeating: "A", count: 49) + ".x",
            "b1.EQ" + String(repeating: "A", count: 48) + "B.x",
        ])
    func garbage(_ garbage: String) {
        let bytes = Array(garbage.utf8)
        #expect(!Self.isParsed(bytes))
    }

    @Test("a text longer than any head is refused")
    func bound() {
        let prefix = "b1.EA" + String(repeating: "A", count: 38) + "."
        let longest = Array((prefix + String(repeating: "x", count: 87_500 - prefix.utf8.count)).utf8)
        let tooLong = longest + [UInt8(ascii: "x")]
        #expect(Self.isParsed(longest))
        #expect(!Self.isParsed(tooLong))
    }

    @Test("random texts never trap", arguments: 0..<20 as Range<UInt64>)
    func randomTexts(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var parsed = 0
        for _ in 0..<300 {
            let fixed = Bool.random(using: &generator) ? 38 : 49
            var bytes = Array("b1.E".utf8) + generator.bytes(1, from: "AQgw")
            bytes += generator.bytes(fixed, from: Self.plain) + Array(".".utf8)
            bytes += generator.bytes(.random(in: 0...20, using: &generator), from: Self.plain + "+")
            if SignedSessionID.parse(bytes.span) != nil { parsed += 1 }
            #expect(Self.opened(bytes) == nil)
        }
        #expect(parsed > 0)
    }

    @Test(
        "a decoded id must be a valid session id that may not stand as it is",
        arguments: ["plain", "a b", "a\nb", "a\u{7F}", "\u{E9}", ""])
    func decodedIDs(id: String) {
        let encoded = Base64.encode(Array(id.utf8))
        var output = [UInt8](repeating: 0, count: 512)
        var space = output.mutableSpan
        let count = SignedSessionID.decodeID(encoded.span, into: &space)
        #expect(count == nil)
    }

    /// Another base64url encoder, for texts that `write` never makes.
    enum Base64 {
        static func encode(_ bytes: [UInt8]) -> [UInt8] {
            let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
            let bits = bytes.flatMap { byte in (0..<8).map { byte >> UInt8(7 - $0) & 1 } }
            return stride(from: 0, to: bits.count, by: 6).map { start in
                alphabet[(0..<6).reduce(0) { $0 * 2 + (start + $1 < bits.count ? Int(bits[start + $1]) : 0) }]
            }
        }
    }
}

@Suite("Signed legacy endpoint")
struct LegacySignatureTests {
    static func makeSigned(_ content: [UInt8], affinityKey: UInt64?) -> (SignedSessionID, [UInt8]) {
        var signed = SignedSessionID(
            legacyEndpointWithKeyID: 2, serverTag: 77, issuedAt: 1_763_000_000, affinityKey: affinityKey)
        signed.tag = SignedSessionIDTests.authenticate(signed, content)
        return (signed, SignedSessionIDTests.written(signed, []))
    }

    static let content = Array("/messages/?session_id=f9dcaabd492342a7a22693b6301f0cd0".utf8)

    static func isAccepted(_ text: [UInt8], for content: [UInt8]) -> Bool {
        guard let signed = SignedSessionID.parseParameter(text.span) else { return false }
        return signed.hasTag(SignedSessionIDTests.authenticate(signed, content))
    }

    @Test("the signature is valid for its path and query only", arguments: [nil, 5] as [UInt64?])
    func roundTrip(affinityKey: UInt64?) throws {
        let (signed, text) = Self.makeSigned(Self.content, affinityKey: affinityKey)
        let found = try #require(SignedSessionIDTests.parameter(text))
        #expect(found.serverTag == 77 && found.keyID == 2 && found.affinityKey == affinityKey)
        #expect(found.purpose == .legacyEndpoint && found.tag == signed.tag)
        #expect(Self.isAccepted(text, for: Self.content))
        #expect(!Self.isAccepted(text, for: Self.content + [UInt8(ascii: "0")]))
    }

    @Test("a flipped bit is always detected", arguments: [nil, 5] as [UInt64?])
    func bitFlips(affinityKey: UInt64?) {
        let (_, text) = Self.makeSigned(Self.content, affinityKey: affinityKey)
        for index in text.indices {
            for bit in 0..<8 {
                var altered = text
                altered[index] ^= 1 << UInt8(bit)
                #expect(!Self.isAccepted(altered, for: Self.content), "bit \(bit) of byte \(index)")
            }
        }
    }

    @Test("a signed endpoint is not accepted as a signed session id, nor the reverse")
    func purposes() {
        let (_, parameter) = Self.makeSigned(Self.content, affinityKey: nil)
        let session = parameter + Array(".x".utf8)
        #expect(!SignedSessionIDTests.isParsed(session))

        var generator = SeededGenerator(seed: 1)
        let (_, text) = SignedSessionIDTests.makeSigned(Array("x".utf8), affinityKey: nil, using: &generator)
        let cut = Array(text.dropLast(2))
        #expect(cut.count == parameter.count)
        #expect(SignedSessionIDTests.parameter(cut) == nil)
    }
}

extension Array where Element == UInt8 {
    func hasSuffix(_ suffix: [UInt8]) -> Bool { self.suffix(suffix.count).elementsEqual(suffix) }
}

@Suite("Session identifier")
struct SessionIdentifierTests {
    @Test(
        "is visible ASCII and no longer than a head",
        arguments: [
            ("a", true), ("!~", true), ("", false), (" ", false), ("a b", false), ("a\t", false), ("\u{7F}", false),
            ("é", false), (String(repeating: "x", count: 65_536), true),
            (String(repeating: "x", count: 65_537), false),
        ])
    func validity(_ id: String, _ expected: Bool) {
        let bytes = Array(id.utf8)
        let isValid = SessionIdentifier.isValid(bytes.span)
        #expect(isValid == expected)
    }
}
