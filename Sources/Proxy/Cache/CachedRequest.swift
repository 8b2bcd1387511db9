import Caching

/// A request whose answer may be kept. Immutable.
final class CachedRequest {
    /// What it asks for.
    let question: CacheQuestion
    /// The names of its answer.
    let keys: CacheKeys

    init(question: CacheQuestion, keys: CacheKeys) {
        self.question = question
        self.keys = keys
    }
}
