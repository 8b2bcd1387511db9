/// The results of a run whose servers are disturbed (`ServerHistory`), beside those of every run.
package struct TrialFigures: Codable, Sendable {
    /// Calls that passed all checks, warm-up included; event streams are not calls.
    package var calls: UInt64 = 0
    /// The part of `RunFigures.failed` that is explained: the session's server was killed or stopped during the call.
    package var explained: [String: UInt64] = [:]
    /// Sessions that went on with another server after theirs was killed or stopped.
    package var recovered: UInt64 = 0
    /// Event streams that ended, and were opened again with the same session.
    package var streamsResumed: UInt64 = 0
    /// The longest time without an event on a session's stream whose server ran all the time, in seconds.
    package var silence = 0.0
    /// The longest time without an event on a stream whose server was killed or stopped in it, in seconds.
    package var disturbedSilence = 0.0
    /// Latencies of calls that began while nothing was done.
    package var quiet = LatencyFigures()
    /// Latencies of calls that began during a disturbance.
    package var disturbed = LatencyFigures()

    /// Figures of a run without calls.
    package init() {}

    /// The part of a failure, by its text, that nothing explains.
    package func unexplained(_ failed: [String: UInt64]) -> [String: UInt64] {
        failed.reduce(into: [:]) { rest, entry in
            let count = entry.value - min(entry.value, explained[entry.key] ?? 0)
            if count > 0 { rest[entry.key] = count }
        }
    }
}
