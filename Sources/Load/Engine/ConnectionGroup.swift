/// One workload of a run on one thread: its connections, its sessions, and the queues between them.
struct ConnectionGroup {
    let workload: Workload
    /// Slots of the connections that calls go over.
    let connections: Range<Int>
    /// Slots of the connections that carry one session's stream each (`legacy`); empty for other workloads.
    let streams: Range<Int>
    /// Slots of the sessions.
    let sessions: Range<Int>
    /// Whether each call of a session goes over any free connection.
    let isShuffled: Bool
    /// Concurrent calls on one connection, at most.
    let depth: Int
    /// The due times of an open loop; nil in a closed loop.
    var schedule: Schedule?
    /// Slots of sessions with a call to make that do not wait for one particular connection.
    var ready: SlotQueue
    /// Slots of connections with capacity for a call; used only if `isShuffled`.
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

    /// The first step of a session of the workload.
    var firstStep: Session.Step {
        switch workload {
        case .sessions, .fanin, .idle: .initialize
        case .legacy: .stream
        case .calls, .churn, .bodies: .call
        }
    }
}
