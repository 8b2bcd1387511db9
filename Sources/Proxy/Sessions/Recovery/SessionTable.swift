import Configuration
import Kernel
import MCP
import Synchronization

/// What is known of sessions beside their servers, shared by all workers, in shards with a lock each.
///
/// Nothing here is needed to find a session's server: a session that does not fit, or was opened elsewhere, works as
/// ever, and cannot be recovered. Bounded by number and by bytes. Credentials are never kept.
package final class SessionTable: Sendable {
    struct Contents {
        var records: [SessionKey: SessionRecord] = [:]
        /// Of what the records own.
        var bytes = 0
    }

    final class Shard: Sendable {
        let contents = Mutex(Contents())
    }

    let shards: [Shard]
    /// Records and bytes of one shard at most.
    let limit: Int
    let byteLimit: Int
    /// Sessions whose records have changed, if another process is to be told.
    let changed = Mutex<Set<SessionKey>>([])
    let tracksChanges = Atomic(false)
    /// The shard that is swept next.
    private let sweeps = Atomic(0)

    /// Is told of every server that has a session more (1) or less (-1).
    typealias Counter = (ServerID, Int64) -> Void

    /// For at most so many sessions, and so many bytes of what would be needed to recover them.
    package init(limit: Int = 1_000_000, bytes: Int = 256 << 20) {
        shards = (0..<16).map { _ in Shard() }
        self.limit = max(1, limit / 16)
        byteLimit = max(1, bytes / 16)
    }

    /// Sessions with a record.
    package var count: Int { shards.reduce(0) { $0 + $1.contents.withLock { $0.records.count } } }

    /// Bytes that records own.
    package var byteCount: Int { shards.reduce(0) { $0 + $1.contents.withLock { $0.bytes } } }

    // MARK: - The life of a session

    /// A session begins, or is seen for the first time (without a handshake).
    func open(
        _ key: SessionKey, on server: ServerID, _ handshake: Handshake?, isLearned: Bool, now: Instant, counter: Counter
    ) {
        shard(key).contents.withLock { contents in
            guard contents.records[key] != nil || contents.records.count < limit else { return }
            var record = SessionRecord(server: server, usedAt: now, handshake: handshake)
            record.isLearned = isLearned
            record.isCounted = !isLearned
            if contents.bytes + record.byteCount > byteLimit { record.handshake = nil }
            Self.replace(&contents, key, with: record, counter)
        }
        noteChange(key)
    }

    /// The server has said this to the session's `initialize`.
    func noteResult(_ key: SessionKey, _ result: InitializeResult) {
        update(key) { $0.result = result }
    }

    /// A message of the session goes to its server. `params` are those that the effect speaks of.
    func noteUse(
        _ key: SessionKey, _ effect: SessionEffect, params: [UInt8], server: ServerID, isLearned: Bool, now: Instant,
        counter: Counter
    ) -> SessionUse {
        var use: SessionUse?
        update(key) { record in
            record.usedAt = now
            record.doubtedAt = nil
            if !record.isCounted, !record.isLearned {
                record.isCounted = true
                counter(record.server, 1)
            }
            record.apply(effect, params: params)
            use = SessionUse(isRecorded: record.handshake != nil, isDirty: record.isDirty)
        }
        if let use { return use }
        open(key, on: server, nil, isLearned: isLearned, now: now, counter: counter)
        return SessionUse(isRecorded: false, isDirty: true)
    }

    /// Its client ended the session, if it was there.
    func end(_ key: SessionKey, now: Instant, counter: Counter) -> EndedSession? {
        noteChange(key)
        return shard(key).contents.withLock { contents in
            let ended = contents.records[key]?.takeEnd(at: now, isLost: false)
            Self.replace(&contents, key, with: nil, counter)
            return ended
        }
    }

    /// Its client is told that it is gone with its server. What is known of it stays: the server may come back.
    func lose(_ key: SessionKey, now: Instant) -> EndedSession? {
        shard(key).contents.withLock { $0.records[key]?.takeEnd(at: now, isLost: true) }
    }

    /// Its server answered 404: the session is gone, or only the page is. It does not count any more unless it is used
    /// again, and is forgotten in a while.
    func doubt(_ key: SessionKey, now: Instant, idle: Interval, forgetAfter after: Interval, counter: Counter) {
        update(key) { record in
            if record.isCounted { counter(record.server, -1) }
            record.isCounted = false
            record.doubtedAt = record.doubtedAt ?? now
            guard after < idle, now.nanoseconds > idle.nanoseconds - after.nanoseconds else { return }
            record.usedAt = min(
                record.usedAt, Instant(nanoseconds: now.nanoseconds - (idle.nanoseconds - after.nanoseconds)))
        }
    }

    /// Removes what was not used for its time, which its server says, from one shard: the sessions that have ended by that,
    /// when they were used last.
    func sweep(now: Instant, idle: (ServerID) -> Interval, counter: Counter) -> [EndedSession] {
        // Another process has them too, and takes note of their end.
        if tracksChanges.load(ordering: .relaxed) { return [] }
        let index = sweeps.add(1, ordering: .relaxed).newValue & 15
        return shards[index].contents.withLock { contents in
            var expired: [SessionKey] = []
            for (key, record) in contents.records where now - record.usedAt >= idle(record.server) {
                if !record.recovery.isUnderWay { expired.append(key) }
            }
            var ended: [EndedSession] = []
            for key in expired {
                if let end = contents.records[key]?.takeEndByTime() { ended.append(end) }
                Self.replace(&contents, key, with: nil, counter)
            }
            return ended
        }
    }

    // MARK: - Recovery

    /// Where a session that was recovered is now; nil if it is where its id says.
    func location(of key: SessionKey) -> SessionLocation? {
        var location: SessionLocation?
        update(key) { record in
            guard let id = record.recoveredID else { return }
            location = SessionLocation(record, id)
        }
        return location
    }

    /// Whether an operator has ordered that the session is to be told that it is gone.
    func isForgotten(_ key: SessionKey) -> Bool {
        shard(key).contents.withLock { $0.records[key]?.isForgotten ?? false }
    }

    /// Forgets a session whose id says itself who has it: what stays is that it is forgotten, for as long as it would have been
    /// remembered.
    func forget(_ key: SessionKey, now: Instant, counter: Counter) -> EndedSession? {
        var ended: EndedSession?
        update(key) { record in
            if record.isCounted { counter(record.server, -1) }
            record.isCounted = false
            record.isForgotten = true
            record.usedAt = now
            ended = record.takeEnd(at: now, isLost: false)
        }
        return ended
    }

    /// A GET of the session goes out: what it sees from here on comes from its present server.
    func noteStream(_ key: SessionKey) {
        update(key) { $0.hasForeignEvents = false }
    }

    /// Decides what is done about a request of a lost session, and takes note: one that is told to start has the session
    /// for itself until it calls `finishRecovery`. `asked` is the generation of the place that the request was sent to.
    /// `mayBeShared`: another Berth may know how it was opened.
    func decide(
        _ key: SessionKey, _ request: LostRequest, _ policy: SessionLossPolicy, asked: UInt32,
        mayBeShared: Bool = false,
        now: Instant
    ) -> RecoveryDecision {
        var decision = RecoveryDecision.giveUp(policy == .never ? .off : .unknown)
        update(key) { record in
            let moved = record.recovery.generation != asked
            let facts = RecoveryDecision.Facts(
                policy: policy, isRecorded: record.isRecoverable || mayBeShared, isDirty: record.isDirty,
                isUnderWay: record.recovery.isUnderWay(at: now),
                hasPlace: record.recovery.joined < RecoveryState.maximumJoined, hasMoved: moved,
                hasBudget: record.recovery.allowsMore(at: now))
            decision = RecoveryDecision(request, facts)
            record.usedAt = now
            switch decision {
            case .start:
                record.recovery.isUnderWay = true
                record.recovery.beganAt = now
                record.recovery.joined = 0
                record.recovery.failure = nil
            case .wait: record.recovery.joined += 1
            case .swallow, .follow, .giveUp: break
            }
        }
        return decision
    }

    /// What another server has to be told to take the session.
    func record(of key: SessionKey) -> SessionRecord? {
        shard(key).contents.withLock { $0.records[key] }
    }

    /// The recovery worked: the session is on `server`, which calls it `id`.
    func finishRecovery(_ key: SessionKey, on server: ServerID, id: [UInt8], now: Instant, counter: Counter) {
        update(key) { record in
            if record.isCounted { counter(record.server, -1) }
            record.isCounted = !record.isLearned
            if record.isCounted { counter(server, 1) }
            record.server = server
            record.recoveredID = id
            record.hasForeignEvents = true
            record.serverRequests = []
            record.recovery.isUnderWay = false
            record.recovery.noteRecovered(at: now)
        }
    }

    /// The recovery failed.
    func failRecovery(_ key: SessionKey, _ failure: RecoveryFailure) {
        update(key) { record in
            record.recovery.isUnderWay = false
            record.recovery.failure = failure
        }
    }

    /// What has become of the recovery that a request has waited for.
    func outcome(of key: SessionKey) -> RecoveryOutcome {
        var outcome = RecoveryOutcome.failed(.unknown)
        update(key) { record in
            if record.recovery.isUnderWay {
                outcome = .underWay
            } else if let failure = record.recovery.failure {
                outcome = .failed(failure)
            } else if let id = record.recoveredID {
                outcome = .recovered(SessionLocation(record, id))
            }
        }
        return outcome
    }

    // MARK: - Requests of the server

    /// The present server of a recovered session has asked its client something.
    func noteServerRequest(_ key: SessionKey, _ id: [UInt8]) {
        update(key) { record in
            guard record.serverRequests.count < SessionRecord.maximumServerRequests else { return }
            record.serverRequests.append(id)
        }
    }

    /// Whether the client's response with this id answers the present server of its session, and not one that is gone.
    func takeServerRequest(_ key: SessionKey, _ id: [UInt8]) -> Bool {
        var isKnown = false
        update(key) { record in
            guard let index = record.serverRequests.firstIndex(of: id) else { return }
            record.serverRequests.remove(at: index)
            isKnown = true
        }
        return isKnown
    }

    // MARK: - Shards

    func update(_ key: SessionKey, _ change: (inout SessionRecord) -> Void) {
        noteChange(key)
        shard(key).contents.withLock { contents in
            guard var record = contents.records.removeValue(forKey: key) else { return }
            let before = record.byteCount
            change(&record)
            contents.bytes += record.byteCount - before
            contents.records[key] = record
        }
    }

    static func replace(
        _ contents: inout Contents, _ key: SessionKey, with record: SessionRecord?, _ counter: Counter
    ) {
        if let old = contents.records[key] {
            contents.bytes -= old.byteCount
            if old.isCounted { counter(old.server, -1) }
        }
        contents.records[key] = record
        guard let record else { return }
        contents.bytes += record.byteCount
        if record.isCounted { counter(record.server, 1) }
    }

    func shard(_ key: SessionKey) -> Shard { shards[Int(truncatingIfNeeded: key.high & 15)] }
}

