/// What the clients of a run do. The raw value is its name in options and scenario files.
package enum Workload: String, CaseIterable, Codable, Sendable {
    /// Streamable HTTP sessions (2025-03-26 to 2025-11-25): initialize, tools/list, tool calls, DELETE, and again.
    case sessions
    /// HTTP+SSE sessions (2024-11-05): responses come on the event stream that opened the session. If the plan's path
    /// ends with `/mcp`, that stream is requested at `/sse` instead.
    case legacy
    /// Stateless calls of 2026-07-28.
    case calls
    /// Event streams of sessions. Each event carries a number and the time it was sent, as a log message with the data
    /// `{"sequence":1,"monotonicNanoseconds":2}`. `berth-load serve --events-per-second` sends them.
    case fanin
    /// Event streams that are opened and kept idle. All must still be open at the end.
    case idle
    /// Stateless calls of 2026-07-28, each on a new connection.
    case churn
    /// Calls with a text of `LoadPlan.bytes` bytes in the request or the response. Every byte is checked.
    case bodies

    /// What completed operations are called in reports.
    package var unit: String {
        switch self {
        case .sessions, .legacy, .calls: "calls"
        case .fanin: "events"
        case .idle: "streams"
        case .churn: "connections"
        case .bodies: "bodies"
        }
    }
}
