import Caching
import MCP
import Proxy

/// An upstream's cache, in `/stats`.
struct CacheDocument: Encodable {
    /// Answers that are kept, and what they cost.
    var entries: Int
    var bytes: Int
    var maximumBytes: Int
    /// Requests that wait for an answer that another one fetches.
    var waiting: Int
    /// Answers that went: pushed out by others, no longer so as their server said, taken out by operators.
    var evictions: UInt64
    var invalidations: UInt64
    var purged: UInt64
    /// What requests came to, since the start.
    var requests: [Requests]

    struct Requests: Encodable {
        var method: String
        /// Of `tools/call`.
        var tool: String?
        var hit: UInt64
        /// Beside the hits: the answer came for another one while it waited.
        var coalesced: UInt64
        /// Beside the hits: the answer was another Berth's.
        var shared: UInt64
        var miss: UInt64
        var stale: UInt64
        var bypass: UInt64
    }

    /// Nil without a cache.
    init?(_ plan: UpstreamPlan) {
        guard let status = plan.cache?.answers.status else { return nil }
        entries = status.entries
        bytes = status.bytes
        maximumBytes = status.maximumBytes
        waiting = status.waiting
        evictions = status.evictions
        invalidations = status.invalidations
        purged = status.purged
        requests = status.counts.numbers.map { series, numbers in
            Requests(
                method: series.method.name.map { "\($0)" } ?? "", tool: series.tool.isEmpty ? nil : series.tool,
                hit: numbers[CacheEvent.hit.rawValue], coalesced: numbers[CacheEvent.coalesced.rawValue],
                shared: numbers[CacheEvent.shared.rawValue], miss: numbers[CacheEvent.miss.rawValue],
                stale: numbers[CacheEvent.stale.rawValue],
                bypass: numbers[CacheEvent.bypass.rawValue])
        }.sorted { ($0.method, $0.tool ?? "") < ($1.method, $1.tool ?? "") }
    }

    /// The share of requests that no server was asked for, 0...1; nil before the first.
    var hitRate: Double? {
        let hits = requests.reduce(0) { $0 + $1.hit + $1.coalesced + $1.shared }
        let all = requests.reduce(hits) { $0 + $1.miss + $1.bypass }
        return all == 0 ? nil : Double(hits) / Double(all)
    }
}
