package import Load
package import SampleServer

/// The results of a trial. Plain values, from which the verdict is made.
package struct ProveFigures: Codable, Sendable {
    /// What stood in front of the servers.
    package var front: String
    /// How that keeps sessions with their servers, in a few words.
    package var affinity: String
    /// The seed of the schedule.
    package var seed: UInt64
    /// The value of `session.on_lost`; nil where there is no such thing.
    package var onLost: String?
    /// What was done, by kind.
    package var disturbances: [String: Int] = [:]
    /// What was left out, by its reason.
    package var skipped: [String: Int] = [:]
    /// Of the load.
    package var load: RunFigures
    /// Of the servers' own account of what they have executed; nil if they keep none.
    package var executions: ExecutionFigures?

    package init(front: String, affinity: String, seed: UInt64, onLost: String?, load: RunFigures) {
        self.front = front
        self.affinity = affinity
        self.seed = seed
        self.onLost = onLost
        self.load = load
    }
}

/// What the servers have executed, by their own account.
package struct ExecutionFigures: Codable, Equatable, Sendable {
    /// Different calls.
    package var calls: UInt64 = 0
    /// Calls of tools that are not declared read-only that were executed more than once.
    package var duplicates: UInt64 = 0
    /// Calls of tools that are declared read-only that were executed more than once.
    package var readOnlyDuplicates: UInt64 = 0

    /// From all entries of all servers, in any order.
    package init(_ entries: [ExecutionLog.Entry]) {
        var counts: [ExecutionLog.Entry: UInt32] = [:]
        counts.reserveCapacity(entries.count)
        for entry in entries { counts[entry, default: 0] += 1 }
        calls = UInt64(counts.count)
        for (entry, count) in counts where count > 1 {
            if entry.isReadOnly { readOnlyDuplicates += 1 } else { duplicates += 1 }
        }
    }
}
