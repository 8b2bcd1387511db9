import Kernel
import Reactor

// Who calls next, and over which connection.
extension Engine {
    /// The session has something to ask.
    mutating func makeReady(_ s: Handle) {
        let group = sessions[s].group
        if sessions[s].step == .done || sessions[s].step == .listening { return }
        if phase == .ending || sessions[s].isGivenUp, sessions[s].step != .delete { return finish(s) }
        // The stream that is the session has a connection to itself.
        if groups[group].workload == .legacy, sessions[s].step == .stream { return openStream(s) }
        if groups[group].isShuffled { return groups[group].ready.append(Int(s.slot)) }
        let home = connection(inSlot: sessions[s].home)
        if hasRoom(home) { groups[group].ready.append(Int(s.slot)) } else { enqueue(s, home) }
    }

    /// The connection has room, for one call more at least.
    mutating func makeFree(_ c: Handle) {
        let group = connections[c].group
        guard groups[group].connections.contains(Int(c.slot)) else { return }
        if groups[group].isShuffled {
            guard !connections[c].isFree else { return }
            connections[c].isFree = true
            return groups[group].free.append(Int(c.slot))
        }
        let next = connections[c].firstInLine
        guard next >= 0 else { return }
        let s = session(inSlot: Int(next))
        connections[c].firstInLine = sessions[s].nextInLine
        if connections[c].firstInLine < 0 { connections[c].lastInLine = -1 }
        sessions[s].nextInLine = -1
        groups[group].ready.append(Int(s.slot))
    }

    private mutating func enqueue(_ s: Handle, _ c: Handle) {
        let slot = Int32(truncatingIfNeeded: s.slot)
        sessions[s].nextInLine = -1
        if connections[c].lastInLine >= 0 {
            sessions[session(inSlot: Int(connections[c].lastInLine))].nextInLine = slot
        } else {
            connections[c].firstInLine = slot
        }
        connections[c].lastInLine = slot
    }

    /// Whether a call may go over the connection now. One that is closed on purpose is dialled for the call.
    func hasRoom(_ c: Handle) -> Bool {
        let group = connections[c].group
        guard connections[c].load < groups[group].depth, !connections[c].isLeaving else { return false }
        if connections[c].phase == .open { return connections[c].output.isEmpty || groups[group].depth > 1 }
        return groups[group].workload == .churn && connections[c].phase == .closed
    }

    /// Brings those that wait together, as far as the schedule allows.
    mutating func pump(_ group: Int) {
        // Each that is looked at leaves the line, so this ends.
        for _ in 0..<groups[group].ready.count {
            if phase != .ending, let schedule = groups[group].schedule, schedule.next > now { return }
            var c = Handle.none
            if groups[group].isShuffled {
                guard let found = takeFree(group) else { return }
                c = found
            }
            guard let slot = groups[group].ready.popFirst() else { return }
            let s = session(inSlot: slot)
            if c.isNone { c = connection(inSlot: sessions[s].home) }
            guard hasRoom(c) else {
                enqueue(s, c)
                continue
            }
            now = world.now()
            let due = phase == .ending ? now : groups[group].schedule?.take(at: now) ?? now
            begin(s, over: c, due: due)
        }
    }

    /// A connection that still has the room it stood in line with. It keeps its place while it has more.
    private mutating func takeFree(_ group: Int) -> Handle? {
        while let slot = groups[group].free.popFirst() {
            let c = connection(inSlot: slot)
            connections[c].isFree = false
            if hasRoom(c) { return c }
        }
        return nil
    }

    /// Makes the session's next call and sends it, or has its connection dialled for it.
    private mutating func begin(_ s: Handle, over c: Handle, due: Instant) {
        guard let kind = nextKind(s) else { return finish(s) }
        if phase == .ending, kind != .delete { return finish(s) }
        let id = kind.isAnswered ? ids.take() : 0
        let call = calls.insert(
            Call(kind, id: id, session: s, due: due, deadline: now + timeout, connection: c))
        guard let call else { return }
        sessions[s].call = call
        if connections[c].phase == .open {
            send(call, over: c)
            if groups[sessions[s].group].isShuffled, connections.contains(c), hasRoom(c) { makeFree(c) }
        } else {
            connections[c].call = call
            connections[c].load = 1
            dial(c)
        }
    }

    /// Opens the stream that is a session of 2024-11-05, on a connection of its own.
    private mutating func openStream(_ s: Handle) {
        let group = sessions[s].group
        let index = Int(s.slot) - groups[group].sessions.lowerBound
        let c = connection(inSlot: groups[group].streams.lowerBound + index)
        let call = calls.insert(
            Call(.stream, id: 0, session: s, due: now, deadline: now + timeout, connection: c))
        guard let call else { return }
        sessions[s].stream = call
        connections[c].call = call
        connections[c].load = 1
        dial(c)
    }
}
