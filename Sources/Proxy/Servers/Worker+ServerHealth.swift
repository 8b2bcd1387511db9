import Balancing
import Kernel
import Logging
import Telemetry

/// What is known of servers' health, by checks and by traffic.
extension Worker where Outside: ~Copyable {
    /// A connection could not be opened. Counts like a failed check, at once; a refusal is more: nothing listens there, so
    /// the process and its sessions are gone.
    mutating func noteConnectFailure(_ server: Int, code: CInt) {
        metrics.count(.connectFailures, server: server)
        if ErrorNumber.isOwnFault(code) { return }
        noteRefusal(server, code: code)
        recordHealth(server, .failed)
    }

    /// Remembers when a server refused a connection: sessions of before are gone.
    mutating func noteRefusal(_ server: Int, code: CInt) {
        guard code == ErrorNumber.refused else { return }
        metrics.store(.lastRefused, server: server, Int64(io.world.wallSeconds()))
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
