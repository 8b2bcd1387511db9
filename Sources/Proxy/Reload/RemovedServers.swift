import Kernel
import Telemetry

/// Servers that were taken out of the configuration, or are found no more. They go on with the calls and sessions that they have, for as long as
/// a drain may take; then they are forgotten.
struct RemovedServers {
    /// When each, named `upstream/host:port`, is forgotten at the latest.
    private var deadlines: [String: Instant] = [:]

    var isEmpty: Bool { deadlines.isEmpty }

    /// Takes note of servers that a process before this one had removed.
    mutating func note(_ snapshot: Snapshot, at now: Instant) {
        for plan in snapshot.servers where plan.isRemoved {
            deadlines[snapshot.path(of: plan)] = now + snapshot.drainTimeout
        }
    }

    /// Keeps servers of `old` that a new snapshot has not, in upstreams that it has, unless their time is up.
    mutating func keep(in new: inout Snapshot, from old: Snapshot, at now: Instant) {
        var kept: [String: Instant] = [:]
        for index in new.upstreams.indices {
            guard let upstream = old.upstreams.first(where: { $0.name == new.upstreams[index].name }) else { continue }
            let names = Set(new.servers[new.upstreams[index].servers].map(\.name))
            for plan in old.servers[upstream.servers] where !names.contains(plan.name) {
                let path = old.path(of: plan)
                let deadline = deadlines[path] ?? now + new.drainTimeout
                guard now < deadline else { continue }
                kept[path] = deadline
                var plan = plan
                plan.isRemoved = true
                new.append(plan, toUpstream: index)
            }
        }
        deadlines = kept
    }

    /// Whether some are to be forgotten now: their time is up, or they have neither calls nor streams nor sessions.
    mutating func forgetEmpty(_ proxy: ProxyServer, at now: Instant) -> Bool {
        guard !deadlines.isEmpty else { return false }
        let snapshot = proxy.snapshot
        var isAnyDone = false
        for plan in snapshot.servers where plan.isRemoved {
            let path = snapshot.path(of: plan)
            guard let deadline = deadlines[path] else { continue }
            guard now >= deadline || proxy.load(of: plan).isEmpty else { continue }
            deadlines[path] = now
            isAnyDone = true
        }
        return isAnyDone
    }
}