/// Where a session that was recovered is, and what it is called there.
struct SessionLocation: Equatable, Sendable {
    let server: ServerID
    let id: [UInt8]
    /// A GET must not name an event that the client has seen.
    let hasForeignEvents: Bool
    /// Recoveries up to this place.
    let generation: UInt32

    fileprivate init(_ record: SessionRecord, _ id: [UInt8]) {
        server = record.server
        self.id = id
        hasForeignEvents = record.hasForeignEvents
        generation = record.recovery.generation
    }
}

/// What a use of a session has shown.
struct SessionUse: Equatable, Sendable {
    /// It could be recovered if it is clean.
    let isRecorded: Bool
    let isDirty: Bool
}

/// What has become of a recovery.
enum RecoveryOutcome: Equatable, Sendable {
    case underWay
    case recovered(SessionLocation)
    case failed(RecoveryFailure)
}

extension SessionRecord {
    /// More requests of a server than these are not told apart.
    static var maximumServerRequests: Int { 64 }
    /// Bounds of what is replayed beside `initialize`.
    static var maximumSubscriptions: Int { 64 }
    static var maximumParameterBytes: Int { 2_048 }

    /// Takes note of what a message does.
    mutating func apply(_ effect: SessionEffect, params: [UInt8]) {
        switch effect {
        case .none: return
        case .dirties: isDirty = true
        case .setsLogLevel:
            if params.count <= Self.maximumParameterBytes { logLevel = params }
        case .subscribes:
            isDirty = true
            guard subscriptions.count < Self.maximumSubscriptions, params.count <= Self.maximumParameterBytes,
                !subscriptions.contains(params)
            else { return }
            subscriptions.append(params)
        case .unsubscribes:
            isDirty = true
            subscriptions.removeAll { $0 == params }
        }
    }
}
