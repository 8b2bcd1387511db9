import TestIssuer
import Testing

@testable import Tokens

@Suite("Tokens of an issuer")
struct TokenTableTests {
    static let now: Int64 = 1_800_000_000

    /// One token and what must come of it; nil: it is accepted.
    struct Row: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let token: String
        let refusal: TokenRefusal?

        init(_ name: String, _ token: String, _ refusal: TokenRefusal?) {
            testDescription = name
            self.token = token
            self.refusal = refusal
        }
    }

    static func claims(_ changes: [String: String?] = [:]) -> String { TestIssuer.claims(at: now, changes) }

    static func signed(_ changes: [String: String?] = [:]) -> String {
        TestIssuer.token(claims(changes), key: TestIssuer.p256, algorithm: "ES256", id: "p256")
    }

    static func headed(_ header: String) -> String {
        TestIssuer.token(claims(), key: TestIssuer.p256, algorithm: "ES256", header: header)
    }

    static let good = signed()

    /// The good token with one of its parts replaced.
    static func changed(header: String? = nil, payload: String? = nil, signature: String? = nil) -> String {
        let parts = good.split(separator: ".").map(String.init)
        return [header ?? parts[0], payload ?? parts[1], signature ?? parts[2]].joined(separator: ".")
    }

    static func text(_ json: String) -> String { TestIssuer.base64URL(Array(json.utf8)) }

    static let algorithms: [Row] = [
        ("RS256", TestIssuer.rsa, "rsa"), ("RS384", TestIssuer.rsa, "rsa"), ("RS512", TestIssuer.rsa, "rsa"),
        ("PS256", TestIssuer.rsa, "rsa"), ("PS384", TestIssuer.rsa, "rsa"), ("PS512", TestIssuer.rsa, "rsa"),
        ("ES256", TestIssuer.p256, "p256"), ("ES384", TestIssuer.p384, "p384"), ("ES512", TestIssuer.p521, "p521"),
        ("EdDSA", TestIssuer.ed25519, "ed"),
    ].map { Row($0.0, TestIssuer.token(claims(), key: $0.1, algorithm: $0.0, id: $0.2), nil) }

    static let keys: [Row] = [
        Row("no key id", TestIssuer.token(claims(), key: TestIssuer.ed25519, algorithm: "EdDSA", id: nil), nil),
        Row(
            "unknown key id", TestIssuer.token(claims(), key: TestIssuer.rsa, algorithm: "RS256", id: "x"), .unknownKey),
        Row(
            "another key under a known id",
            TestIssuer.token(claims(), key: TestIssuer.otherRSA, algorithm: "RS256", id: "rsa"), .badSignature),
        Row(
            "another key without an id",
            TestIssuer.token(claims(), key: TestIssuer.otherP256, algorithm: "ES256", id: nil), .unknownKey),
        Row(
            "the id of an RSA key with an algorithm of curves",
            TestIssuer.token(claims(), key: TestIssuer.p256, algorithm: "ES256", id: "rsa"), .keyMismatch),
        Row(
            "the id of a curve's key with RS256",
            TestIssuer.token(claims(), key: TestIssuer.rsa, algorithm: "RS256", id: "p256"), .keyMismatch),
        Row(
            "another curve than the key's",
            TestIssuer.token(claims(), key: TestIssuer.p384, algorithm: "ES384", id: "p256"), .keyMismatch),
        Row(
            "HS256 with the PEM of the public key",
            TestIssuer.confusedToken(claims(), secret: Array(TestIssuer.publicPEM.utf8), id: "rsa"),
            .unsupportedAlgorithm),
        Row(
            "HS256 with the document", TestIssuer.confusedToken(claims(), secret: TestIssuer.allKeys, id: "rsa"),
            .unsupportedAlgorithm),
        Row("none", headed(#"{"alg":"none","typ":"JWT"}"#), .unsupportedAlgorithm),
        Row("None", headed(#"{"alg":"None","kid":"p256"}"#), .unsupportedAlgorithm),
        Row("none without a signature", text(#"{"alg":"none"}"#) + "." + text(claims()) + ".", .malformed),
        Row("algorithm in small letters", headed(#"{"alg":"es256","kid":"p256"}"#), .unsupportedAlgorithm),
        Row("algorithm is no text", headed(#"{"alg":256,"kid":"p256"}"#), .malformed),
        Row("no algorithm", headed(#"{"kid":"p256"}"#), .malformed),
        Row("two algorithms", headed(#"{"alg":"ES256","alg":"none","kid":"p256"}"#), .malformed),
        Row("key id is no text", headed(#"{"alg":"ES256","kid":1}"#), .malformed),
        Row("critical extension", headed(#"{"alg":"ES256","kid":"p256","crit":["exp"]}"#), .criticalExtension),
        Row(
            "payload not encoded", headed(#"{"alg":"ES256","kid":"p256","b64":false,"crit":["b64"]}"#),
            .criticalExtension),
        Row("type JWT", headed(#"{"alg":"ES256","kid":"p256","typ":"JWT"}"#), nil),
        Row("no type", headed(#"{"alg":"ES256","kid":"p256"}"#), nil),
        Row("type of a logout", headed(#"{"alg":"ES256","kid":"p256","typ":"logout+jwt"}"#), .unexpectedType),
        Row(
            "a key that the token brings along",
            TestIssuer.token(
                claims(), key: TestIssuer.otherP256, algorithm: "ES256",
                header: #"{"alg":"ES256","kid":"own","jwk":{"kty":"EC"},"jku":"https://evil.example"}"#), .unknownKey),
    ]

    static let times: [Row] = [
        Row("expired", signed(["exp": "\(now - 31)"]), .expired),
        Row("expired within the leeway", signed(["exp": "\(now - 29)"]), nil),
        Row("expires at the end of the leeway", signed(["exp": "\(now - 30)"]), .expired),
        Row("expiry with a fraction", signed(["exp": "\(now + 10).5"]), nil),
        Row("expiry in words", signed(["exp": "\"\(now + 10)\""]), .malformed),
        Row("huge expiry", signed(["exp": "1e300"]), .malformed),
        Row("negative expiry", signed(["exp": "-1"]), .malformed),
        Row("no expiry", signed(["exp": nil]), .noExpiry),
        Row("not yet valid", signed(["nbf": "\(now + 31)"]), .notYetValid),
        Row("valid soon, within the leeway", signed(["nbf": "\(now + 30)"]), nil),
        Row("issued in the future", signed(["iat": "\(now + 31)"]), .issuedInFuture),
        Row("no time of issue", signed(["iat": nil]), nil),
    ]

    static let parties: [Row] = [
        Row("another audience", signed(["aud": "\"https://other.example.com\""]), .wrongAudience),
        Row("audience as a list", signed(["aud": "[\"a\",\"\(TestIssuer.audience)\"]"]), nil),
        Row("a list without it", signed(["aud": "[\"a\",\"b\"]"]), .wrongAudience),
        Row("audience with a slash more", signed(["aud": "\"\(TestIssuer.audience)/\""]), .wrongAudience),
        Row("no audience", signed(["aud": nil]), .wrongAudience),
        Row("audience with a number", signed(["aud": "[1]"]), .malformed),
        Row("another issuer", signed(["iss": "\"https://evil.example.com\""]), .wrongIssuer),
        Row("issuer with a slash more", signed(["iss": "\"\(TestIssuer.name)/\""]), .wrongIssuer),
        Row("no issuer", signed(["iss": nil]), .wrongIssuer),
        Row("issuer is a list", signed(["iss": "[\"\(TestIssuer.name)\"]"]), .malformed),
        Row("no subject", signed(["sub": nil]), .noSubject),
        Row("empty subject", signed(["sub": "\"\""]), .noSubject),
        Row("issuer twice", signed(["iss": "\"\(TestIssuer.name)\",\"iss\":\"x\""]), .malformed),
        Row("scopes as a list", signed(["scope": nil, "scp": "[\"weather\"]"]), nil),
        Row("scopes of Entra", signed(["scope": nil, "scp": "\"mail weather\""]), nil),
        Row("without the scope", signed(["scope": "\"weathers\""]), .insufficientScope),
        Row("without scopes", signed(["scope": nil]), .insufficientScope),
        Row("scope is a number", signed(["scope": "1"]), .malformed),
    ]

    static let forms: [Row] = [
        Row("nothing", "", .malformed),
        Row("a word", "secret", .malformed),
        Row("two parts", good.split(separator: ".").prefix(2).joined(separator: "."), .malformed),
        Row("four parts", good + ".x", .malformed),
        Row("padding", good + "=", .malformed),
        Row("a blank", good + " ", .malformed),
        Row("plain base64", changed(signature: "+/+/"), .malformed),
        Row("payload is no JSON", changed(payload: "AAAA"), .badSignature),
        Row("payload of another token", changed(payload: text(claims(["sub": "\"root\""]))), .badSignature),
        Row("header is a list", changed(header: text("[]")), .malformed),
        Row(
            "signature of zeros", changed(signature: TestIssuer.base64URL([UInt8](repeating: 0, count: 64))),
            .badSignature),
        Row("signature too short", changed(signature: "AAAA"), .badSignature),
        Row("too long", good + String(repeating: "A", count: 20_000), .tooLong),
        Row(
            "nested too deep",
            signed(["deep": String(repeating: "[", count: 5_000) + String(repeating: "]", count: 5_000)]), .malformed),
        Row(
            "payload in another encoding",
            TestIssuer.base64URL(Array(#"{"alg":"ES256","kid":"p256"}"#.utf8)) + "."
                + TestIssuer.base64URL([0xFF, 0xFE]) + ".AAAA",
            .badSignature),
    ]

    static let rows = algorithms + keys + times + parties + forms

    static let rules = TokenRules(
        issuer: TestIssuer.name, audiences: [TestIssuer.audience], leeway: 30, requiredScopes: ["weather"],
        keptClaims: ["sub", "tenant", "level", "groups"])

    @Test("each of the table is judged as it must be", arguments: rows)
    func table(row: Row) async throws {
        let keys = try await KeySet(document: TestIssuer.allKeys)
        let verdict = TokenVerification.verdict(
            on: Array(row.token.utf8), keys: keys, rules: Self.rules, at: Self.now)
        switch verdict {
        case .accepted(let token):
            #expect(row.refusal == nil, "accepted")
            #expect(token.subject == "alice" && token.scopes.contains("weather"))
        case .refused(let refusal): #expect(refusal == row.refusal, "\(refusal)")
        }
    }

    @Test("the table has its rows, and each reason is shown that a token can have")
    func size() {
        #expect(Self.rows.count >= 70)
        let shown = Set(Self.rows.compactMap(\.refusal)).union([.noKeys, .unknownAPIKey])
        #expect(shown == Set(TokenRefusal.allCases))
    }

    @Test("no token with a bit changed is accepted")
    func bits() async throws {
        let keys = try await KeySet(document: TestIssuer.allKeys)
        let token = Array(Self.good.utf8)
        var accepted = 0
        for index in token.indices {
            for bit in [0, 1, 3, 5] {
                var changed = token
                changed[index] ^= 1 << UInt8(bit)
                if case .accepted = TokenVerification.verdict(on: changed, keys: keys, rules: Self.rules, at: Self.now)
                {
                    accepted += 1
                }
            }
        }
        #expect(accepted == 0)
    }

    @Test("what an accepted token says")
    func content() async throws {
        let keys = try await KeySet(document: TestIssuer.allKeys)
        let text = Self.signed([
            "tenant": #""caf\u00e9 \ud83d\ude00""#, "level": "3", "groups": #"["a","b"]"#, "other": #""x""#,
        ])
        let verdict = TokenVerification.verdict(on: Array(text.utf8), keys: keys, rules: Self.rules, at: Self.now)
        guard case .accepted(let token) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(token.claims == ["sub": "alice", "tenant": "café 😀", "level": "3", "groups": "a,b"])
        #expect(token.expiry == Self.now + 330)
        #expect(token.scopes == ["weather", "mail:read"])
        let same = VerifiedToken(issuer: TestIssuer.name, subject: "alice", scopes: [])
        #expect(token.subjectDigest == same.subjectDigest)
        let moved = VerifiedToken(issuer: TestIssuer.name + "a", subject: "lice", scopes: [])
        #expect(token.subjectDigest != moved.subjectDigest)
    }
}
