import Synchronization

/// Metrics per worker and server. The first four are gauges, the others counters since the start.
package enum ServerMetric: Int, CaseIterable, Sendable {
    /// Idle connections kept for reuse.
    case parked
    /// Connections that carry a request, or are being opened for one.
    case active
    /// Connections that carry an event stream.
    case streaming
    /// Exchanges in the queue for this server. One that may go to any server is counted at the server it was first
    /// selected for.
    case waiting
    /// Requests forwarded.
    case requests
    /// Connections established.
    case connectionsOpened
    /// Connections that were not established.
    case connectFailures
    /// Requests sent again because a reused connection was closed by the server.
    case replays
    /// Sessions begun and ended through this worker.
    case sessionsOpened, sessionsEnded
    /// Error responses of the proxy: 404 for unknown sessions, 502, 503, 504.
    case sessionsNotFound, badGateway, unavailable, timedOut

    static var count: Int { timedOut.rawValue + 1 }
}

/// Metrics per server that all workers share. They are changed by atomic read-modify-write operations, and seldom.
package enum SharedMetric: Int, CaseIterable, Sendable {
    /// Connections for requests, over all workers; limited by `pool.max`.
    case connections
    /// Connections that carry event streams, over all workers; limited by `pool.max_streams`.
    case streams
    /// Exchanges in the queue, over all workers; limited by `queue.max`.
    case waiting
    /// A packed `HealthTracker`.
    case health
    /// Unix seconds when a connection to it was last refused; 0: never. Session ids issued before that are no longer
    /// valid.
    case lastRefused

    static var count: Int { lastRefused.rawValue + 1 }
}

/// Counters of expensive or invalid behaviour of clients, over all workers. All but the last are of HTTP/2 connections;
/// the first twelve are excesses that closed the connection.
package enum AbuseCounter: Int, CaseIterable, Sendable {
    case resets, refusals, pings, settings, emptyData, priorities, windowUpdates, continuations, ignoredFrames
    case headerLists, headText, queuedFrames
    /// Connections closed because of protocol errors.
    case brokenConnections
    /// Streams reset because the client did not open their windows in time.
    case stalledStreams
    /// Streams refused because too many were open, or their heads had too many bytes.
    case refusedStreams
    /// Requests answered 431, and malformed ones.
    case largeHeads, malformedRequests
    /// TLS connections that ended before their handshake was complete.
    case failedHandshakes

    static var count: Int { failedHandshakes.rawValue + 1 }
}

/// Why a connection was rejected by the PROXY protocol.
package enum ProxyRefusal: Int, CaseIterable, Sendable {
    /// Its address is not one of the trusted proxies.
    case untrusted
    /// It did not begin with a valid PROXY header.
    case malformed
    /// Its PROXY header was not received in time.
    case proxyHeaderTimedOut

    static var count: Int { proxyHeaderTimedOut.rawValue + 1 }
}

/// The metrics of a running proxy. Each worker writes only its own row, with relaxed stores, so that counting costs no
/// more than adding to a variable; readers sum the rows. Metrics that workers share are atomic.
///
/// Owns its memory and never frees it: a `MetricsWriter` stays valid until the process ends.
package final class Metrics: Sendable {
    /// The number of rows: one for each worker, and one for the control thread.
    package let workers: Int
    /// The number of servers of all upstreams.
    package let servers: Int
    /// Access to the metrics.
    package let view: MetricsWriter

    /// Metrics with all values 0.
    package init(workers: Int, servers: Int) {
        self.workers = workers
        self.servers = servers
        let rows = UnsafeMutablePointer<Atomic<Int64>>.allocate(
            capacity: max(1, workers * servers * ServerMetric.count))
        for index in 0..<(workers * servers * ServerMetric.count) { (rows + index).initialize(to: Atomic(0)) }
        let shared = UnsafeMutablePointer<Atomic<Int64>>.allocate(
            capacity: max(1, servers * SharedMetric.count))
        for index in 0..<(servers * SharedMetric.count) { (shared + index).initialize(to: Atomic(0)) }
        let clients = UnsafeMutablePointer<Atomic<Int64>>.allocate(capacity: 1)
        clients.initialize(to: Atomic(0))
        let counters = UnsafeMutablePointer<Atomic<Int64>>.allocate(capacity: AbuseCounter.count)
        for index in 0..<AbuseCounter.count { (counters + index).initialize(to: Atomic(0)) }
        let refusals = UnsafeMutablePointer<Atomic<Int64>>.allocate(capacity: ProxyRefusal.count)
        for index in 0..<ProxyRefusal.count { (refusals + index).initialize(to: Atomic(0)) }
        view = MetricsWriter(
            rows: rows, shared: shared, clients: clients, counters: counters, refusals: refusals,
            servers: servers)
    }

    /// The sum of a metric of one server over all workers.
    package func sum(_ metric: ServerMetric, server: Int) -> Int64 {
        (0..<workers).reduce(0) { $0 + view.read(metric, worker: $1, server: server) }
    }
}

