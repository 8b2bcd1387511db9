package import Kernel
import Synchronization

/// The answers that are kept of one upstream, shared by all workers.
///
/// Of several requests with the same question, the first goes to a server and the others wait for its answer; what waits is a
/// `Waiter`, which is given back when there is something to look for. It belongs to whoever looks.
///
/// One lock guards everything. It is held for a few table operations, and never while bytes are composed.
package final class AnswerCache<Waiter: Sendable>: Sendable {
    /// What the operator wants kept.
    package let rules: CacheRules
    private let state: Mutex<CacheState<Waiter>>

    /// An empty cache.
    package init(rules: CacheRules) {
        self.rules = rules
        state = Mutex(CacheState(rules: rules))
    }

    /// Counts what became of a request.
    package func count(_ event: CacheEvent, _ question: CacheQuestion) {
        state.withLock { $0.kept.counts.count(event, question.method, question.subject) }
    }

    /// What there is for a request.
    package enum Lookup {
        /// An answer that is still good.
        case fresh(CachedAnswer)
        /// Nothing: whoever asked fetches it. `stale` is an answer whose time is over, for the case that the server fails.
        case fetch(CacheFetch, stale: CachedAnswer?)
        /// Somebody else fetches it: the waiter was taken, and is given back when that is done.
        case wait
        /// Nothing, and nothing is to be kept.
        case pass(stale: CachedAnswer?)
    }

    /// The answer to a request, if there is one that is still good; it is counted as `event`. What most requests need.
    package func fresh(_ keys: CacheKeys, at now: Instant, countingAs event: CacheEvent) -> CachedAnswer? {
        state.withLock { $0.kept.fresh(keys, at: now, countingAs: event) }
    }

    /// Looks for the answer to a request. A `waiter` may have to wait; nil: it will not. `event` is what it counts as if there is
    /// one. A fetch is counted by whoever is granted it.
    package func look(
        up keys: CacheKeys, _ question: CacheQuestion, at now: Instant, waiter: Waiter?,
        countingAs event: CacheEvent = .hit
    ) -> Lookup {
        state.withLock { $0.look(up: keys, question, at: now, waiter: waiter, countingAs: event) }
    }

    /// What came of a fetch.
    package enum Outcome {
        /// An answer to keep.
        case answered(CacheableResult, fields: [UInt8])
        /// An answer that is not to be kept: those who ask the same in the next seconds do not wait for each other.
        case unfit
        /// No answer.
        case failed
    }

    /// A fetch is over: who waited for it is to look again.
    package func end(_ fetch: CacheFetch, _ outcome: Outcome, at now: Instant) -> [Waiter] {
        state.withLock { $0.end(fetch, outcome, at: now) }
    }

    /// A request got an answer whose time was over, because its server failed.
    package func countStale(_ answer: CachedAnswer) {
        state.withLock { $0.kept.counts.count(.stale, answer.method, answer.subject) }
    }

    /// What a server has said is no longer so. How many answers went, or will not be kept when they come.
    @discardableResult
    package func invalidate(_ change: ServerChange) -> Int {
        state.withLock { $0.invalidate(change) }
    }

    /// Takes answers out at an operator's wish. How many went.
    package func purge(_ selection: CachePurge) -> Int {
        state.withLock { $0.purge(selection) }
    }

    /// How the cache does.
    package var status: CacheStatus { state.withLock { $0.status } }
}

/// The right and the duty to say what came of a request that was sent for an answer.
package struct CacheFetch: Sendable, Equatable {
    let key: CacheKey
    let number: UInt64
    /// Where the answer may be found thereafter.
    package let keys: CacheKeys
    /// What was asked.
    package let question: CacheQuestion
    /// What the store that several Berths share calls the state of the servers before they were asked; empty: the answer is not for
    /// the store.
    package var generation: [UInt8] = []
}
