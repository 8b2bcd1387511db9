import TestIssuer
import Testing

@testable import Tokens

@Suite("Keys of an issuer")
struct KeySetTests {
    private static let now = TokenTableTests.now

    private static func verdict(_ key: TestIssuer.Key, _ algorithm: String, _ id: String?, _ keys: KeySet)
        -> TokenRefusal?
    {
        let token = TestIssuer.token(TestIssuer.claims(at: now), key: key, algorithm: algorithm, id: id)
        let verdict = TokenVerification.verdict(
            on: Array(token.utf8), keys: keys, rules: TokenTableTests.rules, at: now)
        return if case .refused(let refusal) = verdict { refusal } else { nil }
    }

    @Test("keys come and go")
    func rotation() async throws {
        let before = try await KeySet(document: TestIssuer.document([("one", TestIssuer.rsa, [:])]))
        let both = try await KeySet(
            document: TestIssuer.document([("one", TestIssuer.rsa, [:]), ("two", TestIssuer.otherRSA, [:])]))
        let after = try await KeySet(document: TestIssuer.document([("two", TestIssuer.otherRSA, [:])]))
        #expect(Self.verdict(TestIssuer.rsa, "RS256", "one", before) == nil)
        #expect(Self.verdict(TestIssuer.otherRSA, "RS256", "two", before) == .unknownKey)
        #expect(Self.verdict(TestIssuer.rsa, "RS256", "one", both) == nil)
        #expect(Self.verdict(TestIssuer.otherRSA, "RS256", "two", both) == nil)
        #expect(Self.verdict(TestIssuer.rsa, "RS256", "one", after) == .unknownKey)
        #expect(Self.verdict(TestIssuer.otherRSA, "RS256", "two", after) == nil)
        #expect(Self.verdict(TestIssuer.rsa, "RS256", "one", KeySet()) == .noKeys)
    }

    @Test("a key with an algorithm is good for no other")
    func algorithm() async throws {
        let keys = try await KeySet(document: TestIssuer.document([("k", TestIssuer.rsa, ["alg": "\"RS256\""])]))
        #expect(Self.verdict(TestIssuer.rsa, "RS256", "k", keys) == nil)
        #expect(Self.verdict(TestIssuer.rsa, "PS256", "k", keys) == .keyMismatch)
    }

    @Test("two keys under one id, of different kinds")
    func sameID() async throws {
        let keys = try await KeySet(
            document: TestIssuer.document([("k", TestIssuer.rsa, [:]), ("k", TestIssuer.p256, [:])]))
        #expect(Self.verdict(TestIssuer.rsa, "RS256", "k", keys) == nil)
        #expect(Self.verdict(TestIssuer.p256, "ES256", "k", keys) == nil)
    }

    @Test("what verifies nothing is left out, and does not spoil the rest")
    func skipped() async throws {
        let keys = try await KeySet(
            document: TestIssuer.document([
                ("enc", TestIssuer.otherRSA, ["use": "\"enc\""]),
                ("oaep", TestIssuer.otherRSA, ["alg": "\"RSA-OAEP\""]),
                ("wrap", TestIssuer.otherRSA, ["key_ops": "[\"wrapKey\"]"]),
                ("short", TestIssuer.rsa, ["n": "\"AQAB\""]),
                ("secret", TestIssuer.rsa, ["kty": "\"oct\"", "k": "\"AAAA\""]),
                ("agree", TestIssuer.ed25519, ["crv": "\"X25519\""]),
                ("point", TestIssuer.p256, ["x": "\"AAAA\""]),
                ("good", TestIssuer.p256, ["key_ops": "[\"verify\"]"]),
            ]))
        #expect(keys.count == 1 && keys.skipped == 7)
        #expect(Self.verdict(TestIssuer.p256, "ES256", "good", keys) == nil)
        #expect(Self.verdict(TestIssuer.otherRSA, "RS256", "enc", keys) == .unknownKey)
    }

    @Test(
        "what is no set of keys",
        arguments: [
            ("", KeySet.Failure.malformed), ("[]", .malformed), ("{}", .malformed), (#"{"keys":{}}"#, .malformed),
            (#"{"keys":[1]}"#, .malformed), (#"{"keys":[],"keys":[]}"#, .malformed), (#"{"keys":[]}"#, .noUsableKey),
            (#"{"keys":[{}]}"#, .noUsableKey), ("<html>", .malformed), (#"{"keys":[]} x"#, .malformed),
        ])
    func broken(text: String, failure: KeySet.Failure) async {
        await #expect(throws: failure) { try await KeySet(document: Array(text.utf8)) }
    }
}
