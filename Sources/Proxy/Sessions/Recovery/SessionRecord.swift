import Kernel
import MCP

/// What is known of a session that its server alone would know otherwise: as much as another server has to be told.
struct SessionRecord: Sendable {
    /// The server that holds it now; it changes with a recovery.
    var server: ServerID
    var usedAt: Instant
    /// When it was opened here, or seen first.
    var openedAt: Instant
    /// How it was opened; nil if that is not known, and then it cannot be recovered.
    var handshake: Handshake?
    /// What its server has said to `initialize`; nil until that was read.
    var result: InitializeResult?
    /// It may hold state that cannot be brought to another server.
    var isDirty = false
    /// Counted by the table of learned ids, and not here.
    var isLearned = false
    /// Counted here as one of its server's sessions.
    var isCounted = true
    /// The last `params` of `logging/setLevel`; empty: none.
    var logLevel: [UInt8] = []
    /// The `params` of each `resources/subscribe` in force.
    var subscriptions: [[UInt8]] = []
    /// The id that its present server has issued; nil: the one that the client's follows from.
    var recoveredID: [UInt8]?
    /// Events that the client has seen are another server's: its next GET must not name one.
    var hasForeignEvents = false
    /// Requests of the present server that the client has not answered: their raw JSON-RPC ids. Kept from the first
    /// recovery on.
    var serverRequests: [[UInt8]] = []
    var recovery = RecoveryState()
    /// An operator has ordered so: its client is told that the session is gone.
    var isForgotten = false
    /// When its server said "not found", unless it was used since: the session was lost then.
    var doubtedAt: Instant?
    /// Its client was told that it is gone, and its end was counted.
    var isOver = false
    /// When a store was told of it last, in seconds on the monotonic clock; 0: never.
    var sharedAt: UInt32 = 0

    init(server: ServerID, usedAt: Instant, openedAt: Instant? = nil, handshake: Handshake?) {
        self.server = server
        self.usedAt = usedAt
        self.openedAt = openedAt ?? usedAt
        self.handshake = handshake
    }

    /// It is known how it was opened, and what its server said.
    var isRecoverable: Bool { handshake != nil && result != nil }

    /// Bytes that it owns, roughly.
    var byteCount: Int {
        let parts = handshake?.params.count ?? 0
        let answer = result.map { $0.capabilities.count + 10 } ?? 0
        return parts + answer + logLevel.count + subscriptions.reduce(0) { $0 + $1.count } + (recoveredID?.count ?? 0)
    }
}

/// A session that is over, as metrics tell of it.
struct EndedSession: Equatable, Sendable {
    let duration: Interval
    /// The server that had it last.
    let server: ServerID
    /// What it spoke; empty: not known.
    let revision: ProtocolRevisions
    /// Its end was neither its client's wish nor an operator's, nor did nobody use it any more.
    let isLost: Bool
}

/// A session that an operator has had forgotten.
package struct ForgottenSession: Sendable {
    let key: SessionKey
    /// For the metrics; nil: its end was counted before, or somebody else counts it.
    let ended: EndedSession?
}

extension SessionRecord {
    /// The session has ended, at this time: nil if that was told before.
    mutating func takeEnd(at end: Instant, isLost: Bool) -> EndedSession? {
        guard !isOver else { return nil }
        isOver = true
        return EndedSession(
            duration: max(openedAt, end) - openedAt, server: server,
            revision: result.map { ProtocolRevisions(version: $0.protocolVersion.span) } ?? [], isLost: isLost)
    }

    /// Nobody uses it any more: it ended with its last use, or was lost when its server knew nothing of it.
    mutating func takeEndByTime() -> EndedSession? {
        takeEnd(at: doubtedAt ?? usedAt, isLost: doubtedAt != nil)
    }
}

/// How a session was opened.
struct Handshake: Sendable {
    /// The `params` of `initialize`, as the client has sent them.
    var params: [UInt8]

    /// Longer `params` are not kept, and the session cannot be recovered.
    static var maximumBytes: Int { 8_192 }
}

/// Where a session's recoveries stand.
struct RecoveryState: Sendable {
    /// One is under way; others wait for it.
    var isUnderWay = false
    /// When it began. One that does not end was a worker's that has left: another may begin.
    var beganAt = Instant(nanoseconds: 0)
    /// Requests that have joined the one that is under way.
    var joined: UInt16 = 0
    /// How the last one ended; nil: it worked, or there was none.
    var failure: RecoveryFailure?
    /// When the session will have paid for the recoveries that it has had (generic cell rate algorithm, ITU-T I.371).
    var paidAt = Instant(nanoseconds: 0)
    /// Recoveries so far. A request that was sent before one of them was sent to another place.
    var generation: UInt32 = 0

    /// A session may have one recovery in this time in the long run, and so many at once. More say that it loses its servers
    /// faster than it is of use.
    static var interval: Interval { .seconds(10) }
    static var burst: UInt64 { 8 }
    /// All steps of a recovery together.
    static var longest: Interval { .seconds(8) }
    /// Requests that wait for one recovery at most.
    static var maximumJoined: UInt16 { 256 }

    /// Whether there is one to wait for.
    func isUnderWay(at now: Instant) -> Bool { isUnderWay && now - beganAt < Self.longest }

    /// Whether the budget has one more at `now`.
    func allowsMore(at now: Instant) -> Bool {
        paidAt <= now + Interval(nanoseconds: (Self.burst - 1) * Self.interval.nanoseconds)
    }

    mutating func noteRecovered(at now: Instant) {
        generation &+= 1
        paidAt = max(paidAt, now) + Self.interval
    }
}
