import Kernel
import Simulation
import TestIssuer
import Testing
import Tokens

@testable import Proxy

@Suite("Tools that tokens allow")
struct ToolPolicyTests {
    private static let rules =
        #"tools = [{ scope = "weather", allow = ["get-*"] }, { scope = "admin", allow = ["*"], deny = ["drop-*"] }]"#

    private static func call(_ name: String) -> String {
        #"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"\#(name)","arguments":{}}}"#
    }

    static let table: [(body: String, scope: String, status: Int)] = [
        (call("get-forecast"), "weather", 200), (call("set-alarm"), "weather", 403), (call("set-alarm"), "admin", 200),
        (call("drop-table"), "admin", 403), (call("get-forecast"), "mail", 403), (call("get-forecast"), "", 403),
        (call(#"\u0067et-forecast"#), "weather", 200), (call(#"\u0073et-alarm"#), "weather", 403),
        (#"{"jsonrpc":"2.0","id":7,"method":"prompts/list"}"#, "weather", 200),
        (#"{"jsonrpc":"2.0","id":7,"method":"tools\/call","params":{"name":"set-alarm"}}"#, "weather", 403),
        (#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get-a","name":"set-b"}}"#, "weather", 400),
        (#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get-a","Name":"set-b"}}"#, "weather", 400),
        (#"{"jsonrpc":"2.0","id":7,"method":"ping","Method":"tools/call","params":{"name":"set-b"}}"#, "weather", 400),
        (#"{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/call","params":{"name":"set-b"}}"#, "weather", 400),
        (#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":["get-a"]}}"#, "weather", 400),
        (#"{"jsonrpc":"2.0","id":7,"method":"tools/call"}"#, "weather", 400),
        (#"[{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get-a"}}]"#, "weather", 400),
        (#"{"jsonrpc":"2.0","id":7,"#, "weather", 400), ("", "weather", 400), ("x", "weather", 400),
        (#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"set-b"}}"#, "weather", 403),
        // Go takes U+017F for an s, and readers in C end texts at a NUL.
        (#"{"id":7,"method":"tools/call","params":{"name":"get-a"},"paramſ":{"name":"set-b"}}"#, "weather", 400),
        (#"{"id":7,"method":"tools/call","param\u017f":{"name":"set-b"},"params":{"name":"get-a"}}"#, "weather", 400),
        (#"{"id":7,"method":"ping","method\u0000":"tools/call","params":{"name":"set-b"}}"#, "weather", 400),
        (#"{"id":7,"method":"tools/call","params":{"name":"get-a","name\u0000":"set-b"}}"#, "weather", 400),
        (#"{"jsonrpc":"2.0","id":7,"method":"tools/call\u0000","params":{"name":"set-b"}}"#, "weather", 400),
        (call(#"drop-table\u0000"#), "admin", 400), (call(#"get-a\ud800"#), "weather", 400),
    ]

    @Test("a body is read whatever the method is", arguments: ["PUT", "PATCH", "DELETE", "GET", "OPTIONS"])
    func methods(method: String) async throws {
        let berth = try TokenStage(1, Self.rules, keys: await KeySet(document: TestIssuer.allKeys))
        let token = berth.token(["scope": "\"weather\""])
        let body = Self.call("set-b")
        let answer = berth.answer(
            "\(method) /mcp HTTP/1.1\r\nHost: mcp.test\r\nAuthorization: Bearer \(token)\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        #expect(answer.status == 403 || answer.status == 413)
        #expect(berth.server.server.requests.isEmpty)
    }

    @Test("each call by its tool and the scopes", arguments: table)
    func calls(body: String, scope: String, status: Int) async throws {
        let berth = try TokenStage(1, Self.rules, keys: await KeySet(document: TestIssuer.allKeys))
        let token = berth.token(["scope": "\"\(scope)\""])
        let session = berth.open(token).session
        let before = berth.server.server.requests.count
        let answer = berth.call(token, body, session: session)
        #expect(answer.status == status, "\(body)")
        #expect(berth.server.server.requests.count == before + (status == 200 ? 1 : 0))
        guard status == 403 else { return }
        #expect(answer["www-authenticate"]?.contains("error=\"insufficient_scope\"") == true)
        #expect(answer["www-authenticate"]?.contains("/.well-known/oauth-protected-resource/mcp") == true)
        if body.contains("\"id\":7") { #expect(answer.text.contains("\"id\":7")) }
    }

    @Test("the scopes that would do are named")
    func scopes() async throws {
        let berth = try TokenStage(1, Self.rules, keys: await KeySet(document: TestIssuer.allKeys))
        let answer = berth.call(berth.token(["scope": "\"mail\""]), Self.call("get-a"))
        #expect(answer["www-authenticate"]?.contains("scope=\"weather admin\"") == true)
    }
}
