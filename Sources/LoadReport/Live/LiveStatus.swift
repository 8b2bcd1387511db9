package import Load

/// What is shown of a run while it goes on.
package struct LiveMoment: Sendable {
    package enum Phase: Sendable, Equatable {
        /// Connections and sessions are being opened.
        case opening
        case warmingUp
        case measuring
        /// The last answers are awaited.
        case ending
    }

    package var plan: PlanFigures
    package var phase: Phase
    /// Which run of the scenario this is, from 1, and of how many.
    package var number = 1
    package var total = 1
    /// Seconds since the phase began.
    package var elapsed: Double
    /// Seconds the phase is to last; nil where something else ends it.
    package var length: Double?
    /// Of `plan.unit`, since measuring began.
    package var completed: UInt64 = 0
    /// Of `plan.unit`, over the last second or so.
    package var perSecond: Double = 0
    /// µs, of what ended in the last second or so; nil where nothing did.
    package var p50: Double?
    package var p99: Double?
    package var wrong: UInt64 = 0
    package var failed: UInt64 = 0
    /// Completed a second at even steps of time, oldest first.
    package var history: [Double] = []
    /// The last wrong answer or failure, in words.
    package var lastProblem: String?

    package init(plan: PlanFigures, phase: Phase, elapsed: Double, length: Double?) {
        self.plan = plan
        self.phase = phase
        self.elapsed = elapsed
        self.length = length
    }

    /// The moment that a copy of a run's figures shows, its last full second being "now".
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
        // Where nothing is timed, or nothing ended, there is no percentile.
        if let last = figures.series.last, last.maximum > 0 {
            p50 = last.p50
            p99 = last.p99
        }
        lastProblem = figures.examples.last
    }
}
