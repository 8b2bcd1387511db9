/// A tool of the admin address: what an agent may ask for or change.
struct AdminTool: Sendable {
    /// What it does when it is called.
    enum Work: Sendable {
        /// A page that a GET has as well.
        case page(String)
        case sessions
        case explain
        /// A change, by its name among `RequestedChange`.
        case change(String)
    }

    let name: String
    let title: String
    let description: String
    /// The arguments: name, JSON type, and what they mean.
    var arguments: [(name: String, type: String, text: String)] = []
    var required: [String] = []
    let work: Work
    /// It may end what goes on for somebody.
    var isDestructive = false
    /// Asked twice it does no more than asked once.
    var isIdempotent = true

    private var isReadOnly: Bool { if case .change = work { false } else { true } }

    /// As `tools/list` has it (MCP 2025-06-18, Tools).
    var listing: JSONValue {
        var properties: [String: JSONValue] = [:]
        for argument in arguments {
            properties[argument.name] = ["type": .string(argument.type), "description": .string(argument.text)]
        }
        return [
            "name": .string(name), "title": .string(title), "description": .string(description),
            "inputSchema": [
                "type": "object", "properties": .object(properties),
                "required": .array(required.map { .string($0) }), "additionalProperties": false,
            ],
            "annotations": [
                "title": .string(title), "readOnlyHint": .bool(isReadOnly),
                "destructiveHint": .bool(isDestructive && !isReadOnly), "idempotentHint": .bool(isIdempotent),
                "openWorldHint": false,
            ],
        ]
    }

    /// Why these arguments cannot be used; nil if they can.
    func fault(in given: JSONValue?) -> String? {
        guard let given, given != .null else { return required.first.map { "\(name) needs \($0)" } }
        guard case .object(let members) = given else { return "arguments is no object" }
        for name in required where members[name] == nil { return "\(self.name) needs \(name)" }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            guard let argument = arguments.first(where: { $0.name == name }) else {
                return "\(self.name) has no argument \(name)"
            }
            if !value.isOf(type: argument.type) { return "\(name) is to be of type \(argument.type)" }
        }
        return nil
    }

    private static let server = (
        name: "server", type: "string",
        text: "The server as upstream/host:port, such as mcp/mcp-3:3001; see list_servers."
    )

    /// All tools, in the order in which they are listed.
    static let all: [AdminTool] = reading + changing

    private static let reading = [
        AdminTool(
            name: "list_servers", title: "List servers",
            description:
                "All servers of the balancer with state, weight, sessions, calls in progress, streams and failures.",
            work: .page("/servers")),
        AdminTool(
            name: "list_sessions", title: "List sessions",
            description:
                "Sessions by digest, the one used last first: upstream, server, age, idle time, recoveries. Ids are never shown.",
            arguments: [
                (name: "upstream", type: "string", text: "Only sessions of this upstream."),
                (
                    name: "server", type: "string",
                    text: "Only sessions of this server, as host:port or upstream/host:port."
                ),
                (name: "digest", type: "string", text: "Only the session with this digest."),
                (name: "limit", type: "integer", text: "How many at most, 100 if it is left out, 10000 at most."),
            ], work: .sessions),
        AdminTool(
            name: "get_stats", title: "Get statistics",
            description: "All counters of the balancer, as /stats has them.",
            work: .page("/stats")),
        AdminTool(
            name: "get_alerts", title: "Get alerts", description: "The alert rules and which of them fire now.",
            work: .page("/alerts")),
        AdminTool(
            name: "explain_request", title: "Explain a request",
            description:
                "Says what becomes of an HTTP request: route, kind, session, and which server gets it and why. Nothing is sent.",
            arguments: [
                (
                    name: "request", type: "string",
                    text: "The request as text: request line, fields, a blank line, the body."
                ),
                (name: "client", type: "string", text: "The IP address that it comes from."),
            ], required: ["request"], work: .explain),
    ]

    private static let changing = [
        AdminTool(
            name: "drain_server", title: "Drain a server",
            description: "The server keeps its sessions and gets no new ones, until undrain_server. Nobody notices.",
            arguments: [server], required: ["server"], work: .change("drain")),
        AdminTool(
            name: "undrain_server", title: "End a drain", description: "The server gets new sessions again.",
            arguments: [server], required: ["server"], work: .change("undrain")),
        AdminTool(
            name: "disable_server", title: "Disable a server",
            description:
                "The server gets no work at all, until enable_server. Its sessions are opened anew elsewhere if they can be, and "
                + "are lost if not.",
            arguments: [server], required: ["server"], work: .change("disable"), isDestructive: true),
        AdminTool(
            name: "enable_server", title: "Enable a server", description: "The server gets work again.",
            arguments: [server], required: ["server"], work: .change("enable")),
        AdminTool(
            name: "set_weight", title: "Set a server's weight",
            description: "The server's share of new work in relation to the others, in place of the configuration's.",
            arguments: [
                server,
                (
                    name: "weight", type: "integer",
                    text: "1 to 1000; left out, the configuration's weight holds again."
                ),
            ], required: ["server"], work: .change("weight")),
        AdminTool(
            name: "eject_server", title: "Eject a server",
            description: "The server gets no new work for a while; its sessions stay with it.",
            arguments: [
                server, (name: "for", type: "string", text: "How long, such as 30s or 5m; 30s if it is left out."),
            ],
            required: ["server"], work: .change("eject"), isIdempotent: false),
        AdminTool(
            name: "uneject_server", title: "End an ejection", description: "The server gets new work again.",
            arguments: [server], required: ["server"], work: .change("uneject")),
        AdminTool(
            name: "forget_session", title: "Forget a session",
            description: "The session's client is told that it is gone, and has to begin another one.",
            arguments: [(name: "session", type: "string", text: "The session's digest; see list_sessions.")],
            required: ["session"], work: .change("forget"), isDestructive: true),
        AdminTool(
            name: "set_log_level", title: "Set the log level", description: "From which level on the log is written.",
            arguments: [
                (name: "level", type: "string", text: "trace, debug, info, notice, warning, error or critical.")
            ],
            required: ["level"], work: .change("log-level")),
        AdminTool(
            name: "reload", title: "Reload the configuration",
            description:
                "Reads the configuration file again and applies what has changed; a file with errors changes nothing.",
            work: .change("reload")),
    ]
}

extension JSONValue {
    /// Whether it is of a type of JSON Schema.
    fileprivate func isOf(type: String) -> Bool {
        switch (type, self) {
        case ("string", .string), ("integer", .integer): true
        case ("integer", .number(let value)): Int64(exactly: value) != nil
        default: false
        }
    }
}
