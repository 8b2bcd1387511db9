import Kernel
import Tokens

/// Names a token at a route without having it: the first half of a keyed digest.
struct TokenKey: Hashable, Sendable {
    let high: UInt64
    let low: UInt64
}

/// What a worker knows of tokens, by their digests. Two generations: when the younger is full, or old, the elder goes, and what is
/// used meanwhile is taken along. So it is bounded, and what has expired leaves.
struct TokenCache {
    /// What is known of one.
    enum Known {
        case caller(CallerIdentity)
        case refused(TokenRefusal)
    }

    private struct Entry {
        let known: Known
        let until: Instant
        let version: UInt64
    }

    private var young: [TokenKey: Entry] = [:]
    private var old: [TokenKey: Entry] = [:]
    private var turnsAt = Instant(nanoseconds: 0)
    private let limit: Int

    /// From one change of generations to the next, at most.
    private static var generation: Interval { .seconds(300) }

    /// `limit`: entries of a generation.
    init(limit: Int) { self.limit = limit }

    var count: Int { young.count + old.count }

    /// What is known of a token, if it was found out with these keys and is still so.
    mutating func find(_ key: TokenKey, version: UInt64, at now: Instant) -> Known? {
        if let entry = young[key] { return entry.version == version && now < entry.until ? entry.known : nil }
        guard let entry = old[key], entry.version == version, now < entry.until else { return nil }
        insert(entry, for: key, at: now)
        return entry.known
    }

    mutating func insert(_ known: Known, for key: TokenKey, version: UInt64, until: Instant, at now: Instant) {
        insert(Entry(known: known, until: until, version: version), for: key, at: now)
    }

    private mutating func insert(_ entry: Entry, for key: TokenKey, at now: Instant) {
        if young.count >= limit || now >= turnsAt {
            old = young
            young = [:]
            turnsAt = now + Self.generation
        }
        young[key] = entry
    }
}
