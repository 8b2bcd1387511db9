package import Caching
import Kernel
import Reactor
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
    /// Under a key of this process: names cannot be made, nor credentials tried, outside of it.
    let digest = MessageAuthenticator(key: Machine.randomBytes(32))

    /// An empty cache.
    package init(_ rules: CacheRules) { answers = AnswerCache(rules: rules) }
}
