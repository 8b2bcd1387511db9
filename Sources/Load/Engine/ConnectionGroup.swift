/// One workload of a run on one thread: its connections, its sessions, and who waits for what.
struct ConnectionGroup {
    let workload: Workload
    /// Slots of the connections that calls go over.
    let connections: Range<Int>
    /// Slots of the connections that carry one session's stream each (`legacy`); empty for other workloads.
    let streams: Range<Int>
    let sessions: Range<Int>
    /// Any session goes over any connection.
    let isShuffled: Bool
    /// Calls at a time on one connection.
    let depth: Int
    /// Nil in a closed loop.
    var schedule: Schedule?
    /// Sessions with something to ask, where that need not wait for one certain connection.
    var ready: SlotQueue
    /// Connections with room for a call.
    var free: SlotQueue

    init(
        _ workload: Workload, connections: Range<Int>, streams: Range<Int>, sessions: Range<Int>, isShuffled: Bool,
        depth: Int, schedule: Schedule?
    ) {
        self.workload = workload
        self.connections = connections
        self.streams = streams
        self.sessions = sessions
        self.isShuffled = isShuffled
        self.depth = depth
        self.schedule = schedule
        ready = SlotQueue(capacity: sessions.count)
        free = SlotQueue(capacity: connections.count)
    }

    /// Where a session of the workload begins.
    var firstStep: Session.Step {
        switch workload {
        case .sessions, .fanin, .idle: .initialize
        case .legacy: .stream
        case .calls, .churn, .bodies: .call
        }
    }
}
