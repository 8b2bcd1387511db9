package import Caching
import Kernel
import Reactor
import Synchronization
import TLS

/// A request that waits for an answer that another one fetches.
package struct CacheWaiter: Sendable {
    let exchange: Handle
    let worker: Int
    /// Of its worker; nil where there is only one.
    let mailbox: Mailbox<WorkerMessage>?
}

/// The cache of one upstream, shared by all workers, with what makes the names of its answers.
package final class UpstreamCache: Sendable {
    /// The answers.
    package let answers: AnswerCache<CacheWaiter>
    /// With which Berths they are shared; nil: with none.
    package let sharing: AnswerSharing?
    /// Under a key of this process: names cannot be made, nor credentials tried, outside of it. If answers are shared, under one
    /// that all Berths have: whoever can read the store can read the answers anyhow.
    let digest: MessageAuthenticator

    private let listening = Mutex(ListenClaim())

    /// An empty cache.
    package init(_ rules: CacheRules, sharing: AnswerSharing? = nil) {
        answers = AnswerCache(rules: rules)
        self.sharing = sharing
        digest = MessageAuthenticator(key: sharing?.digestKey ?? Machine.randomBytes(32))
    }

    /// Whether both keep the same answers, in the same store.
    func isSame(as other: UpstreamCache) -> Bool {
        answers.rules == other.answers.rules && sharing?.store.configuration == other.sharing?.store.configuration
    }

    /// Whether the caller is to listen to a server; nobody else does until it says that its stream is over.
    func claimListening(at now: Instant) -> ListenClaim.Answer {
        listening.withLock { $0.claim(at: now) }
    }

    /// The stream of the one who listens is over. `wasOpen`: a server had taken it, and kept it for a while.
    func endListening(wasOpen: Bool, at now: Instant) {
        listening.withLock { $0.end(wasOpen: wasOpen, at: now) }
    }
}

/// Who listens to the servers of an upstream: nobody, or one worker.
struct ListenClaim {
    enum Answer { case granted, denied }

    private var isHeld = false
    private var failures = 0
    private var notBefore = Instant(nanoseconds: 0)

    /// Grants the claim unless it is held, or was in vain a short time ago.
    mutating func claim(at now: Instant) -> Answer {
        guard !isHeld, now >= notBefore else { return .denied }
        isHeld = true
        return .granted
    }

    /// Each failure doubles the time until the next attempt, from 10 seconds to 10 minutes: a server that does not know the
    /// method will not learn it.
    mutating func end(wasOpen: Bool, at now: Instant) {
        isHeld = false
        failures = wasOpen ? 0 : min(failures + 1, 6)
        notBefore = wasOpen ? now : now + .seconds(min(600, 10 << UInt64(failures - 1)))
    }
}
