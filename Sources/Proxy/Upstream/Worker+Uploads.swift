import Balancing
import Kernel
import Reactor

/// Requests that hold a connection while their clients still send them. A slow client must not keep others from a server:
/// small bodies are gathered before a connection is looked for, and what streams may not take the last ones.
extension Worker where Outside: ~Copyable {
    /// Whether one more request that streams may have a connection to `server`: a quarter of `pool.max` is kept for calls
    /// that are whole.
    func mayUpload(to server: Int) -> Bool {
        let share = metrics.share(of: servers.upstreams[servers.upstream(of: server)].plan.pool.maximum)
        return servers[server].uploads < max(1, Int(share * 3 / 4))
    }

    /// The body of a request that streams has just become complete, or the exchange parts from its connection before that:
    /// as long as it has one and awaits more of the body, it counts as an upload.
    mutating func uploadEnded(_ exchange: Handle) {
        let connection = exchanges[exchange].connection
        guard upstreams.contains(connection) else { return }
        let server = Int(upstreams[connection].server)
        servers[server].uploads -= 1
        capacityFreed(server)
    }
}
