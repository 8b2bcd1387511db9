/// How much of something that servers do may be under way at a time: as much as they do quickly. It grows with what is done in time and
/// shrinks when something takes too long, as the window of a TCP connection does (RFC 5681), so that servers are not asked for more
/// than they do before those who asked have gone.
package struct AdaptiveLimit: Equatable, Sendable {
    /// What takes longer than this shows that too much is under way, in nanoseconds.
    package static var slow: UInt64 { 2_000_000_000 }

    private var size: Double
    private let most: Double
    /// Nothing has taken too long yet: the limit doubles with each round.
    private var isStarting = true
    /// What began before this was asked for under an older limit, and shrinks it no more.
    private var shrunkAt: UInt64 = 0

    /// Between 1 and `most`, from `first` on.
    package init(first: Int, most: Int) {
        self.most = Double(max(1, most))
        size = min(self.most, Double(max(1, first)))
    }

    /// As much may be under way now, at least 1.
    package var current: Int { Int(size) }

    /// Something has been done that had begun at `start`; times are monotonic nanoseconds.
    package mutating func noteDone(from start: UInt64, at now: UInt64) {
        guard now <= start || now - start <= Self.slow else {
            shrink(by: 0.8, from: start, at: now)
            return
        }
        size = min(most, size + (isStarting ? 1 : max(1 / size, 0.05)))
    }

    /// Something that had begun at `start` was given up, because it took too long.
    package mutating func noteTimedOut(from start: UInt64, at now: UInt64) {
        shrink(by: 0.5, from: start, at: now)
    }

    private mutating func shrink(by factor: Double, from start: UInt64, at now: UInt64) {
        guard start >= shrunkAt else { return }
        isStarting = false
        size = max(1, size * factor)
        shrunkAt = now
    }
}
