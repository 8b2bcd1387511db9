import Configuration
package import Telemetry

/// How calls are traced: which have spans, and where those go.
package struct TracePlan: Sendable, Equatable {
    /// The OTLP receiver.
    package var collector: CollectorAddress
    /// The share of traces begun here that are recorded, 0 to 1.
    package var ratio: Double

    package init(collector: CollectorAddress, ratio: Double) {
        self.collector = collector
        self.ratio = ratio
    }

    init(_ configuration: TraceConfiguration) {
        collector = CollectorAddress(
            host: configuration.host, port: configuration.port, path: configuration.path)
        ratio = configuration.ratio
    }

    /// What decides on each call.
    package var sampler: TraceSampler { TraceSampler(ratio: ratio) }
}
