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
    ]

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
