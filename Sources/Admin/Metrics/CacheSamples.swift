import Caching
import MCP
import Proxy
import Telemetry

/// The metrics of caches.
struct CacheSamples {
    private let caches: [(upstream: String, labels: LabelText, status: CacheStatus)]

    init(_ proxy: ProxyServer) {
        caches = proxy.snapshot.upstreams.compactMap { plan in
            plan.cache.map { (plan.name, LabelText(["upstream"], [plan.name]), $0.answers.status) }
        }
    }

    func write(_ writer: inout ExpositionWriter) {
        for (upstream, _, status) in caches {
            for (series, numbers) in status.counts.numbers.sorted(by: { order($0.key) < order($1.key) }) {
                for event in CacheEvent.allCases {
                    let labels = LabelText(
                        ["upstream", "mcp_method_name", "gen_ai_tool_name", "result"],
                        [upstream, series.method.name.map { "\($0)" } ?? "", series.tool, event.name])
                    writer.sample(MetricCatalog.cacheRequests, labels, Int64(clamping: numbers[event.rawValue]))
                }
            }
        }
        write(MetricCatalog.cacheEntries, &writer) { Int64($0.entries) }
        write(MetricCatalog.cacheBytes, &writer) { Int64($0.bytes) }
        write(MetricCatalog.cacheMaximumBytes, &writer) { Int64($0.maximumBytes) }
        write(MetricCatalog.cacheWaiting, &writer) { Int64($0.waiting) }
        for (_, labels, status) in caches {
            for (reason, count) in [
                ("evicted", status.evictions), ("invalidated", status.invalidations), ("purged", status.purged),
            ] {
                writer.sample(MetricCatalog.cacheRemovals, labels.adding("reason", reason), Int64(clamping: count))
            }
        }
    }

    private func order(_ series: CacheCounts.Series) -> (UInt8, String) { (series.method.rawValue, series.tool) }

    private func write(
        _ metric: MetricDefinition, _ writer: inout ExpositionWriter, _ value: (CacheStatus) -> Int64
    ) {
        for (_, labels, status) in caches { writer.sample(metric, labels, value(status)) }
    }
}
