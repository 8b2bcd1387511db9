import Balancing
import Synchronization
import Telemetry

/// Identities on their way from one process to another.
extension ServerTable {
    /// Keeps the slots that servers and upstreams had in the process before, so that sessions and counters that name them by
    /// their slots are right here. Before the first snapshot is registered.
    func reserve(_ handover: HandoverState) {
        state.withLock { state in
            for (id, _, key) in handover.servers { state.servers.reserve(id, for: key) }
            for (id, key) in handover.upstreams { state.upstreams.reserve(id, for: key) }
        }
    }

    /// Frees the slots of servers and upstreams that the configuration has not.
    func dropReservations() {
        state.withLock { state in
            state.servers.dropReservations()
            state.upstreams.dropReservations()
        }
    }

    /// All servers that have slots, with their keys.
    var servers: [(id: ServerID, key: String)] { state.withLock { $0.servers.registered } }
    /// All upstreams that have slots, with their names.
    var upstreams: [(id: ServerID, key: String)] { state.withLock { $0.upstreams.registered } }

    /// Whether a server has this identity.
    func contains(_ server: ServerID) -> Bool { state.withLock { $0.servers.contains(server) } }

    /// Whether an upstream has this identity.
    func contains(upstream: ServerID) -> Bool { state.withLock { $0.upstreams.contains(upstream) } }

    /// What health checks have found out about a server.
    func health(of server: ServerID) -> HandoverMessage.Health {
        let tracker = HealthTracker(packed: UInt64(bitPattern: metrics.view.load(.health, server: Int(server.slot))))
        guard tracker.isProven else { return .unchecked }
        return tracker.isHealthy ? .up : .down
    }

    /// Begins with what the process before found out about a server. Before any thread runs.
    func restore(_ health: HandoverMessage.Health, of server: ServerID) {
        let slot = Int(server.slot)
        var tracker = HealthTracker(packed: UInt64(bitPattern: metrics.view.load(.health, server: slot)))
        switch health {
        case .unchecked: return
        case .up: _ = tracker.record(.passed)
        // At most `fall` failures, 65,535.
        case .down: while tracker.isHealthy { _ = tracker.record(.failed) }
        }
        metrics.view.store(.health, server: slot, Int64(bitPattern: tracker.packed))
        metrics.view.noteHealthChange()
    }
}
