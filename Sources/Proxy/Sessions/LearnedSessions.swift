import Kernel
import Synchronization
import TLS

/// Which server owns which session, as seen in responses: shared by all workers, in shards with a lock each.
///
/// Ids are kept as keyed 128-bit digests, so a dump of this memory is no list of credentials, and an entry costs the
/// same for any id. Bounded: a full table refuses new sessions rather than forget one that is alive; sessions idle
/// for their time make place.
package final class LearnedSessions: Sendable {
    struct Entry: Equatable {
        var server: ServerID
        var usedAt: Instant
        /// A session that ends with its stream is counted by that.
        var isCounted = true
        /// When a store was told of it last, in seconds on the monotonic clock; 0: never.
        var sharedAt: UInt32 = 0
    }

    struct Contents {
        var entries: [SessionKey: Entry] = [:]
        /// Not swept before: no session can have been idle for its time. A full shard is not swept for every one that it
        /// refuses.
        var nextSweep = Instant(nanoseconds: 0)
    }

    final class Shard: Sendable {
        let contents = Mutex(Contents())
    }

    let shards: [Shard]
    /// What digests are made with.
    let key: [UInt8]
    private let digester: MessageAuthenticator
    let shardLimit: Int
    /// Says which shard is swept next.
    private let sweeps = Atomic(0)
    /// Where sessions are noted that begin and end while another process follows.
    let journal = SessionJournal()

    /// `limit`: sessions remembered at most. `key`: 32 bytes, those of the process before if its sessions are to be found
    /// here.
    package init(limit: Int, key: [UInt8] = Machine.randomBytes(32)) {
        shards = (0..<16).map { _ in Shard() }
        shardLimit = max(1, limit / 16)
        self.key = key
        digester = MessageAuthenticator(key: key)
    }

    /// Sessions remembered, idle ones that were not looked for since included.
    package var count: Int {
        shards.reduce(0) { $0 + $1.contents.withLock { $0.entries.count } }
    }

    /// Is told of every server that has a session more (1) or less (-1).
    typealias Counter = (ServerID, Int64) -> Void

    /// The server that has the session of an upstream, unless it was idle for longer than `idle`.
    func find(
        _ id: Span<UInt8>, of upstream: Int, now: Instant, idle: Interval, counter: Counter
    ) -> ServerID? {
        find(digest(id, upstream), now: now, idle: idle, counter: counter)
    }

    /// The same by the id's digest.
    func find(_ digest: SessionKey, now: Instant, idle: Interval, counter: Counter) -> ServerID? {
        shard(digest).contents.withLock { contents in
            guard let entry = contents.entries[digest] else { return nil }
            guard now - entry.usedAt < idle else {
                contents.entries[digest] = nil
                if entry.isCounted { counter(entry.server, -1) }
                return nil
            }
            contents.entries[digest]?.usedAt = now
            return entry.server
        }
    }

    /// Remembers a session of an upstream; one that was idle for longer than `idle` makes place for it. One that
    /// `endsWithStream` is not counted.
    func insert(
        _ id: Span<UInt8>, of upstream: Int, server: ServerID, now: Instant, idle: Interval,
        endsWithStream: Bool = false, counter: Counter
    ) -> LearnResult {
        let digest = digest(id, upstream)
        return shard(digest).contents.withLock { contents in
            if contents.entries.count >= shardLimit, contents.entries[digest] == nil {
                guard now >= contents.nextSweep else { return .full }
                let oldest = LearnedSessions.sweep(&contents.entries, now: now, idle: idle, counter: counter)
                // Sessions that are used meanwhile are idle later, none is sooner; but another upstream's rule may be shorter.
                let wait = min(idle.nanoseconds, Self.longestSweepInterval.nanoseconds)
                contents.nextSweep = min(oldest + idle, now + Interval(nanoseconds: wait))
                guard contents.entries.count < shardLimit else { return .full }
            }
            let entry = Entry(server: server, usedAt: now, isCounted: !endsWithStream)
            if let old = contents.entries.updateValue(entry, forKey: digest), old.isCounted { counter(old.server, -1) }
            if entry.isCounted { counter(server, 1) }
            journal.note(.began(digest, entry))
            return .learned
        }
    }

    private static var longestSweepInterval: Interval { .seconds(1) }

    /// Removes what was idle for longer than `idle`. Returns when the oldest of the others was used.
    private static func sweep(
        _ entries: inout [SessionKey: Entry], now: Instant, idle: Interval, counter: Counter
    ) -> Instant {
        var oldest = now
        entries = entries.filter { _, entry in
            guard now - entry.usedAt < idle else {
                if entry.isCounted { counter(entry.server, -1) }
                return false
            }
            oldest = min(oldest, entry.usedAt)
            return true
        }
        return oldest
    }

    /// Whether a store is to be told of a session.
    enum SharingClaim { case due, notDue }

    /// Says whether a store is to be told of the session, which the caller then does: once in `pause`.
    func claimSharing(_ digest: SessionKey, at now: Instant, every pause: Interval) -> SharingClaim {
        // From 1 on: 0 is never.
        let seconds = UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000_000) | 1
        return shard(digest).contents.withLock { contents in
            guard let entry = contents.entries[digest] else { return .notDue }
            let since = UInt64(seconds &- entry.sharedAt) &* 1_000_000_000
            guard entry.sharedAt == 0 || since >= pause.nanoseconds else { return .notDue }
            contents.entries[digest]?.sharedAt = seconds
            return .due
        }
    }

    /// The store could not be told: it is to be told with the session's next request.
    func forgetSharing(_ digest: SessionKey) {
        shard(digest).contents.withLock { $0.entries[digest]?.sharedAt = 0 }
    }

    /// Forgets a session that its client ended.
    func remove(_ id: Span<UInt8>, of upstream: Int, counter: Counter) {
        let digest = digest(id, upstream)
        shard(digest).contents.withLock { contents in
            guard let entry = contents.entries.removeValue(forKey: digest) else { return }
            if entry.isCounted { counter(entry.server, -1) }
            journal.note(.ended(digest))
        }
    }

    /// The session is another server's from now on.
    func move(_ digest: SessionKey, to server: ServerID, now: Instant, counter: Counter) {
        shard(digest).contents.withLock { contents in
            guard var entry = contents.entries[digest] else { return }
            if entry.isCounted { counter(entry.server, -1) }
            entry.server = server
            entry.usedAt = now
            if entry.isCounted { counter(server, 1) }
            contents.entries[digest] = entry
            journal.note(.began(digest, entry))
        }
    }

    /// Removes what was idle for longer than its upstream allows from one shard, each time another.
    func sweep(now: Instant, idle: (ServerID) -> Interval, counter: Counter) {
        let index = sweeps.add(1, ordering: .relaxed).newValue & 15
        shards[index].contents.withLock { contents in
            var expired: [SessionKey] = []
            for (digest, entry) in contents.entries where now - entry.usedAt >= idle(entry.server) {
                expired.append(digest)
                if entry.isCounted { counter(entry.server, -1) }
            }
            for digest in expired { contents.entries[digest] = nil }
        }
    }

    /// A server answered 404 to a request with this id: the session is gone, or only the page is. It is forgotten within
    /// `after` unless it is used again.
    func doubt(_ id: Span<UInt8>, of upstream: Int, now: Instant, idle: Interval, forgetAfter after: Interval) {
        guard after < idle else { return }
        let digest = digest(id, upstream)
        let before = idle.nanoseconds - after.nanoseconds
        shard(digest).contents.withLock { contents in
            guard let entry = contents.entries[digest], now.nanoseconds > before else { return }
            contents.entries[digest]?.usedAt = min(entry.usedAt, Instant(nanoseconds: now.nanoseconds - before))
        }
    }

    /// Two upstreams may issue the same id: it names a session of each.
    func digest(_ id: Span<UInt8>, _ upstream: Int) -> SessionKey {
        var scope = InlineArray<2, UInt8>(repeating: 0)
        scope[0] = UInt8(truncatingIfNeeded: upstream >> 8)
        scope[1] = UInt8(truncatingIfNeeded: upstream)
        let tag = digester.tag(scope.span, id)
        return SessionKey(high: tag.0, low: tag.1)
    }

    func shard(_ digest: SessionKey) -> Shard {
        shards[Int(truncatingIfNeeded: digest.high & 15)]
    }
}
