extension MetricCatalog {
    /// Limits of rates and of requests in progress. Only a configuration with `rate_limit` or `stream_opens` has these.
    static let rateLimits: [MetricDefinition] = [rateLimitRefusals, rateLimitConcurrent, rateLimitForgotten]

    /// `berth_rate_limit_refusals`.
    package static let rateLimitRefusals = MetricDefinition(
        .counter, "berth_rate_limit_refusals", labels: ["rule", "reason"],
        "Requests that a rule has refused: rate, concurrency, stream_opens")
    /// `berth_rate_limit_concurrent_requests`.
    package static let rateLimitConcurrent = MetricDefinition(
        .gauge, "berth_rate_limit_concurrent_requests",
        "Requests in progress that count for rules with concurrency, once for each rule")
    /// `berth_rate_limit_keys_forgotten`.
    package static let rateLimitForgotten = MetricDefinition(
        .counter, "berth_rate_limit_keys_forgotten",
        "Keys that had used some of their rate and were forgotten because others came: they have a whole burst again")
}
