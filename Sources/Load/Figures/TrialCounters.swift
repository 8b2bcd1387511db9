import Histogram
import Kernel

/// What a thread counts in a run with a `ServerHistory`, since it last reported.
struct TrialCounters {
    /// Calls that passed all checks.
    var calls: UInt64 = 0
    /// The part of the failed calls that is explained by what was done to their servers.
    var explained: [Failure: UInt64] = [:]
    var recovered: UInt64 = 0
    var streamsResumed: UInt64 = 0
    /// The longest times without an event on a stream: of servers that ran, and of others.
    var silence = Interval(nanoseconds: 0)
    var disturbedSilence = Interval(nanoseconds: 0)
    /// Latencies in units of 100 ns.
    var quiet = Counters.emptyHistogram()
    var disturbed = Counters.emptyHistogram()

    /// A stream has brought no event for so long. `isExplained`: its server was killed or stopped meanwhile.
    mutating func record(_ silence: Interval, isExplained: Bool) {
        if isExplained {
            disturbedSilence = max(disturbedSilence, silence)
        } else {
            self.silence = max(self.silence, silence)
        }
    }

    mutating func add(_ other: TrialCounters) {
        calls += other.calls
        explained.merge(other.explained, uniquingKeysWith: +)
        recovered += other.recovered
        streamsResumed += other.streamsResumed
        silence = max(silence, other.silence)
        disturbedSilence = max(disturbedSilence, other.disturbedSilence)
        quiet.add(other.quiet)
        disturbed.add(other.disturbed)
    }

    /// Sets all counts to 0 and keeps the memory.
    mutating func clear() {
        calls = 0
        explained.removeAll(keepingCapacity: true)
        (recovered, streamsResumed) = (0, 0)
        (silence, disturbedSilence) = (Interval(nanoseconds: 0), Interval(nanoseconds: 0))
        quiet.reset()
        disturbed.reset()
    }

    /// The counts as figures.
    func figures(withLatencies: Bool) -> TrialFigures {
        var figures = TrialFigures()
        figures.calls = calls
        for (failure, count) in explained { figures.explained[failure.text, default: 0] += count }
        figures.recovered = recovered
        figures.streamsResumed = streamsResumed
        figures.silence = silence.milliseconds / 1_000
        figures.disturbedSilence = disturbedSilence.milliseconds / 1_000
        guard withLatencies else { return figures }
        figures.quiet = LatencyFigures(quiet)
        figures.disturbed = LatencyFigures(disturbed)
        return figures
    }
}
