import Balancing

/// Which recoveries one Berth may begin.
struct RecoveryTurns {
    private var limit: AdaptiveLimit
    private let isLimited: Bool
    private var waiting: [(session: Int32, step: Int)] = []
    private var first = 0
    private var active = 0

    init(servers: Int, isLimited: Bool) {
        limit = AdaptiveLimit(first: max(8, servers), most: 65_536)
        self.isLimited = isLimited
    }

    mutating func enqueue(_ session: Int32, at step: Int) { waiting.append((session, step)) }

    /// The one whose turn it is; whoever gets it says what becomes of it.
    mutating func next(at step: Int) -> (session: Int32, step: Int)? {
        guard first < waiting.count, !isLimited || active < limit.current else { return nil }
        defer {
            first += 1
            if first == waiting.count {
                waiting = []
                first = 0
            }
        }
        active += 1
        return waiting[first]
    }

    /// It did not begin.
    mutating func giveBack() { active -= 1 }

    mutating func end(began seconds: Double, isTimedOut: Bool, at step: Int) {
        active -= 1
        let start = UInt64(seconds * 1_000_000_000)
        let now = UInt64(step) * 50_000_000
        if isTimedOut { limit.noteTimedOut(from: start, at: now) } else { limit.noteDone(from: start, at: now) }
    }
}
