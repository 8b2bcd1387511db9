import Balancing

/// Which recoveries one Berth may begin: those of the proxy's own queue.
struct RecoveryTurns {
    private var queue: AdaptiveQueue<(session: Int32, step: Int)>
    private let isLimited: Bool

    init(servers: Int, isLimited: Bool) {
        queue = AdaptiveQueue(servers: servers)
        self.isLimited = isLimited
    }

    mutating func enqueue(_ session: Int32, at step: Int) { queue.append((session, step)) }

    /// The one whose turn it is; whoever gets it says what becomes of it.
    mutating func next() -> (session: Int32, step: Int)? { isLimited ? queue.take() : queue.takeUnlimited() }

    /// It did not begin.
    mutating func giveBack() { queue.release(nil, at: 0) }

    mutating func end(began seconds: Double, isTimedOut: Bool, at step: Int) {
        let start = UInt64(seconds * 1_000_000_000)
        queue.release(isTimedOut ? .timedOut(from: start) : .done(from: start), at: UInt64(step) * 50_000_000)
    }
}
