import Kernel
import Reactor

/// 128 random bits, written as 32 hexadecimal digits.
struct SessionID: Hashable {
    let high: UInt64
    let low: UInt64

    /// Fresh from the kernel's generator: who knows an id may speak for its session.
    static func random() -> SessionID {
        let bytes = Machine.randomBytes(16)
        func word(_ start: Int) -> UInt64 { bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        return SessionID(high: word(0), low: word(8))
    }

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Nil for anything but 32 digits: such an id was never handed out.
    init?(_ text: Span<UInt8>) {
        guard text.count == 32 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for index in 0..<32 {
            guard let digit = hexadecimalDigit(text[index]) else { return nil }
            if index < 16 { words.0 = words.0 << 4 | digit } else { words.1 = words.1 << 4 | digit }
        }
        self.init(high: words.0, low: words.1)
    }

    func write(to buffer: inout ByteBuffer) {
        for word in [high, low] {
            for shift in stride(from: UInt64(60), through: 0, by: -4) {
                let digit = UInt8(truncatingIfNeeded: word >> shift & 15)
                buffer.append(digit < 10 ? digit + 48 : digit + 87)
            }
        }
    }
}

/// What the server remembers of one client.
struct Session {
    /// 2024-11-05: lives as long as its stream.
    let isLegacy: Bool
    /// The connection that holds the standalone event stream; `.none` if there is none.
    var stream = Handle.none
    /// Tool calls so far.
    var calls: UInt64 = 0
    var lastUse: Instant
}

/// All sessions, at most `limit` of them.
struct SessionTable {
    private var sessions: [SessionID: Session] = [:]
    private let limit: Int
    private let idle: Interval

    init(limit: Int, idle: Interval) {
        self.limit = limit
        self.idle = idle
    }

    /// Nil when there are too many already.
    mutating func open(isLegacy: Bool, stream: Handle = .none, at now: Instant) -> SessionID? {
        guard sessions.count < limit else { return nil }
        let id = SessionID.random()
        sessions[id] = Session(isLegacy: isLegacy, stream: stream, lastUse: now)
        return id
    }

    /// The session, marked as used; nil if it is gone, idle for too long, or of the other transport.
    mutating func use(_ id: SessionID, isLegacy: Bool, at now: Instant) -> Session? {
        guard var session = sessions[id], session.isLegacy == isLegacy else { return nil }
        guard !isExpired(session, at: now) else {
            sessions[id] = nil
            return nil
        }
        session.lastUse = now
        sessions[id] = session
        return session
    }

    /// The number of this call within its session, from 1.
    mutating func countCall(_ id: SessionID) -> UInt64 {
        sessions[id]?.calls &+= 1
        return sessions[id]?.calls ?? 0
    }

    mutating func setStream(_ handle: Handle, of id: SessionID) {
        sessions[id]?.stream = handle
    }

    /// Forgets the session and returns what it was.
    mutating func remove(_ id: SessionID) -> Session? {
        sessions.removeValue(forKey: id)
    }

    /// The stream of `id` closed at `now`: a legacy session ends with it, another one is idle from here on.
    mutating func streamClosed(_ handle: Handle, of id: SessionID, at now: Instant) {
        guard let session = sessions[id], session.stream == handle else { return }
        if session.isLegacy {
            sessions[id] = nil
        } else {
            sessions[id]?.stream = .none
            sessions[id]?.lastUse = now
        }
    }

    /// Drops what was idle for too long. O(sessions): for a timer, not for a request.
    mutating func sweep(at now: Instant) {
        sessions = sessions.filter { !isExpired($0.value, at: now) }
    }

    /// An open stream is use.
    private func isExpired(_ session: Session, at now: Instant) -> Bool {
        session.stream.isNone && !session.isLegacy && session.lastUse + idle <= now
    }
}
