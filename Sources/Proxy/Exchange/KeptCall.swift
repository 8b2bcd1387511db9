import HTTP
import MCP
import Reactor

/// What a kept request asks for. It is looked for only when the request has failed, or when its response is to be read.
struct KeptCall {
    let method: MCPMethod
    /// The tool of a `tools/call` as it stands in the body, escapes as written; empty otherwise.
    let tool: [UInt8]
    /// Somebody waits for an answer.
    let hasID: Bool

    /// The call of the request at the front of `buffer`, whose head is parsed and whose body is complete; nil if it is no
    /// message, or not one alone.
    static func find(in buffer: borrowing ByteBuffer, _ head: borrowing RequestHead) -> KeptCall? {
        guard head.method == .post, head.length <= buffer.count else { return nil }
        let body = RequestID.body(of: buffer, head)
        guard let summary = RequestSummary(of: body.span) else { return nil }
        let tool = summary.tool.map { Array(body[$0]) }
        return KeptCall(method: summary.method, tool: tool ?? [], hasID: summary.hasID)
    }
}

extension MCPMethod {
    /// Whether a request may be sent again that a server may have read. A second `initialize` leaves a session behind of
    /// which nobody knows, which costs less than a client that cannot begin.
    var isRepeatable: Bool {
        switch self {
        case .initialize, .listen, .tasksGet, .tasksResult, .tasksList, .tasksCancel, .tasksUpdate: true
        default: isIdempotent
        }
    }
}
