import TestIssuer
import Testing

@testable import Tokens

@Suite("What callers may do")
struct PolicyTests {
    private static let policy = ToolPolicy([
        ToolPolicy.Rule(scope: "weather", allowed: ["get-*", "list"]),
        ToolPolicy.Rule(scope: "admin", allowed: ["*"], denied: ["drop-*", "get-secret"]),
    ])

    @Test(
        "tools by scopes",
        arguments: [
            ("get-forecast", ["weather"], true), ("get-", ["weather"], true), ("list", ["weather"], true),
            ("lists", ["weather"], false), ("set-alarm", ["weather"], false), ("set-alarm", ["admin"], true),
            ("drop-table", ["admin"], false), ("drop-table", ["weather", "admin"], false),
            ("get-secret", ["admin"], false), ("get-secret", ["weather", "admin"], true), ("list", [], false),
            ("list", ["Weather"], false), ("GET-forecast", ["weather"], false),
        ])
    func tools(tool: String, scopes: [String], isAllowed: Bool) {
        #expect(Self.policy.allows(tool, to: Set(scopes)) == isAllowed)
    }

    @Test("which scopes would do, and no policy at all")
    func scopes() {
        #expect(Self.policy.scopes(allowing: "get-forecast") == ["weather", "admin"])
        #expect(Self.policy.scopes(allowing: "drop-table") == [])
        #expect(ToolPolicy([]).allows("anything", to: []))
    }

    @Test("static keys")
    func keys() throws {
        let text = """
            # callers
            ci \(TestIssuer.hash("k-1")) weather mail:read

            robot\t\(TestIssuer.hash("k-2").uppercased())\r
            """
        let keys = try APIKeys(file: Array(text.utf8), issuer: "keys")
        #expect(keys.count == 2)
        #expect(keys.caller(with: Array("k-1".utf8))?.subject == "ci")
        #expect(keys.caller(with: Array("k-1".utf8))?.scopes == ["weather", "mail:read"])
        #expect(keys.caller(with: Array("k-2".utf8))?.subject == "robot")
        #expect(keys.caller(with: Array("k-3".utf8)) == nil && keys.caller(with: []) == nil)
    }

    @Test("files of keys that cannot be used")
    func brokenKeys() {
        let hash = TestIssuer.hash("k")
        #expect(throws: APIKeys.Failure.line(2)) { try APIKeys(file: Array("a \(hash)\nb\n".utf8), issuer: "") }
        #expect(throws: APIKeys.Failure.line(1)) { try APIKeys(file: Array("a k-1\n".utf8), issuer: "") }
        #expect(throws: APIKeys.Failure.duplicate(2)) {
            try APIKeys(file: Array("a \(hash)\nb \(hash)".utf8), issuer: "")
        }
        #expect(throws: APIKeys.Failure.notText) { try APIKeys(file: [0xFF], issuer: "") }
    }
}
