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

    /// What is counted, by its number.
    private var series: [Series] = []
    private var methods: [MCPMethod: Int] = [:]
    private var tools: [[UInt8]: Int] = [:]
    /// Of tools beyond those that are counted by name.
    private var others: Int?
    /// For each series as many as there are events.
    private var counters: [UInt64] = []

    /// By series, as often as each event has happened, in the order of `CacheEvent`.
    package var numbers: [Series: [UInt64]] {
        let width = CacheEvent.allCases.count
        let rows = series.indices.map { (series[$0], Array(counters[($0 * width)..<($0 * width + width)])) }
        return Dictionary(uniqueKeysWithValues: rows.filter { $0.1.contains { $0 > 0 } })
    }

    mutating func count(_ event: CacheEvent, _ method: MCPMethod, _ subject: [UInt8]) {
        count(event, number(method, subject))
    }

    /// Counts what happened in the series of this number.
    mutating func count(_ event: CacheEvent, _ number: Int) {
        counters[number * CacheEvent.allCases.count + event.rawValue] += 1
    }

    /// The number of a series.
    mutating func number(_ method: MCPMethod, _ subject: [UInt8]) -> Int {
        guard method == .toolsCall else {
            if let known = methods[method] { return known }
            let number = add(Series(method: method, tool: ""))
            methods[method] = number
            return number
        }
        if let known = tools[subject] { return known }
        guard tools.count < Self.maximumTools else {
            let number = others ?? add(Series(method: .toolsCall, tool: "_OTHER"))
            others = number
            return number
        }
        let number = add(Series(method: .toolsCall, tool: String(decoding: subject, as: UTF8.self)))
        tools[subject] = number
        return number
    }

    private mutating func add(_ new: Series) -> Int {
        series.append(new)
        counters += Array(repeating: 0, count: CacheEvent.allCases.count)
        return series.count - 1
    }
}
