import Balancing
import Kernel
import Logging
import Reactor
import Telemetry

/// What is known of servers' health, by probes and by traffic.
extension Worker where Outside: ~Copyable {
    // Errno values by which faults are told apart; the numbers are Linux's.
    var refusedCode: CInt { 111 }
    var brokenPipeCode: CInt { 32 }
    var timedOutCode: CInt { 110 }
    var outOfMemoryCode: CInt { 12 }

    /// Whether a dial failed for want of something on this machine: descriptors, memory, local ports.
    func isOwnFault(_ code: CInt) -> Bool {
        switch code {
        case 11, outOfMemoryCode, 23, 24, 99, 105: true
        default: false
        }
    }

    func isHealthy(_ server: Int) -> Bool {
        HealthTracker(packed: UInt64(bitPattern: metrics.load(.health, server: server))).isHealthy
    }

    /// A connection could not be opened. Counts like a failed probe, at once; a refusal is more: nobody listens there,
    /// so the process and its sessions are gone.
    mutating func connectFailed(_ server: Int, code: CInt) {
        metrics.count(.connectFailures, server: server)
        if isOwnFault(code) { return }
        if code == refusedCode {
            metrics.store(.lastRefused, server: server, Int64(io.world.wallSeconds()))
        }
        record(.failed, server: server)
    }

    /// Counts a probe, or what is as good as one, on the tracker that all workers share.
    mutating func record(_ outcome: HealthTracker.Outcome, server: Int) {
        // Another thread may be recording too; it is one word, and nobody loses more often than there are threads.
        for _ in 0..<64 {
            let old = metrics.load(.health, server: server)
            var tracker = HealthTracker(packed: UInt64(bitPattern: old))
            let change = tracker.record(outcome)
            guard metrics.writer.exchange(.health, server: server, old: old, new: Int64(bitPattern: tracker.packed))
            else {
                continue
            }
            if let change { announce(change, server: server) }
            return
        }
    }

    private func announce(_ verdict: HealthTracker.Verdict, server: Int) {
        let server = snapshot.servers[server]
        control.log?.notice(
            "server \(server.name) is \(verdict == .healthy ? "healthy" : "unhealthy")",
            metadata: ["upstream": "\(snapshot.upstreams[server.upstream].name)"])
    }

    /// What keeps until somebody has time: warm connections, backlogs that were left, the end of a drain.
    mutating func runHousekeeping() {
        guard clock.takeHousekeeping() else { return }
        retryAccepts()
        if !lifecycle.isDraining { warmPools() }
        if lifecycle.isDraining { checkDrained() }
        if needsHousekeeping { clock.scheduleHousekeeping(at: clock.now + .milliseconds(250)) }
    }

    private var needsHousekeeping: Bool {
        lifecycle.isDraining || snapshot.upstreams.contains { $0.pool.minimum > 0 }
    }

    /// Opens what is missing to the pools' minimum, to servers that are well.
    private mutating func warmPools() {
        guard control.healthChecks.isEmpty else { return }
        for server in servers.pools.indices {
            let minimum = metrics.share(of: snapshot.upstreams[snapshot.servers[server].upstream].pool.minimum)
            guard minimum > 0, isHealthy(server) else { continue }
            let missing = minimum - Int64(servers.pools[server].connections)
            guard missing > 0 else { continue }
            for _ in 0..<missing {
                guard case .connection = dial(server) else { break }
                servers.pools[server].warming += 1
            }
        }
    }
}
