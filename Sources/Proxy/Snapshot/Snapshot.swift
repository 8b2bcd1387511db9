import HTTP
package import Kernel

/// The immutable run-time form of a configuration: which workers read and nothing changes.
package struct Snapshot: Sendable {
    /// In the order of the configuration; an admin listener comes last. A worker knows its listeners by these indices.
    package var listeners: [ListenerPlan] = []
    /// In the order of the configuration: the first that matches a request decides. Empty: all requests go to
    /// the first upstream.
    package var routes: [RoutePlan] = []
    /// What `RoutePlan.upstream` and `ServerPlan.upstream` are indices of.
    package var upstreams: [UpstreamPlan] = []
    /// The servers of all upstreams, those of one upstream together: `UpstreamPlan.servers` is its range.
    package var servers: [ServerPlan] = []
    /// Newest first: the first signs, all verify.
    package var keys: [SigningKey] = []
    /// Learned ids, if any upstream learns.
    package var learned: LearnedSessions?
    /// What is known of sessions beside their servers, if any upstream has sessions.
    package var sessionTable: SessionTable?
    /// Keeps the slots of its servers; set by the server table.
    package var lease: ServerLease?
    /// How long a drain waits for what is under way.
    package var drainTimeout = Interval.seconds(300)

    /// HTTP/2 streams that a worker carries at most, all connections together; nil: as many again as connections, and
    /// never so few that one connection would feel it.
    package var maximumStreams: Int?

    package init() {}

    /// Client connections that a worker carries at most: those of all its listeners together, for each has a bound of its
    /// own; but no more than ten million, unless one listener alone may have more.
    var connectionLimit: Int {
        let (largest, sum) = listeners.reduce((1_024, 0)) { bounds, listener in
            let maximum = min(max(0, listener.maximumConnections), 1 << 30)
            return (max(bounds.0, maximum), bounds.1 + maximum)
        }
        return max(largest, min(sum, 10_000_000))
    }

    func streamLimit() -> Int {
        let connections = listeners.reduce(1_024) { max($0, $1.maximumConnections) }
        let most = listeners.reduce(1) { max($0, Int($1.http2.concurrentStreams)) }
        return maximumStreams ?? max(connections, 16 * most)
    }
}
