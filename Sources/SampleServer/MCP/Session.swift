import Kernel
import Reactor

/// What the server remembers of one client.
struct Session {
    let id: SessionID
    /// 2024-11-05: lives as long as its stream.
    let isLegacy: Bool
    /// The connection that holds the standalone event stream; `.none` if there is none.
    var stream = Handle.none
    /// Tool calls so far.
    var calls: UInt64 = 0
    var lastUse: Instant
}

/// All sessions, at most `limit` of them. Finding one is O(1) and allocates nothing.
struct SessionTable: ~Copyable {
    private var sessions: Slab<Session?>
    private let idle: Interval

    init(limit: Int, idle: Interval) {
        sessions = Slab(limit: limit)
        self.idle = idle
    }

    /// Nil when there are too many already.
    mutating func open(isLegacy: Bool, stream: Handle = .none, at now: Instant) -> SessionID? {
        guard let handle = sessions.insert(nil) else { return nil }
        let id = SessionID.random(slot: handle.slot)
        sessions[handle] = Session(id: id, isLegacy: isLegacy, stream: stream, lastUse: now)
        return id
    }

    /// The session, marked as used; nil if it is gone, idle for too long, or of the other transport.
    mutating func use(_ id: SessionID, isLegacy: Bool, at now: Instant) -> Session? {
        guard let handle = find(id), let session = sessions[handle], session.isLegacy == isLegacy else { return nil }
        guard !isExpired(session, at: now) else {
            _ = sessions.remove(handle)
            return nil
        }
        sessions[handle]?.lastUse = now
        return session
    }

    /// The number of this call within its session, from 1; 0 if there is no such session.
    mutating func countCall(_ id: SessionID) -> UInt64 {
        guard let handle = find(id) else { return 0 }
        sessions[handle]?.calls &+= 1
        return sessions[handle]?.calls ?? 0
    }

    mutating func setStream(_ stream: Handle, of id: SessionID) {
        guard let handle = find(id) else { return }
        sessions[handle]?.stream = stream
    }

    /// Forgets the session and returns what it was.
    mutating func remove(_ id: SessionID) -> Session? {
        find(id).flatMap { sessions.remove($0) } ?? nil
    }

    /// The stream of `id` closed at `now`: a legacy session ends with it, another one is idle from here on.
    mutating func streamClosed(_ stream: Handle, of id: SessionID, at now: Instant) {
        guard let handle = find(id), let session = sessions[handle], session.stream == stream else { return }
        if session.isLegacy {
            _ = sessions.remove(handle)
        } else {
            sessions[handle]?.stream = .none
            sessions[handle]?.lastUse = now
        }
    }

    /// Drops what was idle for too long. O(sessions): for a timer, not for a request.
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

    /// An open stream is use.
    private func isExpired(_ session: Session, at now: Instant) -> Bool {
        session.stream.isNone && !session.isLegacy && session.lastUse + idle <= now
    }
}
