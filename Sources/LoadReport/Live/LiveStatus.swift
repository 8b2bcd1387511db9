package import Load

/// The status of a run while it goes on, as the live view shows it.
package struct LiveStatus: Sendable {
    /// The phases of a run, in order.
    package enum Phase: Sendable, Equatable {
        /// Connections and sessions are being opened.
        case opening
        /// The load runs, and is not measured yet.
        case warmingUp
        /// The load is measured.
        case measuring
        /// Calls under way may still end.
        case ending
    }

    /// The plan of the run.
    package var plan: PlanFigures
    /// The current phase.
    package var phase: Phase
    /// The number of the run in its scenario, from 1.
    package var number = 1
    /// The number of runs in the scenario.
    package var total = 1
    /// Seconds since the phase began.
    package var elapsed: Double
    /// The planned length of the phase in seconds; nil if it has none.
    package var length: Double?
    /// Completed since measuring began, in `plan.unit`.
    package var completed: UInt64 = 0
    /// Completed in the last full second, in `plan.unit`.
    package var perSecond: Double = 0
    /// Median latency of the last full second in µs; nil if nothing ended in it.
    package var p50: Double?
    /// 99th percentile of the last full second in µs; nil if nothing ended in it.
    package var p99: Double?
    /// Wrong answers so far.
    package var wrong: UInt64 = 0
    /// Failed calls so far.
    package var failed: UInt64 = 0
    /// Completed per second, for each second of measuring, oldest first.
    package var history: [Double] = []
    /// The last wrong answer or failure, in words.
    package var lastProblem: String?

    /// The status of a run without figures yet.
    package init(plan: PlanFigures, phase: Phase, elapsed: Double, length: Double?) {
        self.plan = plan
        self.phase = phase
        self.elapsed = elapsed
        self.length = length
    }

    /// The status from a copy of a run's figures. The rate and percentiles are those of its last full second.
    package init(_ figures: RunFigures, phase: Phase, elapsed: Double, length: Double?) {
        self.init(plan: figures.plan, phase: phase, elapsed: elapsed, length: length)
        completed = figures.completed
        wrong = figures.wrongCount
        failed = figures.failedCount
        var before = 0.0
        for second in figures.series {
            let span = second.at - before
            history.append(span > 0 ? Double(second.completed) / span : 0)
            before = second.at
        }
        perSecond = history.last ?? 0
        // Without a latency in the second there are no percentiles.
        if let last = figures.series.last, last.maximum > 0 {
            p50 = last.p50
            p99 = last.p99
        }
        lastProblem = figures.examples.last
    }
}
