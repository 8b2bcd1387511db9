import Balancing
import Synchronization
package import Telemetry

/// The servers, upstreams and listeners of the process, across all snapshots: who has which slot. Health, counters, pools
/// and TLS tickets are kept by slot, so they belong to the server and not to its place in a configuration.
///
/// A snapshot is registered before workers get it. It holds a lease on its slots; a slot is free again when no snapshot,
/// and no worker that still has connections to the server or of the listener, holds one.
package final class ServerTable: Sendable {
    struct State {
        var servers: SlotRegistry
        var upstreams: SlotRegistry
        var listeners: SlotRegistry
    }

    let state: Mutex<State>
    /// Its rows are the table's slots.
    package let metrics: Metrics

    /// An empty table with a slot for each of the metrics' rows of servers, at most 65,535.
    package init(_ metrics: Metrics) {
        self.metrics = metrics
        state = Mutex(
            State(
                servers: SlotRegistry(capacity: metrics.servers), upstreams: SlotRegistry(capacity: metrics.servers),
                listeners: SlotRegistry(capacity: metrics.listeners)))
    }

    /// Gives every server, upstream and listener of a snapshot its identity. A server that is new begins as healthy, or as
    /// unhealthy if it has no address, and with all counters at zero; one that is known keeps what it has.
    package func register(_ snapshot: inout Snapshot) throws(StartError) {
        var servers: [ServerID] = []
        var upstreams: [ServerID] = []
        let listeners = try registerListeners(of: &snapshot)
        let isComplete = state.withLock { state in
            for index in snapshot.upstreams.indices {
                guard let (id, isNew) = state.upstreams.retain(snapshot.upstreams[index].name) else { return false }
                if isNew { metrics.calls.reset(upstream: Int(id.slot)) }
                upstreams.append(id)
                snapshot.upstreams[index].id = id
                for server in snapshot.upstreams[index].servers {
                    let key = "\(snapshot.upstreams[index].name)/\(snapshot.servers[server].name)"
                    guard let (id, isNew) = state.servers.retain(key) else { return false }
                    servers.append(id)
                    snapshot.servers[server].id = id
                    let isResolved = !snapshot.servers[server].addresses.isEmpty
                    setThresholds(snapshot.upstreams[index].healthCheck, of: id, isNew: isNew, isResolved: isResolved)
                }
            }
            return true
        }
        snapshot.lease = ServerLease(table: self, servers: servers, upstreams: upstreams, listeners: listeners)
        guard isComplete else {
            let capacity = state.withLock { $0.servers.capacity }
            throw StartError("more than \(capacity) servers, those that drain included")
        }
        metrics.calls.maximumNames = snapshot.maximumToolNames
        for index in snapshot.upstreams.indices { snapshot.makeSelection(ofUpstream: index) }
    }

    /// A listener is known by its role and the address it was configured with. Several whose port the kernel is to choose
    /// are told apart by their order.
    private func registerListeners(of snapshot: inout Snapshot) throws(StartError) -> [ServerID] {
        var taken: [ServerID] = []
        for index in snapshot.listeners.indices {
            let key = "\(snapshot.listeners[index].role) \(snapshot.listeners[index].address)"
            let number = snapshot.listeners[..<index].count { "\($0.role) \($0.address)" == key }
            guard let (id, _) = state.withLock({ $0.listeners.retain("\(key) \(number)") }) else {
                state.withLock { state in for id in taken { state.listeners.release(id) } }
                throw StartError("more than \(metrics.listeners) listeners, those that close included")
            }
            taken.append(id)
            snapshot.listeners[index].id = id
        }
        return taken
    }

    /// Servers that have a slot.
    package var count: Int { state.withLock { $0.servers.count } }

    private func setThresholds(_ plan: HealthCheckPlan, of id: ServerID, isNew: Bool, isResolved: Bool) {
        let slot = Int(id.slot)
        if isNew { metrics.reset(server: slot) }
        var fresh = HealthTracker(rise: plan.rise, fall: plan.fall)
        while isNew, !isResolved, fresh.isHealthy { _ = fresh.record(.failed) }
        for _ in 0..<64 {
            let old = metrics.view.load(.health, server: slot)
            let known = HealthTracker(packed: UInt64(bitPattern: old))
            let tracker = isNew ? fresh : known.with(rise: plan.rise, fall: plan.fall)
            let new = Int64(bitPattern: tracker.packed)
            if metrics.view.replace(.health, server: slot, old: old, with: new) == .replaced { return }
        }
    }

    fileprivate func release(servers: [ServerID], upstreams: [ServerID], listeners: [ServerID]) {
        state.withLock { state in
            for id in servers { state.servers.release(id) }
            for id in upstreams { state.upstreams.release(id) }
            for id in listeners { state.listeners.release(id) }
        }
    }
}

/// Keeps the slots of a snapshot's servers and listeners from being given to others for as long as it lives.
package final class ServerLease: Sendable {
    private let table: ServerTable
    private let servers: [ServerID]
    private let upstreams: [ServerID]
    private let listeners: [ServerID]

    fileprivate init(table: ServerTable, servers: [ServerID], upstreams: [ServerID], listeners: [ServerID]) {
        self.table = table
        self.servers = servers
        self.upstreams = upstreams
        self.listeners = listeners
    }

    deinit { table.release(servers: servers, upstreams: upstreams, listeners: listeners) }
}
