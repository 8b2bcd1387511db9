extension MetricCatalog {
    /// Answers that are kept. Only upstreams with `cache` have these.
    static let cache: [MetricDefinition] = [
        cacheRequests, cacheEntries, cacheBytes, cacheMaximumBytes, cacheWaiting, cacheRemovals,
    ]

    private static let upstream = ["upstream"]

    /// `berth_cache_requests`.
    package static let cacheRequests = MetricDefinition(
        .counter, "berth_cache_requests", labels: upstream + ["mcp_method_name", "gen_ai_tool_name", "result"],
        "Requests whose answers may be kept: hit, coalesced (waited for another one's answer), shared (another Berth's, from the store), miss, stale, bypass"
    )
    /// `berth_cache_entries`.
    package static let cacheEntries = MetricDefinition(
        .gauge, "berth_cache_entries", labels: upstream, "Answers that are kept")
    /// `berth_cache_bytes`.
    package static let cacheBytes = MetricDefinition(
        .gauge, "berth_cache_bytes", .bytes, labels: upstream, "What the answers cost that are kept")
    /// `berth_cache_max_bytes`.
    package static let cacheMaximumBytes = MetricDefinition(
        .gauge, "berth_cache_max_bytes", .bytes, labels: upstream, "What they may cost")
    /// `berth_cache_waiting`.
    package static let cacheWaiting = MetricDefinition(
        .gauge, "berth_cache_waiting", labels: upstream, "Requests that wait for an answer that another one fetches")
    /// `berth_cache_removals`.
    package static let cacheRemovals = MetricDefinition(
        .counter, "berth_cache_removals", labels: upstream + ["reason"],
        "Answers that went: evicted by others, invalidated by what their server said, purged by an operator")
}
