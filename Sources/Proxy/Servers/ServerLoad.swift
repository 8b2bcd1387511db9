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
    /// What a server of the snapshot in force has to do.
    package func load(of server: ServerPlan) -> ServerLoad {
        let slot = Int(server.id.slot)
        let sessions = metrics.view.load(.sessions, server: slot)
        return ServerLoad(
            calls: metrics.sum(.active, server: slot), streams: metrics.sum(.streaming, server: slot),
            sessions: max(0, sessions))
    }
}
