import Kernel
import Reactor
import Telemetry

/// Sessions as operators see them. What is known of them is copied shard by shard, so this may take some tenths of a second where
/// there are a million: no worker may call it.
extension ProxyServer {
    /// The sessions of a query that are recorded.
    package func sessions(_ query: SessionQuery) -> SessionListing {
        let snapshot = snapshot
        guard let table = snapshot.sessionTable else { return SessionListing() }
        let servers = Dictionary(
            snapshot.servers.filter { query.matches($0, in: snapshot) }.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        let now = Instant.now()
        var listing = SessionListing()
        var newest = NewestSessions(limit: query.limit)
        let number = query.digest.map(SessionDigest.number)
        table.forEachRecord { key, record in
            guard servers[record.server] != nil, number.map({ $0 == key.number }) ?? true else { return }
            listing.total += 1
            newest.note(key, record)
        }
        listing.sessions = newest.sorted.compactMap { key, record in
            servers[record.server].map { SessionSummary(key, record, of: $0, in: snapshot, at: now) }
        }
        return listing
    }

    /// What an order to forget a session came to.
    package enum ForgetResult: Sendable, Equatable {
        case forgotten, unknown
        /// So many sessions have that digest.
        case ambiguous(Int)
    }

    /// Has the client of the session with this digest told that it is gone: the streams that it listens on end, and its next
    /// request gets 404, whereupon it begins another one.
    package func forgetSession(_ digest: String) -> ForgetResult {
        guard let number = SessionDigest.number(digest) else { return .unknown }
        let snapshot = snapshot
        let count: LearnedSessions.Counter = { [table, metrics] server, change in
            if table.contains(server) { metrics.view.add(.sessions, server: Int(server.slot), change) }
        }
        var found: Set<SessionKey> = []
        snapshot.sessionTable?.forEachRecord { key, _ in if key.number == number { found.insert(key) } }
        snapshot.learned?.forEach { key, _ in if key.number == number { found.insert(key) } }
        guard let key = found.first else { return .unknown }
        guard found.count == 1 else { return .ambiguous(found.count) }
        let ended = snapshot.sessionTable?.forget(key, now: .now(), counter: count)
        snapshot.learned?.forget(key, counter: count)
        // Workers that know where the session is look again.
        metrics.view.noteRecovery()
        for (index, mailbox) in mailboxes.enumerated() {
            mailbox.postAlways(.sessionForgotten(ForgottenSession(key: key, ended: index == workers ? ended : nil)))
        }
        return .forgotten
    }
}

extension SessionQuery {
    fileprivate func matches(_ plan: ServerPlan, in snapshot: Snapshot) -> Bool {
        if let upstream, snapshot.upstreams[plan.upstream].name != upstream { return false }
        guard let server else { return true }
        return plan.name == server || snapshot.path(of: plan) == server
    }
}

extension SessionSummary {
    init(_ key: SessionKey, _ record: SessionRecord, of plan: ServerPlan, in snapshot: Snapshot, at now: Instant) {
        digest = key.digest
        upstream = snapshot.upstreams[plan.upstream].name
        server = plan.name
        age = max(now, record.openedAt) - record.openedAt
        idle = max(now, record.usedAt) - record.usedAt
        recoveries = Int(record.recovery.generation)
        isDirty = record.isDirty
        isLearned = record.isLearned
        isForgotten = record.isForgotten
    }
}

/// The sessions that were used last of any number, in memory for as many as are wanted.
private struct NewestSessions {
    private let limit: Int
    private var kept: [(key: SessionKey, record: SessionRecord)] = []

    init(limit: Int) { self.limit = max(0, limit) }

    mutating func note(_ key: SessionKey, _ record: SessionRecord) {
        kept.append((key, record))
        if kept.count >= 2 * limit + 64 { shrink() }
    }

    private mutating func shrink() {
        kept.sort { ($0.record.usedAt, $0.key.high) > ($1.record.usedAt, $1.key.high) }
        kept.removeLast(max(0, kept.count - limit))
    }

    var sorted: [(key: SessionKey, record: SessionRecord)] {
        var copy = self
        copy.shrink()
        return copy.kept
    }
}
