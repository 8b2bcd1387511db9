import Glibc
import Synchronization

/// The numbers of a running proxy. A worker writes only its own row, with plain stores, so counting costs what
/// adding to a variable costs; readers sum over rows. The few shared numbers are true atomics.
///
/// Owns its memory and lives as long as the process: writers never dangle because nobody frees metrics that were handed
/// to a worker. Memory for servers that were never used is never touched.
package final class Metrics: Sendable {
    /// Rows, the control thread's included.
    package let workers: Int
    /// Slots of servers.
    package let servers: Int
    /// What changes the numbers.
    package let view: MetricsWriter

    /// For `workers` rows and `servers` slots, all zero.
    package init(workers: Int, servers: Int) {
        self.workers = workers
        self.servers = max(1, servers)
        view = MetricsWriter(
            rows: Counters(workers * self.servers * ServerMetric.count),
            shared: Counters(self.servers * SharedMetric.count),
            waiting: Counters(self.servers),
            exchanges: Counters(workers * ExchangeMetric.count),
            process: Counters(2),
            abuse: Counters(AbuseCounter.count),
            refusals: Counters(ProxyRefusal.count),
            servers: self.servers)
    }

    /// The number of one server over all workers.
    package func sum(_ metric: ServerMetric, server: Int) -> Int64 {
        (0..<workers).reduce(0) { $0 + view.read(metric, worker: $1, server: server) }
    }

    /// Exchanges over all workers.
    package func sum(_ metric: ExchangeMetric) -> Int64 {
        (0..<workers).reduce(0) { $0 + view.read(metric, worker: $1) }
    }

    /// Sets all numbers of a slot to zero: it is another server's from here on. No worker uses it now.
    package func reset(server: Int) {
        for metric in SharedMetric.allCases { view.store(metric, server: server, 0) }
        for worker in 0..<workers {
            for metric in ServerMetric.allCases {
                view.add(metric, worker: worker, server: server, -view.read(metric, worker: worker, server: server))
            }
        }
    }
}

/// Memory for atomic numbers, zero at first. It is never freed.
struct Counters: @unchecked Sendable {
    private let base: UnsafeMutablePointer<Atomic<Int64>>

    /// The kernel gives zeroed pages on first use; an atomic zero is all zero bits.
    init(_ count: Int) {
        guard let memory = calloc(max(1, count), MemoryLayout<Atomic<Int64>>.stride) else {
            fatalError("out of memory")
        }
        base = memory.bindMemory(to: Atomic<Int64>.self, capacity: max(1, count))
    }

    @inline(__always)
    subscript(index: Int) -> UnsafeMutablePointer<Atomic<Int64>> { base + index }
}
