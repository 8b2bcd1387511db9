/// What a Berth, or a balancer in its place, keeps in memory to find the servers of sessions: computed from the sizes of what
/// is kept, without what an allocator adds.
package struct RoutingMemory: Equatable, Sendable, Codable {
    /// How requests find their session's server.
    package var scheme: Scheme
    /// Bytes that one balancer keeps for the servers: a list, a ring, a table.
    package var serverBytes: Int
    /// Bytes that one balancer keeps for the sessions that came through it.
    package var sessionBytes: Int
    /// The same if every balancer is to know all sessions, so that none is lost with it.
    package var sharedBytes: Int

    /// Of one session, as Berth's own table of learned ids has it: a digest of the id (16 bytes), the server, the time of the
    /// last use and a flag (24 together).
    private static var entryBytes: Int { 40 }
    /// Of one server beside its points on a ring: where keys go if the walk over the ring ends in vain.
    private static var fallbackBytes: Int { 24 }
    /// Of one server in a list: weight, kind and tag (16), eligibility (1), position (4).
    private static var listBytes: Int { 21 }

    init(_ scheme: Scheme, _ plan: FleetPlan) {
        self.scheme = scheme
        let list = plan.servers * Self.listBytes
        serverBytes =
            switch scheme {
            case .signed, .learned: list
            case .ring, .addressHash: list + Self.fallbackBytes * plan.servers + 10 * min(plan.servers * 160, 262_144)
            case .maglev: list + 4 * MaglevTable.size(servers: plan.servers)
            }
        sessionBytes = scheme == .learned ? plan.sessions / plan.berths * Self.entryBytes : 0
        sharedBytes = scheme == .learned ? plan.sessions * Self.entryBytes : 0
    }
}
