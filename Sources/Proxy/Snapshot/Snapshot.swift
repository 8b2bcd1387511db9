import Balancing
package import Discovery
import HTTP
package import Kernel
package import Telemetry

/// The immutable run-time form of a configuration: which workers read and nothing changes.
package struct Snapshot: Sendable {
    /// In the order of the configuration; an admin listener comes last.
    package var listeners: [ListenerPlan] = []
    /// In the order of the configuration: the first that matches a request decides. Empty: all requests go to
    /// the first upstream.
    package var routes: [RoutePlan] = []
    /// Some route asks who its callers are: `shareTokens` finds that out. (Not an observer: those do not run in initializers.)
    var isProtected = false
    /// Verifies the tokens of routes that are protected.
    package var verifier: TokenVerifier?
    /// What `RoutePlan.upstream` and `ServerPlan.upstream` are indices of.
    package var upstreams: [UpstreamPlan] = []
    /// The servers of all upstreams, those of one upstream together: `UpstreamPlan.servers` is its range.
    package var servers: [ServerPlan] = []
    /// The servers that were found, by upstream; they are among `servers`.
    package var discovered: [String: [DiscoveredServer]] = [:]
    /// Newest first: the first signs, all verify.
    package var keys: [SigningKey] = []
    /// Learned ids, if any upstream learns.
    package var learned: LearnedSessions?
    /// What is known of sessions beside their servers, if any upstream has sessions.
    package var sessionTable: SessionTable?
    /// What is known of rates, if any route limits them.
    package var rateLimits: RateLimits?
    /// Keeps the slots of its servers; set by the server table.
    package var lease: ServerLease?
    /// Which logs of calls there are.
    package var logs = LogPlan()
    /// How calls are traced; nil: they are not.
    package var trace: TracePlan?
    /// Which calls have spans; goes with `trace`.
    package var sampler = TraceSampler.off
    /// How long a drain waits for what is under way.
    package var drainTimeout = Interval.seconds(300)

    /// Bytes of memory in use at which new work is turned away; nil: none.
    package var memoryLimit: Int64?
    /// Whose connections are counted by address: the same for all workers, and across reloads.
    package var addresses = AddressCounts()
    /// How fast addresses open connections, if any listener limits that: the same for all workers, and across reloads.
    package var connectionOpens: ConnectionOpens?
    /// Whether calls are counted by method and tool.
    package var countsCalls = true
    /// Servers that there may be without a new start, by what the configuration says of discovery.
    package var expectedServers = 0

    /// Tools, and prompts, of each upstream that are counted by name.
    package var maximumToolNames = 200
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

    /// The stores that upstreams and routes share something in, each once.
    package var stores: [SharedStore] {
        var stores: [SharedStore] = []
        let all = upstreams.flatMap(\.stores) + routes.flatMap { $0.extras?.limits?.stores ?? [] }
        for store in all where !stores.contains(where: { $0 === store }) { stores.append(store) }
        return stores
    }

    /// Whether any upstream shares its sessions with other Berths.
    var sharesSessions: Bool { upstreams.contains { $0.sharing != nil } }

    /// What operators call a server: its upstream and its name, `mcp/mcp-3:3001`.
    package func path(of server: ServerPlan) -> String { "\(upstreams[server.upstream].name)/\(server.name)" }

    /// Servers that a process that begins with this snapshot has places for: those that drain beside those that are new.
    var serverCapacity: Int { min(Int(UInt16.max), max(4_096, 4 * servers.count, 2 * expectedServers)) }

    /// Adds a server to an upstream, behind its others.
    mutating func append(_ server: ServerPlan, toUpstream index: Int) {
        var server = server
        server.upstream = index
        let end = upstreams[index].servers.upperBound
        servers.insert(server, at: end)
        upstreams[index].servers = upstreams[index].servers.lowerBound..<end + 1
        for later in upstreams.indices where later != index && upstreams[later].servers.lowerBound >= end {
            let range = upstreams[later].servers
            upstreams[later].servers = range.lowerBound + 1..<range.upperBound + 1
        }
    }

    /// Makes what workers select an upstream's servers with, from what they are now.
    mutating func makeSelection(ofUpstream index: Int) {
        let entries = servers[upstreams[index].servers].map {
            ServerSelection.Entry(weight: $0.weight, isBackup: $0.isBackup, tag: $0.tag)
        }
        upstreams[index].selection = ServerSelection(policy: upstreams[index].policy, entries: entries)
    }

    func streamLimit() -> Int {
        let connections = listeners.reduce(1_024) { max($0, $1.maximumConnections) }
        let most = listeners.reduce(1) { max($0, Int($1.http2.concurrentStreams)) }
        return maximumStreams ?? max(connections, 16 * most)
    }
}
