/// How short of memory the process is.
package enum MemoryLevel: Int64, Sendable {
    /// There is enough.
    case normal
    /// `memory_limit` is reached: work that has not begun is turned away.
    case short
    /// It is passed by a tenth: new connections are turned away, too.
    case exhausted
}

/// Judges the memory in use against `memory_limit`. What is given back falls short of it by a twentieth, so that the verdict does
/// not change with every request.
struct MemoryCeiling: Sendable {
    /// In bytes.
    let limit: Int64
    private(set) var level = MemoryLevel.normal

    init(limit: Int64) {
        self.limit = limit
    }

    /// Takes note of the bytes in use.
    mutating func note(used: Int64) -> MemoryLevel {
        if used >= limit + limit / 10 || (level == .exhausted && used >= limit) {
            level = .exhausted
        } else if used >= limit || (level != .normal && used >= limit - limit / 20) {
            level = .short
        } else {
            level = .normal
        }
        return level
    }
}
