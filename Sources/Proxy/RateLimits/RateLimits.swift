package import Configuration
import Kernel
import RateLimiting
import Synchronization

/// What all workers of a process know of rates: how much each key has used, what is in progress, and what was refused. It
/// outlives reloads: a rule that stays goes on with what it knows.
package final class RateLimits: Sendable {
    /// Rates of about a million keys in 32 MiB, which are there as they are used.
    let rates: RateTable
    /// Requests in progress.
    let requests: ConcurrencyTable
    /// What keys are hashed with.
    private let seed: (UInt64, UInt64)
    /// Tells this process from others that have the same stores.
    let processNumber = UInt64.random(in: .min ... .max)
    private let counts = Mutex<[String: RateLimitCounts]>([:])

    init(seed: (UInt64, UInt64)) throws(StartError) {
        do throws(SystemError) {
            rates = try RateTable(capacity: 1 << 21)
            requests = try ConcurrencyTable(capacity: 1 << 17)
        } catch {
            throw StartError("cannot have a table for rate_limit: \(error)")
        }
        self.seed = seed
    }

    /// The tables that routes need: those in use, or new ones. Nil: no route limits anything.
    package static func needed(by routes: [RouteConfiguration], keeping old: RateLimits?) throws(StartError)
        -> RateLimits?
    {
        guard routes.contains(where: { !$0.rateLimits.isEmpty || $0.streamOpens != nil }) else { return nil }
        if let old { return old }
        return try RateLimits(seed: KeyHasher.randomSeed())
    }

    /// What hashes the keys of a rule, which this text names.
    func hasher(of text: String) -> KeyHasher {
        var hasher = KeyHasher(seed: seed)
        hasher.combine(Array(text.utf8).span)
        return hasher
    }

    /// The counts of a rule, by its name; those of equal rules of several routes are the same.
    func counts(of name: String) -> RateLimitCounts {
        counts.withLock { counts in
            if let found = counts[name] { return found }
            let new = RateLimitCounts()
            counts[name] = new
            return new
        }
    }

    /// How often requests were refused, by rule and reason, those of rules that are gone included.
    package var refusals: [(rule: String, reason: RateLimitReason, count: Int)] {
        counts.withLock { $0 }.sorted { $0.key < $1.key }.flatMap { name, counts in
            counts.reasons.map { (name, $0, counts[$0]) }
        }
    }

    /// Requests in progress that count, once for each rule.
    package var concurrentRequests: Int { requests.total }

    /// Keys that were forgotten while they had used some of their rate, because others came.
    package var forgottenKeys: Int { rates.forgotten }
}

/// Why a request is refused.
package enum RateLimitReason: String, CaseIterable, Sendable {
    /// There were too many in a time.
    case rate
    /// There are too many in progress.
    case concurrency
    /// The client has opened too many event streams in a time.
    case streamOpens = "stream_opens"

    /// What the client is answered.
    var fault: ExchangeFault {
        switch self {
        case .rate: .rateLimited
        case .concurrency: .concurrencyLimited
        case .streamOpens: .streamOpensLimited
        }
    }
}

/// How often a rule has refused a request, over all workers. Refusals are seldom: they are counted with atomic additions.
final class RateLimitCounts: Sendable {
    private let rate = Atomic(0), concurrency = Atomic(0), streamOpens = Atomic(0)
    /// Bits of the reasons that the rule may have, by their order.
    private let kinds = Atomic<UInt8>(0)

    subscript(reason: RateLimitReason) -> Int {
        switch reason {
        case .rate: rate.load(ordering: .relaxed)
        case .concurrency: concurrency.load(ordering: .relaxed)
        case .streamOpens: streamOpens.load(ordering: .relaxed)
        }
    }

    func add(_ reason: RateLimitReason) {
        switch reason {
        case .rate: rate.add(1, ordering: .relaxed)
        case .concurrency: concurrency.add(1, ordering: .relaxed)
        case .streamOpens: streamOpens.add(1, ordering: .relaxed)
        }
    }

    /// The rule may refuse for this reason.
    func note(_ reason: RateLimitReason) {
        kinds.bitwiseOr(Self.bit(reason), ordering: .relaxed)
    }

    /// The reasons that the rule may have.
    var reasons: [RateLimitReason] {
        let kinds = kinds.load(ordering: .relaxed)
        return RateLimitReason.allCases.filter { kinds & Self.bit($0) != 0 }
    }

    private static func bit(_ reason: RateLimitReason) -> UInt8 {
        switch reason {
        case .rate: 1
        case .concurrency: 2
        case .streamOpens: 4
        }
    }
}
