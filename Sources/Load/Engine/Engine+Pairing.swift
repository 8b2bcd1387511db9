import Kernel
import Reactor

// Who calls next, and over which connection.
extension Engine {
    /// The session has something to ask.
    mutating func makeReady(_ s: Handle) {
        let lane = sessions[s].lane
        if sessions[s].step == .done || sessions[s].step == .listening { return }
        if phase == .ending || sessions[s].isGivenUp, sessions[s].step != .delete { return finish(s) }
        // The stream that is the session has a connection to itself.
        if lanes[lane].workload == .legacy, sessions[s].step == .stream { return openStream(s) }
        if lanes[lane].isShuffled { return lanes[lane].ready.append(Int(s.slot)) }
        let home = connection(inSlot: sessions[s].home)
        if hasRoom(home) { lanes[lane].ready.append(Int(s.slot)) } else { standInLine(s, home) }
    }

    /// The connection has room, for one call more at least.
    mutating func makeFree(_ c: Handle) {
        let lane = connections[c].lane
        guard lanes[lane].connections.contains(Int(c.slot)) else { return }
        if lanes[lane].isShuffled {
            guard !connections[c].isFree else { return }
            connections[c].isFree = true
            return lanes[lane].free.append(Int(c.slot))
        }
        let next = connections[c].firstInLine
        guard next >= 0 else { return }
        let s = session(inSlot: Int(next))
        connections[c].firstInLine = sessions[s].nextInLine
        if connections[c].firstInLine < 0 { connections[c].lastInLine = -1 }
        sessions[s].nextInLine = -1
        lanes[lane].ready.append(Int(s.slot))
    }

    private mutating func standInLine(_ s: Handle, _ c: Handle) {
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
        let lane = connections[c].lane
        guard connections[c].load < lanes[lane].depth, !connections[c].isLeaving else { return false }
        if connections[c].phase == .open { return connections[c].output.isEmpty || lanes[lane].depth > 1 }
        return lanes[lane].workload == .churn && connections[c].phase == .closed
    }

    /// Brings those that wait together, as far as the schedule allows.
    mutating func pump(_ lane: Int) {
        // Each that is looked at leaves the line, so this ends.
        for _ in 0..<lanes[lane].ready.count {
            if phase != .ending, let schedule = lanes[lane].schedule, schedule.next > now { return }
            var c = Handle.none
            if lanes[lane].isShuffled {
                guard let found = takeFree(lane) else { return }
                c = found
            }
            guard let slot = lanes[lane].ready.popFirst() else { return }
            let s = session(inSlot: slot)
            if c.isNone { c = connection(inSlot: sessions[s].home) }
            guard hasRoom(c) else {
                standInLine(s, c)
                continue
            }
            now = world.now()
            let due = phase == .ending ? now : lanes[lane].schedule?.take(at: now) ?? now
            begin(s, over: c, due: due)
        }
    }

    /// A connection that still has the room it stood in line with. It keeps its place while it has more.
    private mutating func takeFree(_ lane: Int) -> Handle? {
        while let slot = lanes[lane].free.popFirst() {
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
            if lanes[sessions[s].lane].isShuffled, connections.contains(c), hasRoom(c) { makeFree(c) }
        } else {
            connections[c].call = call
            connections[c].load = 1
            dial(c)
        }
    }

    /// Opens the stream that is a session of 2024-11-05, on a connection of its own.
    private mutating func openStream(_ s: Handle) {
        let lane = sessions[s].lane
        let index = Int(s.slot) - lanes[lane].sessions.lowerBound
        let c = connection(inSlot: lanes[lane].streams.lowerBound + index)
        let call = calls.insert(
            Call(.stream, id: 0, session: s, due: now, deadline: now + timeout, connection: c))
        guard let call else { return }
        sessions[s].stream = call
        connections[c].call = call
        connections[c].load = 1
        dial(c)
    }
}
