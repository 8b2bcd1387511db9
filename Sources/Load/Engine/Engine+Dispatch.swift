import Kernel
import Reactor

// Which session calls next, and over which connection.
extension Engine {
    /// Queues a session that has a call to make: for any connection, or for its own.
    mutating func makeReady(_ s: Handle) {
        let group = sessions[s].group
        if sessions[s].step == .done || sessions[s].step == .listening { return }
        if phase == .ending || sessions[s].isAbandoned, sessions[s].step != .delete { return finishSession(s) }
        // The event stream of a 2024-11-05 session has a connection of its own.
        if groups[group].workload == .legacy, sessions[s].step == .stream { return openStream(s) }
        if groups[group].isShuffled { return groups[group].ready.append(Int(s.slot)) }
        let home = connection(inSlot: sessions[s].home)
        if hasCapacity(home) { groups[group].ready.append(Int(s.slot)) } else { waitForConnection(s, home) }
    }

    /// The connection has capacity for one more call at least: queues it, or the session that waits for it.
    mutating func markFree(_ c: Handle) {
        let group = connections[c].group
        guard groups[group].connections.contains(Int(c.slot)) else { return }
        if groups[group].isShuffled {
            guard !connections[c].isFree else { return }
            connections[c].isFree = true
            return groups[group].free.append(Int(c.slot))
        }
        let next = connections[c].firstWaiting
        guard next >= 0 else { return }
        let s = session(inSlot: Int(next))
        connections[c].firstWaiting = sessions[s].nextWaiting
        if connections[c].firstWaiting < 0 { connections[c].lastWaiting = -1 }
        sessions[s].nextWaiting = -1
        groups[group].ready.append(Int(s.slot))
    }

    /// Appends the session to the connection's queue.
    private mutating func waitForConnection(_ s: Handle, _ c: Handle) {
        let slot = Int32(truncatingIfNeeded: s.slot)
        sessions[s].nextWaiting = -1
        if connections[c].lastWaiting >= 0 {
            sessions[session(inSlot: Int(connections[c].lastWaiting))].nextWaiting = slot
        } else {
            connections[c].firstWaiting = slot
        }
        connections[c].lastWaiting = slot
    }

    /// Whether a call may go over the connection now. A closed connection of `churn` is dialled for the call.
    func hasCapacity(_ c: Handle) -> Bool {
        let group = connections[c].group
        guard connections[c].load < groups[group].depth, !connections[c].isDraining else { return false }
        if connections[c].phase == .open { return connections[c].output.isEmpty || groups[group].depth > 1 }
        return groups[group].workload == .churn && connections[c].phase == .closed
    }

    /// Starts the calls of ready sessions on free connections, as far as the schedule allows.
    mutating func dispatchCalls(_ group: Int) {
        // Each session that is looked at leaves the queue, so this ends.
        for _ in 0..<groups[group].ready.count {
            if phase != .ending, let schedule = groups[group].schedule, schedule.next > now { return }
            var c = Handle.none
            if groups[group].isShuffled {
                guard let found = popFree(group) else { return }
                c = found
            }
            guard let slot = groups[group].ready.popFirst() else { return }
            let s = session(inSlot: slot)
            if c.isNone { c = connection(inSlot: sessions[s].home) }
            guard hasCapacity(c) else {
                waitForConnection(s, c)
                continue
            }
            now = world.now()
            let due = phase == .ending ? now : groups[group].schedule?.take(at: now) ?? now
            startCall(s, over: c, due: due)
        }
    }

    /// Takes a connection that still has capacity from the group's free queue.
    private mutating func popFree(_ group: Int) -> Handle? {
        while let slot = groups[group].free.popFirst() {
            let c = connection(inSlot: slot)
            connections[c].isFree = false
            if hasCapacity(c) { return c }
        }
        return nil
    }

    /// Creates the session's next call and sends it, or dials the connection for it.
    private mutating func startCall(_ s: Handle, over c: Handle, due: Instant) {
        guard let kind = nextKind(s) else { return finishSession(s) }
        if phase == .ending, kind != .delete { return finishSession(s) }
        let id = kind.isAnswered ? ids.issue() : 0
        let call = calls.insert(
            Call(kind, id: id, session: s, due: due, sentAt: now, deadline: now + timeout, connection: c))
        guard let call else { return }
        sessions[s].call = call
        if connections[c].phase == .open {
            send(call, over: c)
            if groups[sessions[s].group].isShuffled, connections.contains(c), hasCapacity(c) { markFree(c) }
        } else {
            connections[c].call = call
            connections[c].load = 1
            dial(c)
        }
    }

    /// Opens the event stream of a 2024-11-05 session, on a connection of its own.
    private mutating func openStream(_ s: Handle) {
        let group = sessions[s].group
        let index = Int(s.slot) - groups[group].sessions.lowerBound
        let c = connection(inSlot: groups[group].streams.lowerBound + index)
        let call = calls.insert(
            Call(.stream, id: 0, session: s, due: now, sentAt: now, deadline: now + timeout, connection: c))
        guard let call else { return }
        sessions[s].stream = call
        connections[c].call = call
        connections[c].load = 1
        dial(c)
    }
}
