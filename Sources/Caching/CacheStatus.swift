/// How a cache does.
package struct CacheStatus: Sendable {
    /// Answers that are kept, those whose time is over included.
    package var entries = 0
    /// What they cost, in bytes.
    package var bytes = 0
    /// What they may cost.
    package var maximumBytes = 0
    /// Requests that fetch an answer now.
    package var fetches = 0
    /// Requests that wait for one.
    package var waiting = 0
    /// Answers that were pushed out by others.
    package var evictions: UInt64 = 0
    /// Answers that servers said are no longer so.
    package var invalidations: UInt64 = 0
    /// Answers that operators took out.
    package var purged: UInt64 = 0
    /// What happened to requests.
    package var counts = CacheCounts()

    /// Of an empty cache.
    package init() {}
}
