import MCP
import Proxy
import Telemetry

/// One tool of an upstream, as `/stats` has it: its calls since the start, and how long they took.
struct ToolStatistics: Encodable {
    var upstream: String
    /// `_OTHER` stands for those that have no numbers of their own.
    var tool: String
    var calls: Int64
    /// Calls that failed, by what went wrong: `tool_error`, the code of a JSON-RPC error, a status, a reason of Berth's own.
    var errors: [String: Int64]
    /// Seconds that half of the calls did not exceed, and 95 and 99 of a hundred; from buckets, so not exact.
    var p50: Double
    var p95: Double
    var p99: Double

    /// All tools that were called, those with the most calls first.
    static func all(_ proxy: ProxyServer) -> [ToolStatistics] {
        struct Key: Hashable {
            let upstream: String
            let tool: String
        }
        let labels = CallLabels(proxy)
        var histograms: [Key: CallHistogram] = [:]
        var errors: [Key: [String: Int64]] = [:]
        for series in proxy.metrics.calls.series() where series.kind == .operation && series.method == .toolsCall {
            guard series.name != .none, let upstream = labels.upstream(series) else { continue }
            let key = Key(upstream: upstream, tool: labels.common(series)[1])
            if histograms[key]?.add(series.histogram) == nil { histograms[key] = series.histogram }
            guard series.failure != .none else { continue }
            errors[key, default: [:]][labels.failure(series.failure), default: 0] += series.histogram.count
        }
        return histograms.map { key, histogram in
            ToolStatistics(
                upstream: key.upstream, tool: key.tool, calls: histogram.count, errors: errors[key] ?? [:],
                p50: histogram.quantile(0.5) ?? 0, p95: histogram.quantile(0.95) ?? 0,
                p99: histogram.quantile(0.99) ?? 0)
        }.sorted { ($1.calls, $0.upstream, $0.tool) < ($0.calls, $1.upstream, $1.tool) }
    }
}
