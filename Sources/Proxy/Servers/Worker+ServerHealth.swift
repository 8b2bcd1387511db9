import Balancing
import Kernel
import Logging
import Telemetry

/// What is known of servers' health, by checks and by traffic.
extension Worker where Outside: ~Copyable {
    /// A connection could not be opened. Counts like a failed check, at once. Refusals in a row show in time that the
    /// process is gone.
    mutating func noteConnectFailure(_ server: Int, code: CInt) {
        metrics.count(.connectFailures, server: server)
        if ErrorNumber.isOwnFault(code) { return }
        if code == ErrorNumber.refused {
            servers[server].refusal = servers[server].refusals.refused(at: clock.now.nanoseconds)
        }
        recordHealth(server, .failed)
    }

    /// Counts a check, or what is as good as one, on the tracker that all workers share.
    mutating func recordHealth(_ server: Int, _ outcome: HealthTracker.Outcome) {
        // Another thread may be recording too; it is one word, and no thread loses more often than there are threads.
        for _ in 0..<64 {
            let old = metrics.load(.health, server: server)
            var tracker = HealthTracker(packed: UInt64(bitPattern: old))
            let change = tracker.record(outcome)
            let new = Int64(bitPattern: tracker.packed)
            guard metrics.writer.replace(.health, server: server, old: old, with: new) == .replaced else { continue }
            if let change {
                metrics.writer.noteHealthChange()
                announce(change, server)
                if change == .unhealthy { endExchangesEverywhere(of: server) }
            }
            return
        }
    }

    private func announce(_ verdict: HealthTracker.Verdict, _ server: Int) {
        control.log?.notice(
            "server \(servers[server].plan.name) is \(verdict == .healthy ? "healthy" : "unhealthy")",
            metadata: ["upstream": "\(servers.upstreams[servers.upstream(of: server)].plan.name)"])
    }
}
