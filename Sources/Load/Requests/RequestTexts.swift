import HTTP
import JSON

/// The header fields and bodies of requests, by kind and protocol revision (Streamable HTTP of 2025-11-25, HTTP+SSE of
/// 2024-11-05, stateless of 2026-07-28).
struct RequestTexts {
    /// The placeholder of the id: 13 digits that no other part of a request contains.
    static let idPlaceholder = "1234567890123"

    private let plan: LoadPlan
    private let workload: Workload

    init(_ plan: LoadPlan, _ workload: Workload) {
        self.plan = plan
        self.workload = workload
    }

    /// Whether requests ask for the connection to be closed after the response.
    var closes: Bool { workload == .churn }

    private var isStateless: Bool { workload.isStateless }

    /// The header fields of a request, without Host, Content-Length and those of its session.
    func fields(_ kind: RequestKind) -> [LoadPlan.Header] {
        var fields: [LoadPlan.Header] = []
        func add(_ name: String, _ value: String) { fields.append(LoadPlan.Header(name: name, value: value)) }
        switch kind.method {
        case .post:
            add("content-type", "application/json")
            add("accept", "application/json, text/event-stream")
        case .get: add("accept", "text/event-stream")
        default: break
        }
        add("user-agent", "berth-load")
        if isStateless {
            add("mcp-protocol-version", Self.statelessVersion)
            add("mcp-method", methodName(kind))
            if let name = toolName(kind) { add("mcp-name", name) }
        }
        return fields + plan.headers
    }

    /// The body of a request with `idPlaceholder` as its id; empty if it has none.
    func body(_ kind: RequestKind) -> String {
        switch kind {
        case .delete, .stream: return ""
        case .initialized: return #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#
        case .initialize:
            let version = workload == .legacy ? "2024-11-05" : Self.sessionVersion
            return message(
                kind,
                #""protocolVersion":"\#(version)","capabilities":{},"clientInfo":{"name":"berth-load","version":"1"}"#)
        case .list: return message(kind, "")
        case .call, .echo:
            return message(kind, #""name":\#(JSONString.quoted(toolName(kind) ?? "")),"arguments":\#(arguments(kind))"#)
        }
    }

    /// The offset of each `needle` in the first KiB of `text`, in bytes.
    static func offsets(of needle: String, in text: String) -> [Int] {
        let (needle, text) = (Array(needle.utf8), Array(text.utf8.prefix(1_024)))
        guard needle.count <= text.count else { return [] }
        return (0...(text.count - needle.count)).filter { text[$0] == needle[0] && text[$0...].starts(with: needle) }
    }

    // MARK: Parts

    static let sessionVersion = "2025-11-25"
    static let statelessVersion = "2026-07-28"

    private func message(_ kind: RequestKind, _ parameters: String) -> String {
        var inside = parameters
        if isStateless {
            let meta = """
                "_meta":{"io.modelcontextprotocol/protocolVersion":"\(Self.statelessVersion)",\
                "io.modelcontextprotocol/clientInfo":{"name":"berth-load","version":"1"},\
                "io.modelcontextprotocol/clientCapabilities":{}}
                """
            inside += inside.isEmpty ? meta : "," + meta
        }
        return #"{"jsonrpc":"2.0","id":\#(Self.idPlaceholder),"method":"\#(methodName(kind))","params":{\#(inside)}}"#
    }

    private func methodName(_ kind: RequestKind) -> String {
        switch kind {
        case .initialize: "initialize"
        case .initialized: "notifications/initialized"
        case .list: "tools/list"
        case .call, .echo: "tools/call"
        case .delete, .stream: ""
        }
    }

    private func toolName(_ kind: RequestKind) -> String? {
        switch kind {
        case .call where workload == .bodies: plan.direction == .down ? "bytes" : "echo"
        case .call: plan.tool
        case .echo: "echo"
        case .initialize, .initialized, .list, .delete, .stream: nil
        }
    }

    private func arguments(_ kind: RequestKind) -> String {
        switch kind {
        case .call where workload == .bodies:
            plan.direction == .down ? #"{"n":\#(plan.bytes)}"# : #"{"text":"\#(Self.patternText(plan.bytes))"}"#
        case .echo: #"{"text":"\#(Self.idPlaceholder)"}"#
        default: plan.arguments
        }
    }

    /// The text of `count` bytes that the tool `bytes` returns: a to z, repeated.
    static func patternText(_ count: Int) -> String {
        String(decoding: (0..<count).map { 97 + UInt8($0 % 26) }, as: UTF8.self)
    }
}

extension Workload {
    /// Whether it uses the protocol revision without sessions (2026-07-28).
    var isStateless: Bool {
        switch self {
        case .calls, .churn, .bodies: true
        case .sessions, .legacy, .fanin, .idle: false
        }
    }
}
