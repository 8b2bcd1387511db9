import Kernel
import Synchronization
import TLS

/// Which server owns which session, as seen in responses: shared by all workers, in shards with a lock each.
///
/// Ids are kept as keyed 128-bit digests, so a dump of this memory is no list of credentials, and an entry costs the
/// same for any id. Bounded: a full table refuses new sessions rather than forget one that is alive; sessions idle
/// for their time make place.
package final class LearnedSessions: Sendable {
    struct Digest: Hashable {
        let high: UInt64
        let low: UInt64
    }

    private struct Entry {
        var server: ServerID
        var usedAt: Instant
    }

    private final class Shard: Sendable {
        let entries = Mutex<[Digest: Entry]>([:])
    }

    private let shards: [Shard]
    private let digester: MessageAuthenticator
    private let shardLimit: Int

    /// `limit`: sessions remembered at most.
    package init(limit: Int) {
        shards = (0..<16).map { _ in Shard() }
        shardLimit = max(1, limit / 16)
        digester = MessageAuthenticator(key: Machine.randomBytes(32))
    }

    /// Sessions remembered, idle ones that were not looked for since included.
    package var count: Int {
        shards.reduce(0) { $0 + $1.entries.withLock { $0.count } }
    }

    /// Sessions of one server. Walks everything: for the status page.
    package func count(server: ServerID) -> Int {
        shards.reduce(0) { sum, shard in
            sum + shard.entries.withLock { $0.values.reduce(0) { $0 + ($1.server == server ? 1 : 0) } }
        }
    }

    func find(_ id: Span<UInt8>, now: Instant, idle: Interval) -> ServerID? {
        let digest = digest(id)
        return shard(digest).entries.withLock { entries in
            guard let entry = entries[digest] else { return nil }
            guard now - entry.usedAt < idle else {
                entries[digest] = nil
                return nil
            }
            entries[digest]?.usedAt = now
            return entry.server
        }
    }

    /// Remembers a session; one that was idle for longer than `idle` makes place for it.
    func insert(_ id: Span<UInt8>, server: ServerID, now: Instant, idle: Interval) -> LearnResult {
        let digest = digest(id)
        return shard(digest).entries.withLock { entries in
            if entries.count >= shardLimit, entries[digest] == nil {
                entries = entries.filter { now - $0.value.usedAt < idle }
                guard entries.count < shardLimit else { return .full }
            }
            entries[digest] = Entry(server: server, usedAt: now)
            return .learned
        }
    }

    func remove(_ id: Span<UInt8>) {
        let digest = digest(id)
        shard(digest).entries.withLock { entries in entries[digest] = nil }
    }

    private func digest(_ id: Span<UInt8>) -> Digest {
        let nothing: [UInt8] = []
        let tag = digester.tag(id, nothing.span)
        return Digest(high: tag.0, low: tag.1)
    }

    private func shard(_ digest: Digest) -> Shard {
        shards[Int(truncatingIfNeeded: digest.high & 15)]
    }
}
