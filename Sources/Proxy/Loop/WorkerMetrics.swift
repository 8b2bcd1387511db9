import Balancing
import Kernel
import MCP
import Telemetry

/// A worker's share of the metrics: its own row of every server, and what all workers count together.
struct WorkerMetrics {
    let writer: MetricsWriter
    /// This worker's series of calls.
    let calls: CallRecorder
    /// Takes calls that are over to whoever logs them.
    let ring: CallRing
    /// This worker's row.
    let worker: Int
    /// Rows, the control thread's included.
    let workers: Int
    /// Workers that carry traffic.
    let trafficWorkers: Int

    /// Adds to this worker's row of a server; a negative `server` means none was chosen yet, and nothing is counted.
    func count(_ metric: ServerMetric, server: Int, _ delta: Int64 = 1) {
        guard server >= 0 else { return }
        writer.add(metric, worker: worker, server: server, delta)
    }

    /// Adds to a number that all workers share.
    func add(_ metric: SharedMetric, server: Int, _ delta: Int64) { writer.add(metric, server: server, delta) }

    /// A server, by its slot, has one session less.
    func sessionEnded(server: Int) {
        guard server >= 0 else { return }
        writer.releaseOne(.sessions, server: server)
    }

    /// Adds one to a number that all workers share, unless that would pass `limit`.
    func claim(_ metric: SharedMetric, server: Int, limit: Int64) -> Claim {
        writer.claim(metric, server: server, limit: limit)
    }

    func load(_ metric: SharedMetric, server: Int) -> Int64 { writer.load(metric, server: server) }
    func store(_ metric: SharedMetric, server: Int, _ value: Int64) { writer.store(metric, server: server, value) }
    func read(_ metric: ServerMetric, worker: Int, server: Int) -> Int64 {
        writer.read(metric, worker: worker, server: server)
    }
    /// Counts one more client connection of a listener, unless it has `limit` already.
    func admitClient(listener: Int, limit: Int64) -> Admission { writer.admitClient(listener: listener, limit: limit) }
    func releaseClient(listener: Int) { writer.releaseClient(listener: listener) }
    func increment(_ counter: AbuseCounter) { writer.increment(counter) }
    func increment(_ counter: RecoveryCounter) { writer.increment(counter) }
    func increment(_ refusal: ProxyRefusal) { writer.increment(refusal) }
    func increment(_ refusal: ConnectionRefusal) { writer.add(refusal, 1) }

    /// How short of memory the process is.
    var memoryLevel: MemoryLevel { MemoryLevel(rawValue: writer.memoryLevel) ?? .normal }

    /// The proxy answers for this reason.
    func countRejection(_ fault: ExchangeFault) { writer.addRejection(reason: Int(fault.rawValue), worker: worker) }

    func isHealthy(server: Int) -> Bool {
        HealthTracker(packed: UInt64(bitPattern: writer.load(.health, server: server))).isHealthy
    }

    func outlierDetector(server: Int) -> OutlierDetector {
        OutlierDetector(packed: UInt64(bitPattern: writer.load(.outlier, server: server)))
    }

    /// What a server speaks, as far as its checks have found out.
    func revisions(server: Int) -> ProtocolRevisions {
        ProtocolRevisions(rawValue: UInt16(truncatingIfNeeded: writer.load(.revisions, server: server)))
    }

    /// Outlier detection keeps new work from it.
    func isEjected(server: Int) -> Bool { outlierDetector(server: server).isEjected }

    /// Changes a server's outlier detector, which all workers share. `change` may be called several times, each time with
    /// the present state; what the last call made of it stays.
    func updateOutlierDetector(_ server: Int, _ change: (inout OutlierDetector) -> Void) {
        // One word, and no thread loses more often than there are threads.
        for _ in 0..<64 {
            let old = writer.load(.outlier, server: server)
            var detector = OutlierDetector(packed: UInt64(bitPattern: old))
            change(&detector)
            let new = Int64(bitPattern: detector.packed)
            if new == old || writer.replace(.outlier, server: server, old: old, with: new) == .replaced { return }
        }
    }

    /// A client was accepted, or its TLS handshake is complete.
    func count(_ metric: WorkerMetric) { writer.add(metric, worker: worker) }

    /// A message waited so long.
    func noteLag(_ lag: Interval) {
        writer.store(.loopLag, worker: worker, Int64(clamping: lag.nanoseconds))
    }

    /// An exchange begins.
    func exchangeBegan() { writer.add(.began, worker: worker) }

    /// An exchange is over.
    func exchangeEnded(_ record: ExchangeRecord) {
        writer.add(record.outcome.metric, worker: worker)
        writer.add(.requestBytes, worker: worker, Int64(truncatingIfNeeded: record.requestBytes))
        writer.add(.responseBytes, worker: worker, Int64(truncatingIfNeeded: record.responseBytes))
    }

    /// Calls that are in progress at a server now, over all workers.
    func activeCalls(server: Int) -> Int64 {
        var sum: Int64 = 0
        for worker in 0..<workers { sum += writer.read(.active, worker: worker, server: server) }
        return sum
    }

    /// This worker's part of a number that is meant for all of them together.
    func share(of total: Int64) -> Int64 {
        let base = total / Int64(trafficWorkers)
        return base + (Int64(worker) < total % Int64(trafficWorkers) ? 1 : 0)
    }
}
