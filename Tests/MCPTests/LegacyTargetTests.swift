import MCP
import TestSupport
import Testing

@Suite("Legacy target")
struct LegacyTargetTests {
    static let name = "\(LegacyTarget.signatureParameterName)"

    static func appended(_ target: [UInt8], _ value: String) -> [UInt8] {
        target + [LegacyTarget.signatureSeparator(for: target.span)] + Array("\(name)=\(value)".utf8)
    }

    static func withoutSignature(_ target: [UInt8]) -> (rest: [UInt8], value: String)? {
        guard let found = LegacyTarget.signatureParameter(in: target.span) else { return nil }
        return (
            Array(target[..<found.removal.lowerBound] + target[found.removal.upperBound...]), text(target[found.value])
        )
    }

    @Test(
        "the first session parameter with a value counts",
        arguments: [
            ("/m?session_id=a1", "a1"), ("/m?sessionId=a1&x=2", "a1"), ("/m?x&sessionid=A1#f", "A1"),
            ("/m?session_id=&sessionId=b", "b"), ("/m?sessionId=a&sessionId=b", "a"), ("/m?sessionId=a=b", "a=b"),
            ("/m?sessionId=a?b", "a?b"), ("/m?sessionId", nil), ("/m?sessionID=a", nil), ("/m", nil), ("", nil),
            ("/m?", nil), ("/m?#sessionId=a", nil), ("/sessionId=a", nil),
        ] as [(String, String?)])
    func sessionParameter(_ target: String, _ expected: String?) {
        let bytes = Array(target.utf8)
        let found = LegacyTarget.sessionParameter(in: bytes.span).map { text(bytes[$0]) }
        #expect(found == expected)
    }

    @Test(
        "the signature parameter is removed wherever a client has moved it",
        arguments: [
            ("/m?N=v", "/m"), ("/m?a=1&N=v", "/m?a=1"), ("/m?N=v&a=1", "/m?a=1"), ("/m?a=1&N=v&b=2", "/m?a=1&b=2"),
            ("/m?a=1&N=v#f", "/m?a=1#f"), ("/m?&N=v", "/m?"), ("/m?a&&N=v", "/m?a&"), ("/m?N=v&", "/m?"),
        ])
    func cutting(_ target: String, _ expected: String) throws {
        let bytes = Array(target.replacing("N", with: Self.name).utf8)
        let found = try #require(Self.withoutSignature(bytes))
        #expect(found.value == "v")
        #expect(text(found.rest) == expected)
    }

    @Test(
        "similar parameters are not recognised",
        arguments: ["/m?xN=v", "/m?Nx=v", "/m?a=N=v", "/m?N", "/N=v", "/m#?N=v", "/m?a#&N=v"])
    func lookalikes(_ target: String) {
        let bytes = Array(target.replacing("N", with: Self.name).utf8)
        #expect(Self.withoutSignature(bytes) == nil)
    }

    @Test("of two Berths in a row, each removes its own parameter")
    func nesting() throws {
        let original = Array("/m?sessionId=a".utf8)
        let twice = Self.appended(Self.appended(original, "inner"), "outer")
        let outer = try #require(Self.withoutSignature(twice))
        let inner = try #require(Self.withoutSignature(outer.rest))
        #expect(outer.value == "outer")
        #expect(inner.value == "inner")
        #expect(inner.rest == original)
    }

    @Test("removing an appended parameter restores the same bytes", arguments: 0..<50 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let target =
                [UInt8(ascii: "/")] + generator.bytes(.random(in: 0...30, using: &generator), from: "ab/?&=._%;")
            let found = try #require(Self.withoutSignature(Self.appended(target, "b1.x")))
            #expect(found.rest == target)
            #expect(found.value == "b1.x")
        }
    }
}
