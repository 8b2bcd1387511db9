import Synchronization

/// A worker's way to the metrics: pointers by value, no reference count. Valid for the life of the process.
package struct MetricsWriter: Sendable {
    private let rows: Counters
    private let shared: Counters
    private let waiting: Counters
    private let exchanges: Counters
    private let process: Counters
    private let abuse: Counters
    private let refusals: Counters
    private let servers: Int

    init(
        rows: Counters, shared: Counters, waiting: Counters, exchanges: Counters, process: Counters, abuse: Counters,
        refusals: Counters, servers: Int
    ) {
        self.rows = rows
        self.shared = shared
        self.waiting = waiting
        self.exchanges = exchanges
        self.process = process
        self.abuse = abuse
        self.refusals = refusals
        self.servers = servers
    }

    // MARK: - Rows of workers

    /// Adds to the caller's own row. Only the thread that is `worker` may call this.
    package func add(_ metric: ServerMetric, worker: Int, server: Int, _ delta: Int64 = 1) {
        let cell = rows[(worker * servers + server) * ServerMetric.count + metric.rawValue]
        cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ delta, ordering: .relaxed)
    }

    /// The number in one worker's row.
    package func read(_ metric: ServerMetric, worker: Int, server: Int) -> Int64 {
        rows[(worker * servers + server) * ServerMetric.count + metric.rawValue].pointee.load(ordering: .relaxed)
    }

    /// Adds to the caller's own row. Only the thread that is `worker` may call this.
    package func add(_ metric: ExchangeMetric, worker: Int, _ delta: Int64 = 1) {
        let cell = exchanges[worker * ExchangeMetric.count + metric.rawValue]
        cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ delta, ordering: .relaxed)
    }

    /// The number in one worker's row.
    package func read(_ metric: ExchangeMetric, worker: Int) -> Int64 {
        exchanges[worker * ExchangeMetric.count + metric.rawValue].pointee.load(ordering: .relaxed)
    }

    // MARK: - Shared by all workers

    /// The present value.
    package func load(_ metric: SharedMetric, server: Int) -> Int64 {
        cell(metric, server).pointee.load(ordering: .relaxed)
    }

    /// Replaces the value.
    package func store(_ metric: SharedMetric, server: Int, _ value: Int64) {
        cell(metric, server).pointee.store(value, ordering: .relaxed)
    }

    /// Adds to the value.
    package func add(_ metric: SharedMetric, server: Int, _ delta: Int64) {
        cell(metric, server).pointee.add(delta, ordering: .relaxed)
    }

    /// Adds one unless that would pass `limit`; false then.
    package func claim(_ metric: SharedMetric, server: Int, limit: Int64) -> Bool {
        let claimed = cell(metric, server).pointee.add(1, ordering: .relaxed).newValue
        if claimed <= limit { return true }
        add(metric, server: server, -1)
        return false
    }

    /// Replaces the value if it still is `old`; false, with nothing changed, if another thread was faster.
    package func exchange(_ metric: SharedMetric, server: Int, old: Int64, new: Int64) -> Bool {
        cell(metric, server).pointee.compareExchange(expected: old, desired: new, ordering: .relaxed).exchanged
    }

    private func cell(_ metric: SharedMetric, _ server: Int) -> UnsafeMutablePointer<Atomic<Int64>> {
        shared[server * SharedMetric.count + metric.rawValue]
    }

    /// Changes of servers' health so far: who keeps a view of it compares this with what it has seen.
    package var healthEpoch: Int { Int(process[1].pointee.load(ordering: .acquiring)) }

    /// A server's health has changed.
    package func noteHealthChange() { process[1].pointee.add(1, ordering: .releasing) }

    /// Exchanges that wait for a connection to an upstream, all workers together: what `queue.max` bounds.
    package func waiting(upstream: Int) -> Int64 { waiting[upstream].pointee.load(ordering: .relaxed) }

    /// Adds a waiting exchange unless there are `limit` already; false then.
    package func claimQueuePlace(upstream: Int, limit: Int64) -> Bool {
        if waiting[upstream].pointee.add(1, ordering: .relaxed).newValue <= limit { return true }
        releaseQueuePlace(upstream: upstream)
        return false
    }

    /// A waiting exchange has left the queue.
    package func releaseQueuePlace(upstream: Int) { waiting[upstream].pointee.subtract(1, ordering: .relaxed) }

    /// Client connections, all workers together.
    package var clientCount: Int64 { process[0].pointee.load(ordering: .relaxed) }

    /// Counts one more client connection unless there are `limit` already; false then.
    package func admitClient(limit: Int64) -> Bool {
        if process[0].pointee.add(1, ordering: .relaxed).newValue <= limit { return true }
        releaseClient()
        return false
    }

    /// A client connection has closed.
    package func releaseClient() { process[0].pointee.subtract(1, ordering: .relaxed) }

    /// Counts an event.
    package func increment(_ counter: AbuseCounter) { abuse[counter.rawValue].pointee.add(1, ordering: .relaxed) }

    /// Events so far.
    package func load(_ counter: AbuseCounter) -> Int64 {
        abuse[counter.rawValue].pointee.load(ordering: .relaxed)
    }

    /// Counts a connection that was refused for its PROXY header.
    package func increment(_ refusal: ProxyRefusal) {
        refusals[refusal.rawValue].pointee.add(1, ordering: .relaxed)
    }

    /// Refusals so far.
    package func load(_ refusal: ProxyRefusal) -> Int64 {
        refusals[refusal.rawValue].pointee.load(ordering: .relaxed)
    }
}
