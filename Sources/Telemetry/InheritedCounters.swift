import Synchronization

/// What processes before this one have counted, for those whose place this one has taken: the base of its own counters. Any
/// thread may add.
package struct InheritedCounters: Sendable {
    private let servers: Counters
    private let exchanges = Counters(ExchangeMetric.count)
    private let rejections = Counters(MetricsWriter.rejectionReasons)

    init(servers: Int) { self.servers = Counters(servers * ServerMetric.count) }

    /// Adds to a counter of a server.
    package func add(_ metric: ServerMetric, server: Int, _ delta: Int64) {
        servers[server * ServerMetric.count + metric.rawValue].pointee.add(delta, ordering: .relaxed)
    }

    /// Adds to a counter of exchanges.
    package func add(_ metric: ExchangeMetric, _ delta: Int64) {
        exchanges[metric.rawValue].pointee.add(delta, ordering: .relaxed)
    }

    /// Adds to the count of responses of the proxy's own, by a reason from 0 to 63.
    package func addRejections(reason: Int, _ delta: Int64) {
        rejections[reason & (MetricsWriter.rejectionReasons - 1)].pointee.add(delta, ordering: .relaxed)
    }

    func load(_ metric: ServerMetric, server: Int) -> Int64 {
        servers[server * ServerMetric.count + metric.rawValue].pointee.load(ordering: .relaxed)
    }

    func load(_ metric: ExchangeMetric) -> Int64 { exchanges[metric.rawValue].pointee.load(ordering: .relaxed) }

    func load(reason: Int) -> Int64 { rejections[reason].pointee.load(ordering: .relaxed) }

    /// The slot gets another server.
    func reset(server: Int) {
        for metric in ServerMetric.allCases {
            servers[server * ServerMetric.count + metric.rawValue].pointee.store(0, ordering: .relaxed)
        }
    }
}
