/// What the clients of a run do.
package enum Workload: String, CaseIterable, Codable, Sendable {
    /// Streamable HTTP sessions (2025-03-26 to 2025-11-25): initialize, tools/list, tool calls, DELETE, and again.
    case sessions
    /// HTTP+SSE (2024-11-05): the answers come on the stream that opened the session.
    case legacy
    /// Calls of 2026-07-28, without a session.
    case calls
    /// Event streams whose events carry a number and the time they were sent at.
    case fanin
    /// Event streams that are opened and held, and must all be there in the end.
    case idle
    /// Calls of 2026-07-28 with a new connection for each.
    case churn
    /// Texts of `LoadPlan.bytes`, there or back, every byte checked.
    case bodies

    /// What the figures count.
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
