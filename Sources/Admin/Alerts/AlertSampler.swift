import FoundationEssentials
import Kernel
import MCP
import Proxy
import Telemetry

/// Reads the numbers that alerts are decided by from a running proxy.
struct AlertSampler: Sendable {
    let proxy: ProxyServer

    /// The numbers as they are now. `limit`: what calls of a tool may take; nil: none is slow.
    func sample(at now: Instant, slowerThan limit: Interval?) -> AlertSample {
        var sample = AlertSample(at: now)
        readCalls(into: &sample, slowerThan: limit)
        let resources = ProcessResources()
        if let used = resources.residentBytes, let limit = resources.memoryLimit {
            sample.memory = AlertSample.Usage(name: "", used: used, limit: limit)
        }
        sample.connections = proxy.snapshot.listeners.filter { $0.role == .traffic }.map { listener in
            AlertSample.Usage(
                name: "\(listener.address)", used: proxy.metrics.view.clientCount(listener: Int(listener.id.slot)),
                limit: Int64(listener.maximumConnections))
        }
        let wallClock = Int64(Date().timeIntervalSince1970)
        sample.certificates = proxy.servedCertificates.map { certificate in
            AlertSample.Certificate(
                name: "\(certificate.subject) of \(certificate.listener)",
                secondsLeft: certificate.notAfter - wallClock)
        }
        return sample
    }

    private func readCalls(into sample: inout AlertSample, slowerThan limit: Interval?) {
        struct Key: Hashable {
            let upstream: String
            let tool: String
        }
        let labels = CallLabels(proxy)
        var upstreams: [String: (calls: Int64, failed: Int64)] = [:]
        var tools: [Key: AlertSample.Tool] = [:]
        for series in proxy.metrics.calls.series() where series.kind == .operation {
            guard let upstream = labels.upstream(series), !upstream.isEmpty else { continue }
            let count = series.histogram.count
            upstreams[upstream, default: (0, 0)].calls += count
            if series.failure != .none, series.failure != .cancelled { upstreams[upstream]?.failed += count }
            guard series.method == .toolsCall, series.name != .none else { continue }
            let tool = labels.common(series)[1]
            let empty = AlertSample.Tool(upstream: upstream, name: tool, calls: 0, slow: 0)
            var numbers = tools[Key(upstream: upstream, tool: tool)] ?? empty
            numbers.calls += count
            numbers.slow += limit.map { Self.count(of: series.histogram, slowerThan: $0) } ?? 0
            tools[Key(upstream: upstream, tool: tool)] = numbers
        }
        sample.tools = Array(tools.values)
        sample.upstreams = upstreamStates(upstreams)
    }

    /// How many were slower than a duration that is one of the buckets' bounds.
    static func count(of histogram: CallHistogram, slowerThan limit: Interval) -> Int64 {
        let seconds = Double(limit.nanoseconds) / 1e9
        return histogram.counts.indices.reduce(0) { sum, index in
            let isWithin = index < histogram.bounds.count && histogram.bounds[index] <= seconds * 1.000_001
            return isWithin ? sum : sum + histogram.counts[index]
        }
    }

    private func upstreamStates(_ calls: [String: (calls: Int64, failed: Int64)]) -> [AlertSample.Upstream] {
        let snapshot = proxy.snapshot
        return snapshot.upstreams.map { plan in
            let servers = snapshot.servers[plan.servers].filter { !$0.isRemoved }
            let conditions = servers.map { MetricsPage.ServerCondition($0, proxy) }
            var upstream = AlertSample.Upstream(name: plan.name)
            upstream.calls = calls[plan.name]?.calls ?? 0
            upstream.failed = calls[plan.name]?.failed ?? 0
            upstream.waiting = max(0, proxy.metrics.view.waiting(upstream: Int(plan.id.slot)))
            upstream.servers = servers.count
            upstream.available = conditions.filter(\.isAvailable).count
            let catalogs = Set(conditions.filter { $0.isHealthy && $0.catalog != 0 }.map(\.catalog))
            upstream.catalogsDiffer = catalogs.count > 1
            return upstream
        }
    }
}
