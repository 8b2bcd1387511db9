import Kernel
import Testing

@testable import Admin
@testable import Proxy

/// What is posted to `/mcp`, before it is answered.
@Suite("MCP on the admin address")
struct MCPMessageTests {
    private func read(_ body: String, _ fields: [String: String] = [:]) -> Result<MCPMessage?, MCPMessage.Fault> {
        MCPMessage.read(
            AdminRequest(
                isPost: true, path: "/mcp", fields: fields, body: Array(body.utf8), client: .user(0)))
    }

    private func fault(_ body: String, _ fields: [String: String] = [:]) -> (status: UInt16, code: JSONValue?) {
        guard case .failure(let fault) = read(body, fields) else { return (0, nil) }
        let answer = JSONValue(parsing: Array(fault.response.body.utf8))
        return (fault.response.status, answer?["error"]?["code"])
    }

    private static let meta = """
        "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}
        """

    @Test("a request of a revision with initialize is read, and its id comes back as it was")
    func sessionRevision() throws {
        for id in ["1", "\"a\"", "-7"] {
            let message = try #require(
                try read("{\"jsonrpc\":\"2.0\",\"id\":\(id),\"method\":\"ping\"}").get())
            #expect(!message.isStateless)
            #expect(message.result([:]).body == "{\"id\":\(id),\"jsonrpc\":\"2.0\",\"result\":{}}")
        }
    }

    @Test("notifications and responses are not answered")
    func silent() throws {
        #expect(try read("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}").get() == nil)
        #expect(try read("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}").get() == nil)
    }

    @Test("what is no request is refused with the code for it")
    func malformed() {
        #expect(fault("{") == (400, -32_700))
        #expect(fault("[]") == (400, -32_600))
        #expect(fault("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]") == (400, -32_600))
        #expect(fault("{\"id\":1,\"method\":\"ping\"}") == (400, -32_600))
        #expect(fault("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}") == (400, -32_600))
        #expect(fault("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}") == (400, -32_600))
    }

    @Test("a stateless request says in its head what its body says")
    func stateless() throws {
        let call =
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"reload\",\(Self.meta)}}"
        let fields = ["mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "reload"]
        let message = try #require(try read(call, fields).get())
        #expect(message.isStateless)
        #expect(message.result([:]).body.contains("\"resultType\":\"complete\""))
        for name in ["mcp-method", "mcp-name"] {
            var other = fields
            other[name] = nil
            #expect(fault(call, other) == (400, -32_020))
            other[name] = "drain_server"
            #expect(fault(call, other) == (400, -32_020))
        }
        let bare = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{}}"
        #expect(fault(bare, ["mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list"]) == (400, -32_602))
    }

    @Test("a revision that is not spoken is named with those that are")
    func revisions() {
        let text = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}"
        #expect(fault(text, ["mcp-protocol-version": "2099-01-01"]) == (400, -32_022))
        #expect(fault(text, ["mcp-protocol-version": "2024-11-05"]) == (400, -32_022))
    }

    @Test("deep nesting and long texts are no trap")
    func hostile() {
        let deep = String(repeating: "[", count: 30_000) + String(repeating: "]", count: 30_000)
        #expect(fault(deep).status == 400)
        #expect(fault("{\"jsonrpc\":\"2.0\",\"id\":1e400,\"method\":\"ping\"}").status == 400)
    }

    @Test("each tool has a schema for its arguments, and says whether it changes anything")
    func tools() {
        #expect(Set(AdminTool.all.map(\.name)).count == AdminTool.all.count)
        for tool in AdminTool.all {
            let listing = tool.listing
            #expect(listing["inputSchema"]?["type"] == "object")
            for name in tool.required { #expect(listing["inputSchema"]?["properties"]?[name] != nil, "\(tool.name)") }
            if case .change(let action) = tool.work {
                #expect(listing["annotations"]?["readOnlyHint"] == false)
                #expect(throws: Never.self) {
                    let change = try RequestedChange(action) { name in Self.sample(name) }
                    #expect(change != nil, "\(tool.name)")
                }
            } else {
                #expect(listing["annotations"]?["readOnlyHint"] == true)
            }
        }
    }

    private static func sample(_ name: String) -> String {
        switch name {
        case "for": "30s"
        case "weight": "3"
        case "level": "debug"
        case "digest", "session": "0123456789abcdef"
        default: "mcp/a:1"
        }
    }

    @Test("arguments that a tool has not, lacks, or takes in another type are said")
    func arguments() throws {
        let tool = try #require(AdminTool.all.first { $0.name == "set_weight" })
        #expect(tool.fault(in: ["server": "mcp/a:1", "weight": 3]) == nil)
        #expect(tool.fault(in: ["server": "mcp/a:1"]) == nil)
        #expect(tool.fault(in: nil) == "set_weight needs server")
        #expect(tool.fault(in: ["weight": 3]) == "set_weight needs server")
        #expect(tool.fault(in: ["server": "mcp/a:1", "weight": "3"])?.contains("integer") == true)
        #expect(tool.fault(in: ["server": "mcp/a:1", "wait": true])?.contains("no argument wait") == true)
        #expect(tool.fault(in: "x") == "arguments is no object")
    }
}
