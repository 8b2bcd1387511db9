package import MCP

/// What can happen to a request that looks for an answer in a cache.
package enum CacheEvent: Int, Sendable, CaseIterable {
    /// It got an answer from the cache.
    case hit
    /// It got one that another request had fetched while it waited.
    case coalesced
    /// It got one that another Berth had fetched, out of the store that they share.
    case shared
    /// It went to a server.
    case miss
    /// It got one whose time was over, because its server failed.
    case stale
    /// It went to a server, and its answer is not kept.
    case bypass

    /// The word for it in metrics and logs.
    package var name: String {
        switch self {
        case .hit: "hit"
        case .coalesced: "coalesced"
        case .shared: "shared"
        case .miss: "miss"
        case .stale: "stale"
        case .bypass: "bypass"
        }
    }
}

/// How often each thing happened, by method and tool.
package struct CacheCounts: Sendable {
    /// What is counted together.
    package struct Series: Hashable, Sendable {
        /// The method of the requests.
        package let method: MCPMethod
        /// The tool of `tools/call`; empty for other methods, `_OTHER` for tools beyond those that are counted.
        package let tool: String
    }

    /// Tools that are counted by name.
    private static var maximumTools: Int { 200 }

    /// By series, as often as each event has happened, in the order of `CacheEvent`.
    package private(set) var numbers: [Series: [UInt64]] = [:]
    private var tools: [[UInt8]: Series] = [:]

    mutating func count(_ event: CacheEvent, _ method: MCPMethod, _ subject: [UInt8]) {
        let series = series(method, subject)
        numbers[series, default: Array(repeating: 0, count: CacheEvent.allCases.count)][event.rawValue] += 1
    }

    private mutating func series(_ method: MCPMethod, _ subject: [UInt8]) -> Series {
        guard method == .toolsCall else { return Series(method: method, tool: "") }
        if let known = tools[subject] { return known }
        guard tools.count < Self.maximumTools else { return Series(method: .toolsCall, tool: "_OTHER") }
        let series = Series(method: .toolsCall, tool: String(decoding: subject, as: UTF8.self))
        tools[subject] = series
        return series
    }
}
