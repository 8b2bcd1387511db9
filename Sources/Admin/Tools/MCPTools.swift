import ASCII
import FoundationEssentials
import Proxy

/// The admin pages and changes as tools, at `POST /mcp` of the admin address: an MCP server without sessions, of the revisions
/// 2025-03-26 to 2026-07-28. Every request is answered by one JSON response. Who may use it may also change things: it takes the
/// token, or the Unix socket.
struct MCPTools: Sendable {
    private let pages: AdminPages
    private let changes: AdminChanges

    init(_ pages: AdminPages, _ changes: AdminChanges) {
        self.pages = pages
        self.changes = changes
    }

    typealias Respond = @Sendable (AdminResponse) -> Void

    func answer(_ request: AdminRequest, _ respond: @escaping Respond) {
        if let refusal = refusal(of: request) {
            respond(refusal)
            return
        }
        let message: MCPMessage
        switch MCPMessage.read(request) {
        case .failure(let fault):
            respond(fault.response)
            return
        case .success(nil):
            respond(AdminResponse(status: 202, body: ""))
            return
        case .success(let found?): message = found
        }
        switch message.method {
        case "initialize" where !message.isStateless: respond(message.result(initializeResult(message)))
        case "ping" where !message.isStateless: respond(message.result([:]))
        case "server/discover": respond(message.result(Self.discovery))
        case "tools/list": respond(message.result(Self.listing(isStateless: message.isStateless)))
        case "tools/call": call(message, by: "\(request.client)", respond)
        default: respond(message.fault(-32_601, "Method not found", status: message.isStateless ? 404 : 200))
        }
    }

    private func refusal(of request: AdminRequest) -> AdminResponse? {
        let access = pages.access
        guard access.admitsOrigin(of: request) else {
            return AdminResponse(status: 403, body: "no page of another origin may use these tools\n")
        }
        if let refusal = access.refusal(ofChange: request) { return refusal }
        let type = request.fields["content-type"]?.lowercased() ?? ""
        guard type.prefix(while: { $0 != ";" }).trimmed == "application/json" else {
            return AdminResponse(status: 415, body: "what is asked here is application/json\n")
        }
        return nil
    }

    // MARK: - Methods

    static let serverInfo: JSONValue = ["name": "berth-admin", "title": "Berth", "version": "0.1.0"]

    private static let instructions: JSONValue = """
        Tools to operate this load balancer of MCP servers. Look with list_servers and get_stats before you change something. \
        drain_server disturbs nobody; disable_server and forget_session may end sessions.
        """

    private func initializeResult(_ message: MCPMessage) -> JSONValue {
        let asked = message.params?["protocolVersion"]?.string ?? ""
        let version = MCPMessage.sessionRevisions.contains(asked) ? asked : MCPMessage.sessionRevisions[0]
        return [
            "protocolVersion": .string(version), "capabilities": ["tools": ["listChanged": false]],
            "serverInfo": Self.serverInfo, "instructions": Self.instructions,
        ]
    }

    private static let discovery: JSONValue = [
        "supportedVersions": .array(MCPMessage.revisions.map { .string($0) }), "capabilities": ["tools": [:]],
        "instructions": instructions, "ttlMs": 0, "cacheScope": "private",
    ]

    private static func listing(isStateless: Bool) -> JSONValue {
        var members: [String: JSONValue] = ["tools": .array(AdminTool.all.map(\.listing))]
        if isStateless {
            members["ttlMs"] = 0
            members["cacheScope"] = "private"
        }
        return .object(members)
    }

    // MARK: - Calls

    private func call(_ message: MCPMessage, by client: String, _ respond: @escaping Respond) {
        guard let name = message.params?["name"]?.string, let tool = AdminTool.all.first(where: { $0.name == name })
        else {
            respond(message.fault(-32_602, "Unknown tool", status: message.isStateless ? 400 : 200))
            return
        }
        let arguments = message.params?["arguments"]
        if let fault = tool.fault(in: arguments) {
            respond(message.result(Self.toolResult(fault, isError: true)))
            return
        }
        let pages = pages
        switch tool.work {
        case .page(let path): respond(message.result(Self.toolResult(pages.page(path))))
        case .sessions:
            pages.later {
                let query = SessionQuery { arguments?[$0]?.parameter }
                respond(message.result(Self.toolResult(pages.sessions(query))))
            }
        case .explain:
            let text = Array((arguments?["request"]?.string ?? "").utf8)
            pages.later {
                let page = pages.explanation(of: text, from: arguments?["client"]?.string)
                respond(message.result(Self.toolResult(page)))
            }
        case .change(let action): change(action, arguments, message, by: client, respond)
        }
    }

    private func change(
        _ action: String, _ arguments: JSONValue?, _ message: MCPMessage, by client: String,
        _ respond: @escaping Respond
    ) {
        do throws(RequestedChange.Fault) {
            let change = try RequestedChange(action) { name in
                arguments?[name]?.parameter ?? (name == "weight" ? "default" : nil)
            }
            guard let change else { return respond(message.fault(-32_603, "Internal error", status: 200)) }
            changes.perform(change, by: client, interface: "mcp") { report in
                let page = JSONPage.response(report, status: report.status)
                respond(message.result(Self.toolResult(page)))
            }
        } catch {
            respond(message.result(Self.toolResult(error.text, isError: true)))
        }
    }

    /// A page as the result of a tool; what is no 200 is an error of the tool.
    private static func toolResult(_ page: AdminResponse) -> JSONValue {
        let isError = page.status != 200
        guard let value = JSONValue(parsing: Array(page.body.utf8)), case .object = value else {
            return toolResult(page.body.trimmed, isError: isError)
        }
        return [
            "content": [["type": "text", "text": .string(value.text)]], "structuredContent": value,
            "isError": .bool(isError),
        ]
    }

    private static func toolResult(_ text: String, isError: Bool) -> JSONValue {
        ["content": [["type": "text", "text": .string(text)]], "isError": .bool(isError)]
    }
}
