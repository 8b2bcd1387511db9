import Balancing
package import Kernel
import Reactor
import Telemetry

/// Ejections by order of an operator.
extension ProxyServer {
    /// What an order came to.
    package enum EjectionResult: Sendable { case changed, unchanged }

    /// Gives a server of the snapshot in force no new work for so long, whatever its work comes to and however few others are
    /// left; nil ends that, and an ejection by outlier detection too.
    package func eject(_ plan: ServerPlan, for time: Interval?) -> EjectionResult {
        let now = Instant.now()
        let end = time.map { now + $0 }
        var hasChanged = true
        let shared = WorkerMetrics(
            writer: metrics.view, worker: workers, workers: workers + 1, trafficWorkers: workers)
        shared.updateOutlierDetector(Int(plan.id.slot)) { detector in
            if let end {
                detector.eject(until: end.nanoseconds)
            } else {
                hasChanged = detector.readmitEarly(at: now.nanoseconds)
            }
        }
        guard hasChanged else { return .unchanged }
        for mailbox in mailboxes { mailbox.postAlways(.ejectionOrdered(plan.id, until: end)) }
        return .changed
    }
}
