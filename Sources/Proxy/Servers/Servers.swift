import Balancing
import TLS

/// What one worker knows of the servers: its pools, its turn among them, and what resumes TLS with them.
struct Servers {
    var pools: [ServerPool]
    var upstreams: [UpstreamState]
    /// By server, what resumes TLS with it.
    var tickets: [TLSTicket?]
    var candidates: [Candidate] = []
    /// A connection became free while an exchange waited for one.
    var hasFreedCapacity = false

    init(_ snapshot: Snapshot) {
        pools = snapshot.servers.map { _ in ServerPool() }
        tickets = snapshot.servers.map { _ in nil }
        upstreams = snapshot.upstreams.map { UpstreamState($0) }
    }
}
