import Synchronization

/// Access to the metrics: a few pointers by value, without reference counting. Valid until the process ends.
package struct MetricsWriter: Sendable {
    private let rows: Counters
    private let shared: Counters
    private let waiting: Counters
    private let turns: Counters
    private let exchanges: Counters
    private let rejections: Counters
    private let loops: Counters
    private let process: Counters
    private let clients: Counters
    private let abuse: Counters
    private let refusals: Counters
    private let connectionRefusals: Counters
    private let recoveries: Counters
    private let servers: Int
    private let listeners: Int

    init(
        rows: Counters, shared: Counters, waiting: Counters, turns: Counters, exchanges: Counters,
        rejections: Counters, loops: Counters, process: Counters, clients: Counters, abuse: Counters,
        refusals: Counters, connectionRefusals: Counters,
        recoveries: Counters, servers: Int, listeners: Int
    ) {
        self.rows = rows
        self.shared = shared
        self.waiting = waiting
        self.turns = turns
        self.exchanges = exchanges
        self.rejections = rejections
        self.loops = loops
        self.process = process
        self.clients = clients
        self.abuse = abuse
        self.refusals = refusals
        self.connectionRefusals = connectionRefusals
        self.recoveries = recoveries
        self.servers = servers
        self.listeners = listeners
    }

    // MARK: - Rows of workers

    /// Adds to a metric of the caller's own row. Only the thread of `worker` may call this.
    package func add(_ metric: ServerMetric, worker: Int, server: Int, _ delta: Int64 = 1) {
        let cell = rows[(worker * servers + server) * ServerMetric.count + metric.rawValue]
        cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ delta, ordering: .relaxed)
    }

    /// The value of a metric in one worker's row.
    package func read(_ metric: ServerMetric, worker: Int, server: Int) -> Int64 {
        rows[(worker * servers + server) * ServerMetric.count + metric.rawValue].pointee.load(ordering: .relaxed)
    }

    /// Adds to a metric of the caller's own row. Only the thread of `worker` may call this.
    package func add(_ metric: ExchangeMetric, worker: Int, _ delta: Int64 = 1) {
        let cell = exchanges[worker * ExchangeMetric.count + metric.rawValue]
        cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ delta, ordering: .relaxed)
    }

    /// The value of a metric in one worker's row.
    package func read(_ metric: ExchangeMetric, worker: Int) -> Int64 {
        exchanges[worker * ExchangeMetric.count + metric.rawValue].pointee.load(ordering: .relaxed)
    }

    /// Adds to a number of the caller's own. Only the thread of `worker` may call this.
    package func add(_ metric: WorkerMetric, worker: Int, _ delta: Int64 = 1) {
        loops[worker * WorkerMetric.count + metric.rawValue].increase(by: delta)
    }

    /// Replaces a number of the caller's own. Only the thread of `worker` may call this.
    package func store(_ metric: WorkerMetric, worker: Int, _ value: Int64) {
        loops[worker * WorkerMetric.count + metric.rawValue].pointee.store(value, ordering: .relaxed)
    }

    /// A number of one worker.
    package func read(_ metric: WorkerMetric, worker: Int) -> Int64 {
        loops[worker * WorkerMetric.count + metric.rawValue].pointee.load(ordering: .relaxed)
    }

    /// Reasons for the proxy's own responses that can be told apart.
    package static var rejectionReasons: Int { 64 }

    /// Counts a response of the proxy's own in the caller's row, by a reason from 0 to 63. Only the thread of `worker` may
    /// call this.
    package func addRejection(reason: Int, worker: Int) {
        let cell = rejections[worker * MetricsWriter.rejectionReasons + (reason & (MetricsWriter.rejectionReasons - 1))]
        cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    /// How often one worker counted this reason.
    package func rejections(reason: Int, worker: Int) -> Int64 {
        rejections[worker * MetricsWriter.rejectionReasons + reason].pointee.load(ordering: .relaxed)
    }

    // MARK: - Shared by all workers

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

    /// Takes one from a shared metric that is above 0.
    package func releaseOne(_ metric: SharedMetric, server: Int) {
        let cell = cell(metric, server)
        var value = cell.pointee.load(ordering: .relaxed)
        while value > 0 {
            let change = cell.pointee.weakCompareExchange(expected: value, desired: value - 1, ordering: .relaxed)
            if change.exchanged { return }
            value = change.original
        }
    }

    /// Adds one to a shared metric if it is below `limit`. What is granted is given back by adding -1.
    package func claim(_ metric: SharedMetric, server: Int, limit: Int64) -> Claim {
        let claimed = cell(metric, server).pointee.add(1, ordering: .relaxed).newValue
        if claimed <= limit { return .granted }
        add(metric, server: server, -1)
        return .denied
    }

    /// Replaces the value of a shared metric if it is still `old`.
    package func replace(_ metric: SharedMetric, server: Int, old: Int64, with new: Int64) -> Replacement {
        let cell = cell(metric, server)
        let isReplaced = cell.pointee.compareExchange(expected: old, desired: new, ordering: .relaxed).exchanged
        return isReplaced ? .replaced : .outdated
    }

    private func cell(_ metric: SharedMetric, _ server: Int) -> UnsafeMutablePointer<Atomic<Int64>> {
        shared[server * SharedMetric.count + metric.rawValue]
    }

    /// The number of changes of servers' health. A reader that caches their health compares it with the last it saw.
    package var healthEpoch: Int { Int(process[0].pointee.load(ordering: .acquiring)) }

    /// Counts a change of a server's health.
    package func noteHealthChange() { process[0].pointee.add(1, ordering: .releasing) }

    /// The number of sessions that were recovered. As long as it is 0, every session is where its id says.
    package var recoveryEpoch: UInt32 {
        UInt32(truncatingIfNeeded: process[1].pointee.load(ordering: .acquiring))
    }

    /// Counts a session as recovered, before anybody is told of its new place. Never 0 again.
    package func noteRecovery() {
        let epoch = process[1].pointee.add(1, ordering: .releasing).newValue
        if UInt32(truncatingIfNeeded: epoch) == 0 { process[1].pointee.add(1, ordering: .releasing) }
    }

    /// Adds one to a counter, which all workers share.
    package func increment(_ counter: RecoveryCounter) {
        recoveries[counter.rawValue].pointee.add(1, ordering: .relaxed)
    }

    /// The value of a counter.
    package func load(_ counter: RecoveryCounter) -> Int64 {
        recoveries[counter.rawValue].pointee.load(ordering: .relaxed)
    }

    /// Exchanges in the queue of an upstream, over all workers; limited by `queue.max`.
    package func waiting(upstream: Int) -> Int64 { waiting[upstream].pointee.load(ordering: .relaxed) }

    /// Counts an exchange in the queue if there are fewer than `limit`.
    package func claimQueuePlace(upstream: Int, limit: Int64) -> Claim {
        if waiting[upstream].pointee.add(1, ordering: .relaxed).newValue <= limit { return .granted }
        releaseQueuePlace(upstream: upstream)
        return .denied
    }

    /// Counts an exchange as having left the queue.
    package func releaseQueuePlace(upstream: Int) { waiting[upstream].pointee.subtract(1, ordering: .relaxed) }

    /// Takes turns of an upstream's rotation, which all workers share. Returns how many were taken before.
    package func takeTurns(_ count: Int64 = 1, upstream: Int) -> UInt64 {
        UInt64(bitPattern: turns[upstream].pointee.add(count, ordering: .relaxed).oldValue)
    }

    /// Open client connections, over all workers and listeners.
    package var clientCount: Int64 {
        var sum: Int64 = 0
        for listener in 0..<listeners { sum &+= clientCount(listener: listener) }
        return sum
    }

    /// Open client connections of a listener, over all workers. A listener beyond those that the metrics were made for
    /// counts with the last.
    package func clientCount(listener: Int) -> Int64 { clientCell(listener).pointee.load(ordering: .relaxed) }

    /// Counts a new client connection of a listener if it has fewer than `limit`.
    package func admitClient(listener: Int, limit: Int64) -> Admission {
        if clientCell(listener).pointee.add(1, ordering: .relaxed).newValue <= limit { return .admitted }
        releaseClient(listener: listener)
        return .refused
    }

    /// Counts a client connection of a listener as closed.
    package func releaseClient(listener: Int) { clientCell(listener).pointee.subtract(1, ordering: .relaxed) }

    private func clientCell(_ listener: Int) -> UnsafeMutablePointer<Atomic<Int64>> {
        clients[min(listener, listeners - 1)]
    }

    /// How short of memory the process is, as whoever looks at it has said last; 0: not at all.
    package var memoryLevel: Int64 {
        get { process[2].pointee.load(ordering: .relaxed) }
        nonmutating set { process[2].pointee.store(newValue, ordering: .relaxed) }
    }

    /// Adds one to a counter, which all workers share.
    package func increment(_ counter: AbuseCounter) { add(counter, 1) }

    /// Adds to a counter, which all workers share.
    package func add(_ counter: AbuseCounter, _ delta: Int64) {
        abuse[counter.rawValue].pointee.add(delta, ordering: .relaxed)
    }

    /// The value of a counter.
    package func load(_ counter: AbuseCounter) -> Int64 {
        abuse[counter.rawValue].pointee.load(ordering: .relaxed)
    }

    /// Counts a connection that was rejected by the PROXY protocol; all workers share the counter.
    package func increment(_ refusal: ProxyRefusal) { add(refusal, 1) }

    /// Adds to the number of connections that were rejected for this reason; all workers share it.
    package func add(_ refusal: ProxyRefusal, _ delta: Int64) {
        refusals[refusal.rawValue].pointee.add(delta, ordering: .relaxed)
    }

    /// The number of connections that were rejected for this reason.
    package func load(_ refusal: ProxyRefusal) -> Int64 {
        refusals[refusal.rawValue].pointee.load(ordering: .relaxed)
    }

    /// Adds to the number of connections that were closed at once for this reason; all workers share it.
    package func add(_ refusal: ConnectionRefusal, _ delta: Int64) {
        connectionRefusals[refusal.rawValue].pointee.add(delta, ordering: .relaxed)
    }

    /// The number of connections that were closed at once for this reason.
    package func load(_ refusal: ConnectionRefusal) -> Int64 {
        connectionRefusals[refusal.rawValue].pointee.load(ordering: .relaxed)
    }
}
