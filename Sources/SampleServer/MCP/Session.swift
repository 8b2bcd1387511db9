import Kernel
import Reactor

/// The state of one session.
struct Session {
    let id: SessionID
    /// Whether it is an HTTP+SSE session (2024-11-05), which lives as long as its stream.
    let isLegacy: Bool
    /// The connection with the session's event stream; `.none` if there is none.
    var stream = Handle.none
    /// The number of tool calls so far.
    var calls: UInt64 = 0
    var lastUse: Instant
}

/// All sessions, at most `limit`. Finding one costs O(1) and allocates nothing.
struct SessionTable: ~Copyable {
    private var sessions: Slab<Session?>
    private let idle: Interval

    init(limit: Int, idle: Interval) {
        sessions = Slab(limit: limit)
        self.idle = idle
    }

    /// Opens a session and returns its id; nil if there are `limit` sessions.
    mutating func open(isLegacy: Bool, stream: Handle = .none, at now: Instant) -> SessionID? {
        guard let handle = sessions.insert(nil) else { return nil }
        let id = SessionID.random(slot: handle.slot)
        sessions[handle] = Session(id: id, isLegacy: isLegacy, stream: stream, lastUse: now)
        return id
    }

    /// Marks a session as used and returns it. Nil if it does not exist, has expired, or is of the other transport.
    mutating func use(_ id: SessionID, isLegacy: Bool, at now: Instant) -> Session? {
        guard let handle = find(id), let session = sessions[handle], session.isLegacy == isLegacy else { return nil }
        guard !isExpired(session, at: now) else {
            _ = sessions.remove(handle)
            return nil
        }
        sessions[handle]?.lastUse = now
        return session
    }

    /// Counts a call and returns its number within the session, from 1; 0 if the session does not exist.
    mutating func countCall(_ id: SessionID) -> UInt64 {
        guard let handle = find(id) else { return 0 }
        sessions[handle]?.calls &+= 1
        return sessions[handle]?.calls ?? 0
    }

    mutating func setStream(_ stream: Handle, of id: SessionID) {
        guard let handle = find(id) else { return }
        sessions[handle]?.stream = stream
    }

    /// Removes a session and returns it.
    mutating func remove(_ id: SessionID) -> Session? {
        find(id).flatMap { sessions.remove($0) } ?? nil
    }

    /// The stream of `id` closed at `now`: an HTTP+SSE session ends, another one is idle from now on.
    mutating func streamClosed(_ stream: Handle, of id: SessionID, at now: Instant) {
        guard let handle = find(id), let session = sessions[handle], session.stream == stream else { return }
        if session.isLegacy {
            _ = sessions.remove(handle)
        } else {
            sessions[handle]?.stream = .none
            sessions[handle]?.lastUse = now
        }
    }

    /// Removes expired sessions. Costs O(sessions), so it is for a timer.
    mutating func sweep(at now: Instant) {
        for slot in 0..<sessions.slots {
            guard let handle = sessions.handle(inSlot: slot), let session = sessions[handle] else { continue }
            if isExpired(session, at: now) { _ = sessions.remove(handle) }
        }
    }

    private func find(_ id: SessionID) -> Handle? {
        guard let slot = id.slot, let handle = sessions.handle(inSlot: Int(slot)) else { return nil }
        return sessions[handle]?.id == id ? handle : nil
    }

    /// Whether a session has been idle for too long. A session with an open stream is not idle.
    private func isExpired(_ session: Session, at now: Instant) -> Bool {
        session.stream.isNone && !session.isLegacy && session.lastUse + idle <= now
    }
}
