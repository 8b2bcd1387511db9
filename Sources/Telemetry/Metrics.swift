import Glibc
import Synchronization

/// The metrics of a running proxy. Each worker writes only its own row, with relaxed stores, so that counting costs no
/// more than adding to a variable; readers sum the rows. Metrics that workers share are atomic.
///
/// Owns its memory and never frees it: a `MetricsWriter` stays valid until the process ends. The memory of slots that
/// were never used is never touched.
package final class Metrics: Sendable {
    /// The number of rows: one for each worker, and one for the control thread.
    package let workers: Int
    /// The number of slots for servers.
    package let servers: Int
    /// The number of slots for listeners.
    package let listeners: Int
    /// Access to the metrics.
    package let view: MetricsWriter
    /// What calls came to, and how long they took.
    package let calls: CallMetrics
    /// What processes before this one have counted; part of every sum.
    package let inherited: InheritedCounters

    /// Metrics with `workers` rows, `servers` slots, which are as many for upstreams, and `listeners` slots, all values 0.
    package init(
        workers: Int, servers: Int, listeners: Int = 1_024, calls limits: CallMetrics.Limits = CallMetrics.Limits()
    ) {
        self.workers = workers
        self.servers = max(1, servers)
        self.listeners = max(1, listeners)
        inherited = InheritedCounters(servers: self.servers)
        calls = CallMetrics(workers: workers, servers: self.servers, limits: limits)
        view = MetricsWriter(
            rows: Counters(workers * self.servers * ServerMetric.count),
            shared: Counters(self.servers * SharedMetric.count),
            waiting: Counters(self.servers),
            turns: Counters(self.servers),
            exchanges: Counters(workers * ExchangeMetric.count),
            rejections: Counters(workers * MetricsWriter.rejectionReasons),
            loops: Counters(workers * WorkerMetric.count),
            process: Counters(3),
            clients: Counters(self.listeners),
            abuse: Counters(AbuseCounter.count),
            refusals: Counters(ProxyRefusal.count),
            connectionRefusals: Counters(ConnectionRefusal.count),
            recoveries: Counters(RecoveryCounter.count),
            servers: self.servers, listeners: self.listeners)
    }

    /// The sum of a metric of one server over all workers.
    package func sum(_ metric: ServerMetric, server: Int) -> Int64 {
        (0..<workers).reduce(inherited.load(metric, server: server)) {
            $0 + view.read(metric, worker: $1, server: server)
        }
    }

    /// The sum of a number over all workers.
    package func sum(_ metric: WorkerMetric) -> Int64 {
        (0..<workers).reduce(0) { $0 &+ view.read(metric, worker: $1) }
    }

    /// The sum of a metric of exchanges over all workers.
    package func sum(_ metric: ExchangeMetric) -> Int64 {
        (0..<workers).reduce(inherited.load(metric)) { $0 + view.read(metric, worker: $1) }
    }

    /// How often the proxy answered for this reason, over all workers.
    package func rejections(reason: Int) -> Int64 {
        (0..<workers).reduce(inherited.load(reason: reason)) { $0 + view.rejections(reason: reason, worker: $1) }
    }

    /// Sets all metrics of a slot to 0, before another server gets it. No worker may use the slot.
    package func reset(server: Int) {
        for metric in SharedMetric.allCases { view.store(metric, server: server, 0) }
        inherited.reset(server: server)
        calls.reset(server: server)
        for worker in 0..<workers {
            for metric in ServerMetric.allCases {
                view.add(metric, worker: worker, server: server, -view.read(metric, worker: worker, server: server))
            }
        }
    }
}

/// Memory whose bytes are 0 at first. It is never freed, and large memory costs nothing until it is used.
func zeroedMemory<Value: ~Copyable>(_ type: Value.Type, count: Int) -> UnsafeMutablePointer<Value> {
    let size = max(1, count) * MemoryLayout<Value>.stride
    // The kernel provides zeroed pages on first use. calloc(3) has them only as long as nothing of that size was ever freed:
    // after that it clears what it took back, and each page counts as used.
    let memory =
        size < 1 << 16
        ? calloc(1, size)
        : mmap(nil, size, PROT_READ | PROT_WRITE, CInt(MAP_PRIVATE) | CInt(MAP_ANONYMOUS), -1, 0)
    guard let memory, memory != MAP_FAILED else { fatalError("out of memory") }
    return memory.bindMemory(to: Value.self, capacity: max(1, count))
}

/// Memory for atomic numbers, which are 0 at first. It is never freed.
struct Counters: @unchecked Sendable {
    private let base: UnsafeMutablePointer<Atomic<Int64>>

    /// An atomic 0 has only zero bits.
    init(_ count: Int) { base = zeroedMemory(Atomic<Int64>.self, count: count) }

    @inline(__always)
    subscript(index: Int) -> UnsafeMutablePointer<Atomic<Int64>> { base + index }
}

extension UnsafeMutablePointer where Pointee == Atomic<Int64> {
    /// Adds to a number that only this thread changes.
    @inline(__always)
    func increase(by delta: Int64) { pointee.store(pointee.load(ordering: .relaxed) &+ delta, ordering: .relaxed) }
}
