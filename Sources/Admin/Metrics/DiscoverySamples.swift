import Discovery
import FoundationEssentials
import Kernel
import Proxy
import Telemetry

/// The metrics of what finds servers.
struct DiscoverySamples {
    private let sources: [(labels: LabelText, status: DiscoveryStatus)]

    init(_ proxy: ProxyServer) {
        sources = (proxy.discovery?.statuses ?? []).map { (LabelText(["upstream"], [$0.upstream]), $0) }
    }

    func write(_ writer: inout ExpositionWriter) {
        write(MetricCatalog.discoveredServers, &writer) { Int64($0.servers) }
        let wallClock = Int64(Date().timeIntervalSince1970 * 1e9)
        let now = Instant.now()
        for (labels, status) in sources {
            guard let answeredAt = status.counts.answeredAt else { continue }
            let age = Int64(clamping: (now - answeredAt).nanoseconds)
            writer.sample(MetricCatalog.discoveryAnsweredAt, labels, nanoseconds: wallClock - age)
        }
        write(MetricCatalog.discoveryFailing, &writer) { $0.counts.failure == nil ? 0 : 1 }
        for (labels, status) in sources {
            for reason in DiscoveryFailure.Reason.allCases {
                writer.sample(
                    MetricCatalog.discoveryFailures, labels.adding("reason", reason.rawValue),
                    Int64(status.counts.failures[reason] ?? 0))
            }
        }
        for (labels, status) in sources {
            for (kind, count) in [("appeared", status.counts.appeared), ("vanished", status.counts.vanished)] {
                writer.sample(MetricCatalog.discoveryChanges, labels.adding("kind", kind), Int64(count))
            }
        }
        write(MetricCatalog.discoveryWaiting, &writer) { Int64($0.counts.waiting) }
        write(MetricCatalog.discoveryFlaps, &writer) { Int64($0.counts.flaps) }
        write(MetricCatalog.discoveryOmitted, &writer) { Int64($0.counts.omitted) }
    }

    private func write(
        _ metric: MetricDefinition, _ writer: inout ExpositionWriter, _ value: (DiscoveryStatus) -> Int64
    ) {
        for (labels, status) in sources { writer.sample(metric, labels, value(status)) }
    }
}
