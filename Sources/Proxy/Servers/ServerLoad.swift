import Telemetry

/// What a server has to do, over all workers.
package struct ServerLoad: Sendable, Equatable {
    /// Calls under way.
    package var calls: Int64
    /// Open event streams.
    package var streams: Int64
    /// Sessions it is believed to have.
    package var sessions: Int64

    /// It has nothing to do, and nobody will come back to it.
    package var isEmpty: Bool { calls <= 0 && streams <= 0 && sessions <= 0 }
}

extension ProxyServer {
    /// What a server of the snapshot in force has to do. Affinity `signed`: sessions begun minus sessions ended, since the
    /// start. `learned`: sessions in the table.
    package func load(of server: ServerPlan) -> ServerLoad {
        let slot = Int(server.id.slot)
        let affinity =
            snapshot.upstreams.indices.contains(server.upstream) ? snapshot.upstreams[server.upstream].affinity : .off
        let counted = metrics.sum(.sessionsOpened, server: slot) - metrics.sum(.sessionsEnded, server: slot)
        let sessions = affinity == .learned ? metrics.view.load(.sessions, server: slot) : counted
        return ServerLoad(
            calls: metrics.sum(.active, server: slot), streams: metrics.sum(.streaming, server: slot),
            sessions: max(0, sessions))
    }
}
