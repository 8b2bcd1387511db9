import Kernel
import Simulation

/// An MCP server of the 2025 revisions: issues ids, echoes them, answers 404 to unknown ones, pushes on GET streams.
final class SessionServer {
    let server: ScriptedServer
    let name: String
    private(set) var sessions: Set<String> = []
    private var issued = 0
    private(set) var calls = 0
    /// Calls are not answered.
    var holds = false
    /// The first part of the ids it issues.
    var prefix: String

    init(_ stage: ProxyStage, _ index: Int, prefix: String? = nil) {
        name = "replica-\(index)"
        self.prefix = prefix ?? "sid\(index)x"
        server = ScriptedServer(stage, index) { _ in [] }
        server.handler = { [self] in answer($0) }
    }

    /// Loses all sessions, as a process does that starts again.
    func restart() {
        server.listen()
        sessions = []
        prefix += "r"
    }

    private func answer(_ message: Message) -> [SimulatedPeer.Action] {
        if message["mcp-protocol-version"] == "2026-07-28" { return .reply("\(name) modern \(message.text)") }
        guard let session = message["mcp-session-id"] else {
            guard message.text.contains("initialize") else {
                // As real servers do: refuse, with a fresh id that means nothing.
                return .reply("no session", status: "400 Bad Request", extra: "Mcp-Session-Id: stray\(issued)\r\n")
            }
            issued += 1
            let id = "\(prefix)\(issued)"
            sessions.insert(id)
            return .reply("\(name) \(id)", extra: "Mcp-Session-Id: \(id)\r\n")
        }
        guard sessions.contains(session) else {
            return .reply("unknown \(session)", status: "404 Not Found", extra: "Mcp-Session-Id: \(session)\r\n")
        }
        calls += 1
        let echo = "Mcp-Session-Id: \(session)\r\n"
        switch message.method {
        case "DELETE":
            sessions.remove(session)
            return .reply("", extra: echo)
        case "GET":
            return .stream("data: hello from \(name)\n\n", extra: echo)
        default:
            return holds ? [] : .reply("\(name) \(session) \(message.text)", extra: echo)
        }
    }
}
