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
            servers[server].refusals.refused(at: clock.now.nanoseconds)
        }
        let problem = connectProblem(server, code: code)
        noteWork(server, .connect(problem))
        recordHealth(server, .failed, because: problem)
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
        noteProblem(server, problem)
        // Another thread may be recording too; it is one word, and no thread loses more often than there are threads.
        for _ in 0..<64 {
            let old = metrics.load(.health, server: server)
            var tracker = HealthTracker(packed: UInt64(bitPattern: old))
            let change = tracker.record(outcome)
            let new = Int64(bitPattern: tracker.packed)
            guard metrics.writer.replace(.health, server: server, old: old, with: new) == .replaced else { continue }
            if let change {
                if change == .healthy { noteReturn(server) }
                metrics.writer.noteHealthChange()
                announce(change, server, problem)
                if change == .unhealthy { endExchangesEverywhere(of: server) }
            }
            return
        }
    }

    /// Keeps why the last check failed, for whoever asks; nil: it passed.
    private func noteProblem(_ server: Int, _ problem: HealthProblem?) {
        if problem != nil { metrics.store(.problemAt, server: server, Int64(clamping: clock.now.nanoseconds)) }
        let word = problem?.packed ?? 0
        if metrics.load(.problem, server: server) != word { metrics.store(.problem, server: server, word) }
    }

    /// Logs that a server went down, and why, or came back; and that it was the last of its upstream, or the first.
    private func announce(_ verdict: HealthTracker.Verdict, _ server: Int, _ problem: HealthProblem?) {
        guard let log = control.log else { return }
        let upstream = servers.upstreams[servers.upstream(of: server)]
        let metadata: Logger.Metadata = ["upstream": "\(upstream.plan.name)"]
        var before = servers.condition(of: server, metrics)
        before.isHealthy = verdict == .unhealthy
        announcePanic(server, before: before)
        let name = "server \(servers[server].plan.name)"
        let others = upstream.members.count {
            $0 != server && servers.condition(of: $0, metrics).isEligible(.ejectedToo)
        }
        switch verdict {
        case .unhealthy:
            let reason = problem.map { ": \($0.text(request: upstream.plan.healthCheck.requestText))" } ?? ""
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

    /// Logs that an upstream has too few servers since one of them is not as it was, or enough again.
    func announcePanic(_ server: Int, before: ServerCondition) {
        let upstream = servers.upstream(of: server)
        let threshold = servers.upstreams[upstream].plan.panicThreshold
        guard let log = control.log, threshold > 0 else { return }
        let was = servers.mode(of: upstream, metrics, supposing: (server, before)) == .panic
        let isNow = servers.mode(of: upstream, metrics) == .panic
        guard was != isNow else { return }
        let name = servers.upstreams[upstream].plan.name
        if isNow {
            log.error(
                "upstream \(name) has less than \(threshold) % of its servers: work is spread over all of them",
                metadata: ["upstream": "\(name)"])
        } else {
            log.notice(
                "upstream \(name) has \(threshold) % of its servers or more: only those get work",
                metadata: ["upstream": "\(name)"])
        }
    }
}
