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
        recordHealth(server, .failed, because: connectProblem(server, code: code))
    }

    /// Remembers when a server refused a connection: sessions of before are gone.
    mutating func noteRefusal(_ server: Int, code: CInt) {
        guard code == ErrorNumber.refused else { return }
        metrics.store(.lastRefused, server: server, Int64(io.world.wallSeconds()))
    }

    private func connectProblem(_ server: Int, code: CInt) -> HealthProblem {
        if servers[server].plan.addresses.isEmpty { return .unresolved }
        return switch code {
        case ErrorNumber.timedOut:
            .connectTimedOut(servers.upstreams[servers.upstream(of: server)].plan.pool.connectTimeout)
        case ErrorNumber.protocolError: .handshake
        default: .connect(code)
        }
    }

    /// Counts a check, or what is as good as one, on the tracker that all workers share. `problem` is why one failed.
    mutating func recordHealth(
        _ server: Int, _ outcome: HealthTracker.Outcome, because problem: HealthProblem? = nil
    ) {
        // Another thread may be recording too; it is one word, and no thread loses more often than there are threads.
        for _ in 0..<64 {
            let old = metrics.load(.health, server: server)
            var tracker = HealthTracker(packed: UInt64(bitPattern: old))
            let change = tracker.record(outcome)
            guard metrics.writer.exchange(.health, server: server, old: old, new: Int64(bitPattern: tracker.packed))
            else { continue }
            if let change {
                metrics.writer.noteHealthChange()
                announce(change, server, problem)
            }
            return
        }
    }

    /// Logs that a server went down, and why, or came back; and that it was the last of its upstream, or the first.
    private func announce(_ verdict: HealthTracker.Verdict, _ server: Int, _ problem: HealthProblem?) {
        guard let log = control.log else { return }
        let upstream = servers.upstreams[servers.upstream(of: server)]
        let metadata: Logger.Metadata = ["upstream": "\(upstream.plan.name)"]
        let name = "server \(servers[server].plan.name)"
        let others = upstream.members.count { $0 != server && servers.condition(of: $0, metrics).isEligible }
        switch verdict {
        case .unhealthy:
            let reason = problem.map { ": \($0.text(path: upstream.plan.healthCheck.path))" } ?? ""
            log.warning("\(name) is unhealthy\(reason)", metadata: metadata)
            if others == 0 {
                log.error("upstream \(upstream.plan.name) has no healthy server left", metadata: metadata)
            }
        case .healthy:
            log.notice("\(name) is healthy again", metadata: metadata)
            if others == 0 {
                log.notice("upstream \(upstream.plan.name) has a healthy server again", metadata: metadata)
            }
        }
    }
}
