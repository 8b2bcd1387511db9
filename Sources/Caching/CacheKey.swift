/// Names an answer in a cache: 128 bits of a keyed digest of everything that it depends on. Nobody without the key of the digest
/// can make two questions with one name, and no credential can be read out of it.
package struct CacheKey: Hashable, Sendable {
    /// The halves of the digest.
    package let high, low: UInt64

    /// The two halves of a digest.
    package init(_ high: UInt64, _ low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// Under which names the answer to one request may be found.
package struct CacheKeys: Sendable, Equatable {
    /// If it is the same for everybody (`cacheScope` is `public`).
    package let shared: CacheKey
    /// If it is for this caller alone; nil: the request has no credential, so such an answer is not kept.
    package let own: CacheKey?

    /// The names of an answer for everybody, and for one caller.
    package init(shared: CacheKey, own: CacheKey?) {
        self.shared = shared
        self.own = own
    }
}
