import Caching

/// A request whose answer may be kept.
struct CachedRequest {
    /// What it asks for.
    let question: CacheQuestion
    /// The names of its answer.
    let keys: CacheKeys
    /// Its JSON-RPC id, as it was written.
    let id: [UInt8]
}

/// What a worker has found out of the requests that it saw last: agents ask the same again and again, in the same words but for
/// the id. Whoever finds a request here need not take it apart.
struct CachedRequestMemo {
    private struct Entry {
        let digest: CacheKey
        let question: CacheQuestion
        let keys: CacheKeys
    }

    /// A power of two.
    private static var places: Int { 1_024 }
    /// Longer subjects are not remembered, in bytes.
    private static var maximumSubject: Int { 256 }

    /// A request has one place, by its digest. Empty until there is one to remember.
    private var entries: [Entry?] = []

    /// What is known of the request with this digest, which is keyed with a secret of its cache.
    func find(_ digest: CacheKey) -> (question: CacheQuestion, keys: CacheKeys)? {
        guard !entries.isEmpty, let entry = entries[Self.place(digest)], entry.digest == digest else { return nil }
        return (entry.question, entry.keys)
    }

    mutating func remember(_ digest: CacheKey, _ request: CachedRequest) {
        guard request.question.subject.count <= Self.maximumSubject else { return }
        if entries.isEmpty { entries = Array(repeating: nil, count: Self.places) }
        entries[Self.place(digest)] = Entry(digest: digest, question: request.question, keys: request.keys)
    }

    private static func place(_ digest: CacheKey) -> Int { Int(digest.low & UInt64(places - 1)) }
}
