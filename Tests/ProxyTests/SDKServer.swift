import Kernel
import Simulation

/// An MCP server as the SDKs make them, which counts the sessions that it holds. As older ones do, it opens a session with
/// every request that has none, even one that it refuses, and keeps it.
final class SDKServer {
    enum Revisions {
        /// Up to 2025-11-25.
        case sessions
        /// Up to 2025-11-25, without sessions.
        case sessionless
        /// 2026-07-28 only.
        case modern
        /// All of them.
        case both
    }

    let server: ScriptedServer
    let index: Int
    var revisions: Revisions
    private(set) var sessions: Set<String> = []
    /// Sessions that were ever opened.
    private(set) var issued = 0
    var tools = ["add", "echo"]
    /// Answers are events of a stream that does not end.
    var usesEventStreams = false
    /// Every request is answered with this status.
    var failure: Int?
    /// Does not answer at all.
    var hangs = false
    private(set) var methods: [String] = []

    init(_ stage: ProxyStage, _ index: Int, _ revisions: Revisions) {
        self.index = index
        self.revisions = revisions
        server = ScriptedServer(stage, index) { _ in [] }
        server.handler = { [self] in answer($0) }
    }

    /// Starts again, perhaps as another version: all sessions are lost.
    func restart(as revisions: Revisions? = nil) {
        sessions = []
        if let revisions { self.revisions = revisions }
    }

    private func answer(_ message: Message) -> [SimulatedPeer.Action] {
        let method = Self.method(of: message)
        methods.append(method)
        if hangs { return [] }
        if let failure { return .reply("no", status: "\(failure) No") }
        let isModern = message["mcp-protocol-version"] == "2026-07-28"
        if isModern, revisions == .modern || revisions == .both { return result(method) }
        if revisions == .modern {
            return .reply(
                #"{"jsonrpc":"2.0","id":null,"error":{"code":-32022,"message":"x","data":{"supported":["2026-07-28"]}}}"#,
                status: "400 Bad Request")
        }
        if revisions == .sessionless {
            if isModern { return .reply("bad version", status: "400 Bad Request") }
            return method == "notifications/initialized" ? .reply("", status: "202 Accepted") : result(method)
        }
        guard let session = message["mcp-session-id"] else { return withoutSession(method, isModern: isModern) }
        guard sessions.contains(session) else { return .reply("Session not found", status: "404 Not Found") }
        if message.method == "DELETE" {
            sessions.remove(session)
            return .reply("")
        }
        if isModern { return .reply("bad version", status: "400 Bad Request") }
        return method == "notifications/initialized"
            ? .reply("", status: "202 Accepted") : result(method, session: session)
    }

    private func withoutSession(_ method: String, isModern: Bool) -> [SimulatedPeer.Action] {
        issued += 1
        let id = "s\(index)x\(issued)"
        sessions.insert(id)
        let field = "Mcp-Session-Id: \(id)\r\n"
        guard method == "initialize", !isModern else {
            return .reply(
                #"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Missing session ID"}}"#,
                status: "400 Bad Request", extra: field)
        }
        return result(method, session: id)
    }

    private func result(_ method: String, session: String? = nil) -> [SimulatedPeer.Action] {
        let result =
            switch method {
            case "server/discover":
                #"{"supportedVersions":["2026-07-28"\#(revisions == .both ? #","2025-11-25""# : "")]}"#
            case "initialize": #"{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"r\#(index)"}}"#
            case "tools/list": #"{"tools":[\#(tools.map { #"{"name":"\#($0)"}"# }.joined(separator: ","))]}"#
            default: #"{"server":"r\#(index)"}"#
            }
        let text = #"{"jsonrpc":"2.0","id":"any","result":\#(result)}"#
        let field = session.map { "Mcp-Session-Id: \($0)\r\n" } ?? ""
        guard usesEventStreams else { return .reply(text, extra: field) }
        let notification = #"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#
        return .stream("data: \(notification)\r\n\r\n", "event: message\r\ndata: \(text)\r\n\r\n", extra: field)
    }

    static func method(of message: Message) -> String {
        guard let range = message.text.firstRange(of: "\"method\":\"") else { return message.method }
        return String(message.text[range.upperBound...].prefix { $0 != "\"" })
    }
}
