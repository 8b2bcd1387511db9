import Kernel
import Simulation
import TestSupport

/// An MCP server of 2025-11-25 that speaks JSON-RPC as the SDKs do, with sessions in its memory, and remembers what it was
/// asked.
final class ToolServer {
    let server: ScriptedServer
    let name: String
    /// Ids of the sessions that it has.
    private(set) var sessions: Set<String> = []
    private var issued = 0
    /// Methods in the order in which they came, with the ids of their sessions.
    private(set) var log: [(method: String, session: String, body: String)] = []
    /// What it says to `initialize`.
    var capabilities = #"{"tools":{"listChanged":true},"logging":{}}"#
    var revision = "2025-11-25"
    /// Answers `initialize` with an event stream.
    var usesStream = false
    /// Answers no `initialize`.
    var holdsInitialize = false
    /// Answers `initialize` with this status.
    var refusal: String?
    /// What it puts on a GET stream.
    var events = "data: {}\n\n"
    /// Tags of tool calls that were done, each time.
    private(set) var executions: [String] = []
    private var lives = 0

    init(_ stage: ProxyStage, _ index: Int) {
        name = "replica-\(index)"
        server = ScriptedServer(stage, index) { _ in [] }
        server.handler = { [self] in answer($0) }
    }

    /// The process ends.
    func die() {
        server.die()
        sessions = []
    }

    /// The process starts again, without its sessions.
    func restart() {
        sessions = []
        lives += 1
        server.listen()
    }

    /// Takes a session that somebody else has opened.
    func adopt(_ session: String) { sessions.insert(session) }

    func methods(_ name: String) -> [String] { log.filter { $0.method == name }.map(\.session) }

    private static func method(of body: String) -> String {
        guard let range = body.firstRange(of: "\"method\":\"") else {
            return body.contains("\"result\"") ? "response" : ""
        }
        return String(body[range.upperBound...].prefix { $0 != "\"" })
    }

    private static func id(of body: String) -> String {
        guard let range = body.firstRange(of: "\"id\":") else { return "null" }
        return String(body[range.upperBound...].prefix { $0 != "," && $0 != "}" })
    }

    private func answer(_ message: Message) -> [SimulatedPeer.Action] {
        let session = message["mcp-session-id"]
        let method = message.method == "POST" ? Self.method(of: message.text) : message.method
        log.append((method, session ?? "", message.text))
        if method == "initialize", session == nil { return initialize(message) }
        guard let session, sessions.contains(session) else {
            let error = #"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Session not found"}}"#
            return .reply(error, status: "404 Not Found")
        }
        let echo = "Mcp-Session-Id: \(session)\r\n"
        switch method {
        case "DELETE":
            sessions.remove(session)
            return .reply("", extra: echo)
        case "GET": return .stream(events, extra: echo)
        case "response": return .reply("", status: "202 Accepted", extra: echo)
        case _ where method.hasPrefix("notifications/"): return .reply("", status: "202 Accepted", extra: echo)
        default:
            if method == "tools/call", let start = message.text.firstRange(of: "\"tag\":\"")?.upperBound {
                executions.append(String(message.text[start...].prefix { $0 != "\"" }))
            }
            let text =
                #"{"jsonrpc":"2.0","id":\#(Self.id(of: message.text)),"result":{"by":"\#(name)","in":"\#(session)"}}"#
            return .reply(text, extra: echo)
        }
    }

    private func initialize(_ message: Message) -> [SimulatedPeer.Action] {
        if holdsInitialize { return [] }
        if let refusal { return .reply(#"{"error":"no"}"#, status: refusal) }
        issued += 1
        let session = "\(name)-\(lives)-\(issued)"
        sessions.insert(session)
        let result =
            #"{"protocolVersion":"\#(revision)","capabilities":\#(capabilities),"serverInfo":{"name":"\#(name)"}}"#
        let text = #"{"jsonrpc":"2.0","id":\#(Self.id(of: message.text)),"result":\#(result)}"#
        let echo = "Mcp-Session-Id: \(session)\r\n"
        guard usesStream else { return .reply(text, extra: echo) }
        return .stream("event: message\ndata: \(text)\n\n", extra: echo) + [.lastChunk]
    }
}

extension String {
    static let initialize =
        #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#
    static let initialized = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#

    static func delete(_ session: String) -> String {
        "DELETE /mcp HTTP/1.1\r\nHost: mcp.test\r\nMcp-Session-Id: \(session)\r\n\r\n"
    }
}
