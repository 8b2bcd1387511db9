import Proxy
import Telemetry

/// The metrics of rate limits.
struct RateLimitSamples {
    private let limits: RateLimits?

    init(_ proxy: ProxyServer) {
        limits = proxy.snapshot.rateLimits
    }

    func write(_ writer: inout ExpositionWriter) {
        guard let limits else { return }
        for (rule, reason, count) in limits.refusals {
            writer.sample(
                MetricCatalog.rateLimitRefusals, LabelText(["rule", "reason"], [rule, reason.rawValue]),
                Int64(clamping: count))
        }
        writer.sample(MetricCatalog.rateLimitConcurrent, Int64(clamping: limits.concurrentRequests))
        writer.sample(MetricCatalog.rateLimitForgotten, Int64(clamping: limits.forgottenKeys))
    }
}
