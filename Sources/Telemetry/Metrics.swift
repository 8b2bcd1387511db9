import Synchronization

/// What is counted per worker and endpoint. Gauges first, then totals since the start.
package enum ServerMetric: Int, CaseIterable, Sendable {
    /// Connections kept for reuse.
    case parked
    /// Connections that carry a call, or are being opened for one.
    case active
    /// Connections that carry an event stream.
    case streaming
    /// Exchanges in the queue for this endpoint or, unpinned, counted at the endpoint they were first meant for.
    case waiting
    case requests
    case connectionsOpened
    case connectFailures
    /// Requests sent again because a reused connection turned out closed.
    case replays
    /// Sessions that began and sessions that were seen to end, through this worker.
    case sessionsOpened, sessionsEnded
    /// Replies of our own: 404 for sessions that are gone, 502, 503, 504.
    case sessionsNotFound, badGateway, unavailable, timedOut

    static var count: Int { timedOut.rawValue + 1 }
}

/// Numbers that all workers share about one endpoint, changed by read-modify-write: the cold ones.
package enum SharedMetric: Int, CaseIterable, Sendable {
    /// Connections open for calls, all workers together: what `pool.max` bounds.
    case connections
    /// Connections that carry event streams: what `pool.max_streams` bounds.
    case streams
    /// Exchanges waiting, all workers together: what `queue.max` bounds.
    case waiting
    /// A packed `HealthTracker`.
    case health
    /// Unix seconds when a connection to it was last refused: sessions sealed before that are gone. 0: never.
    case lastRefused

    static var count: Int { lastRefused.rawValue + 1 }
}

/// What clients did that cost too much, but for the last on HTTP/2 connections. The first twelve ended the connection.
package enum AbuseCounter: Int, CaseIterable, Sendable {
    case resets, refusals, pings, settings, emptyData, priorities, windowUpdates, continuations, ignoredFrames
    case headerLists, headText, queuedFrames
    /// Connections ended for what is no HTTP/2 or cannot be decoded.
    case brokenConnections
    /// Streams given up because the client did not open their windows.
    case stalledStreams
    /// Streams refused because too many were open, or too many bytes of their heads under way.
    case refusedStreams
    /// Requests answered 431, and malformed ones.
    case largeHeads, malformedRequests
    /// TLS connections that ended before their handshake did.
    case failedHandshakes

    static var count: Int { failedHandshakes.rawValue + 1 }
}

/// Why a connection was refused where a PROXY header was to come.
package enum ProxyRefusal: Int, CaseIterable, Sendable {
    /// It came from an address that is not trusted to say who a client is.
    case untrusted
    /// It began with something else, or with a header that makes no sense.
    case malformed
    /// Its header did not come in time.
    case proxyHeaderTimedOut

    static var count: Int { proxyHeaderTimedOut.rawValue + 1 }
}

/// The numbers of a running proxy. A worker writes only its own row, with plain stores, so counting costs what
/// adding to a variable costs; readers sum over rows. The few shared figures are true atomics.
///
/// Owns its memory and lives as long as the process: views of it never dangle because nobody frees a board that
/// was handed to a worker.
package final class Metrics: Sendable {
    package let workers: Int
    package let servers: Int
    package let view: MetricsWriter

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

    /// The figure of one endpoint over all workers.
    package func sum(_ metric: ServerMetric, server: Int) -> Int64 {
        (0..<workers).reduce(0) { $0 + view.read(metric, worker: $1, server: server) }
    }
}

/// A worker's way to the board: five pointers by value, no reference count. Valid for the life of the process.
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

    /// Adds to the caller's own row. Only the thread that is `worker` may call this.
    package func add(_ metric: ServerMetric, worker: Int, server: Int, _ delta: Int64 = 1) {
        let cell = rows + (worker * servers + server) * ServerMetric.count + metric.rawValue
        cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ delta, ordering: .relaxed)
    }

    package func read(_ metric: ServerMetric, worker: Int, server: Int) -> Int64 {
        (rows + (worker * servers + server) * ServerMetric.count + metric.rawValue).pointee.load(
            ordering: .relaxed)
    }

    package func load(_ metric: SharedMetric, server: Int) -> Int64 {
        cell(metric, server).pointee.load(ordering: .relaxed)
    }

    package func store(_ metric: SharedMetric, server: Int, _ value: Int64) {
        cell(metric, server).pointee.store(value, ordering: .relaxed)
    }

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

    /// Counts `times` incidents, all workers together.
    package func increment(_ counter: AbuseCounter, _ times: Int64 = 1) {
        guard times > 0 else { return }
        (counters + counter.rawValue).pointee.add(times, ordering: .relaxed)
    }

    package func load(_ counter: AbuseCounter) -> Int64 {
        (counters + counter.rawValue).pointee.load(ordering: .relaxed)
    }

    /// Counts a connection that was refused for its PROXY header, all workers together.
    package func increment(_ refusal: ProxyRefusal) {
        (refusals + refusal.rawValue).pointee.add(1, ordering: .relaxed)
    }

    package func load(_ refusal: ProxyRefusal) -> Int64 {
        (refusals + refusal.rawValue).pointee.load(ordering: .relaxed)
    }

    /// Client connections, all workers together.
    package var clientCount: Int64 { clients.pointee.load(ordering: .relaxed) }

    /// Counts one more client connection unless there are `limit` already; false then.
    package func admitClient(limit: Int64) -> Bool {
        if clients.pointee.add(1, ordering: .relaxed).newValue <= limit { return true }
        releaseClient()
        return false
    }

    package func releaseClient() {
        clients.pointee.subtract(1, ordering: .relaxed)
    }

    /// Replaces the value if it still is `old`; false, with nothing changed, if another thread was faster.
    package func exchange(_ metric: SharedMetric, server: Int, old: Int64, new: Int64) -> Bool {
        cell(metric, server).pointee.compareExchange(expected: old, desired: new, ordering: .relaxed).exchanged
    }

    private func cell(_ metric: SharedMetric, _ server: Int) -> UnsafeMutablePointer<Atomic<Int64>> {
        shared + server * SharedMetric.count + metric.rawValue
    }
}
