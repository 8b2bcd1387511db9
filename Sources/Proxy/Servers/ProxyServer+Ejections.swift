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
        let slot = Int(plan.id.slot)
        var hasChanged = true
        // One word, which workers change too; no thread loses more often than there are threads.
        for _ in 0..<64 {
            let old = metrics.view.load(.outlier, server: slot)
            var detector = OutlierDetector(packed: UInt64(bitPattern: old))
            if let end { detector.eject(until: end.nanoseconds) }
            if end == nil { hasChanged = detector.readmitEarly(at: now.nanoseconds) }
            let new = Int64(bitPattern: detector.packed)
            if metrics.view.replace(.outlier, server: slot, old: old, with: new) == .replaced { break }
        }
        guard hasChanged else { return .unchanged }
        for mailbox in mailboxes { mailbox.postAlways(.ejectionOrdered(plan.id, until: end)) }
        return .changed
    }
}