/// Access to the metrics: a few pointers by value, without reference counting. Valid until the process ends.
package struct MetricsWriter: @unchecked Sendable {
    private let rows: UnsafeMutablePointer<Atomic<Int64>>
    private let shared: UnsafeMutablePointer<Atomic<Int64>>
    private let clients: UnsafeMutablePointer<Atomic<Int64>>
    private let counters: UnsafeMutablePointer<Atomic<Int64>>
    private let refusals: UnsafeMutablePointer<Atomic<Int64>>
    private let servers: Int

    fileprivate init(
        rows: UnsafeMutablePointer<Atomic<Int64>>, shared: UnsafeMutablePointer<Atomic<Int64>>,
        clients: UnsafeMutablePointer<Atomic<Int64>>, counters: UnsafeMutablePointer<Atomic<Int64>>,
        refusals: UnsafeMutablePointer<Atomic<Int64>>, servers: Int
    ) {
        self.rows = rows
        self.shared = shared
        self.clients = clients
        self.counters = counters
        self.refusals = refusals
        self.servers = servers
    }

    /// Adds to a metric of the caller's own row. Only the thread of `worker` may call this.
    package func add(_ metric: ServerMetric, worker: Int, server: Int, _ delta: Int64 = 1) {
        let cell = rows + (worker * servers + server) * ServerMetric.count + metric.rawValue
        cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ delta, ordering: .relaxed)
    }

    /// The value of a metric in one worker's row.
    package func read(_ metric: ServerMetric, worker: Int, server: Int) -> Int64 {
        (rows + (worker * servers + server) * ServerMetric.count + metric.rawValue).pointee.load(
            ordering: .relaxed)
    }

    /// The value of a shared metric.
    package func load(_ metric: SharedMetric, server: Int) -> Int64 {
        cell(metric, server).pointee.load(ordering: .relaxed)
    }

    /// Replaces the value of a shared metric.
    package func store(_ metric: SharedMetric, server: Int, _ value: Int64) {
        cell(metric, server).pointee.store(value, ordering: .relaxed)
    }

    /// Adds to a shared metric.
    package func add(_ metric: SharedMetric, server: Int, _ delta: Int64) {
        cell(metric, server).pointee.add(delta, ordering: .relaxed)
    }

    /// Adds one to a shared metric if it is below `limit`; otherwise returns false.
    package func claim(_ metric: SharedMetric, server: Int, limit: Int64) -> Bool {
        let claimed = cell(metric, server).pointee.add(1, ordering: .relaxed).newValue
        if claimed <= limit { return true }
        add(metric, server: server, -1)
        return false
    }

    /// Adds `times` to a counter, which all workers share.
    package func increment(_ counter: AbuseCounter, _ times: Int64 = 1) {
        guard times > 0 else { return }
        (counters + counter.rawValue).pointee.add(times, ordering: .relaxed)
    }

    /// The value of a counter.
    package func load(_ counter: AbuseCounter) -> Int64 {
        (counters + counter.rawValue).pointee.load(ordering: .relaxed)
    }

    /// Counts a connection that was rejected by the PROXY protocol; all workers share the counter.
    package func increment(_ refusal: ProxyRefusal) {
        (refusals + refusal.rawValue).pointee.add(1, ordering: .relaxed)
    }

    /// The number of connections that were rejected for this reason.
    package func load(_ refusal: ProxyRefusal) -> Int64 {
        (refusals + refusal.rawValue).pointee.load(ordering: .relaxed)
    }

    /// Open client connections, over all workers.
    package var clientCount: Int64 { clients.pointee.load(ordering: .relaxed) }

    /// Counts a new client connection if there are fewer than `limit`; otherwise returns false.
    package func admitClient(limit: Int64) -> Bool {
        if clients.pointee.add(1, ordering: .relaxed).newValue <= limit { return true }
        releaseClient()
        return false
    }

    /// Counts a client connection as closed.
    package func releaseClient() {
        clients.pointee.subtract(1, ordering: .relaxed)
    }

    /// Replaces the value of a shared metric if it is still `old`; otherwise returns false.
    package func exchange(_ metric: SharedMetric, server: Int, old: Int64, new: Int64) -> Bool {
        cell(metric, server).pointee.compareExchange(expected: old, desired: new, ordering: .relaxed).exchanged
    }

    private func cell(_ metric: SharedMetric, _ server: Int) -> UnsafeMutablePointer<Atomic<Int64>> {
        shared + server * SharedMetric.count + metric.rawValue
    }
}
