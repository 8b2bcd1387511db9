import Kernel
import Load
import LoadReport

/// Performs runs one after the other, and shows their status. A signal ends the current run and the series.
struct RunSeries {
    let plans: [LoadPlan]
    /// Whether the server is asked for its revision and its tools before each run.
    let asksFirst: Bool
    /// Told what the server says of itself.
    let announce: (String) -> Void
    /// The figures of the runs that have begun, in order.
    private(set) var figures: [RunFigures] = []

    /// The interval of updates; shorter than that of the live screen.
    private static let turnMilliseconds: CInt = 50

    init(_ plans: [LoadPlan], asksFirst: Bool = true, announce: @escaping (String) -> Void = { _ in }) {
        self.plans = plans
        self.asksFirst = asksFirst
        self.announce = announce
    }

    mutating func perform(on screen: consuming LiveScreen, until signals: borrowing Signals) throws(LoadError) {
        let start = Instant.now()
        for (index, plan) in plans.enumerated() {
            let run = try LoadRun(try prepared(plan))
            let wasStopped = watch(run, index, on: &screen, since: start, until: signals)
            screen.clear()
            figures.append(try run.finish())
            if wasStopped { return }
        }
    }

    private func prepared(_ plan: LoadPlan) throws(LoadError) -> LoadPlan {
        guard asksFirst else { return plan }
        let (taken, preflight) = try plan.preflight()
        if let preflight { announce("\(plan.target.url): \(preflight.text)") }
        return taken
    }

    /// Shows the status of a run until it ends. True if a signal ended it.
    private func watch(
        _ run: LoadRun, _ index: Int, on screen: inout LiveScreen, since start: Instant,
        until signals: borrowing Signals
    ) -> Bool {
        while !run.isOver {
            if signals.wait(milliseconds: Self.turnMilliseconds) != nil {
                run.stop()
                return true
            }
            if screen.isDue(at: Double((Instant.now() - start).nanoseconds) / 1_000_000_000) {
                screen.show(status(run, index))
            }
        }
        return false
    }

    private func status(_ run: LoadRun, _ index: Int) -> LiveStatus {
        let plan = run.plan
        let elapsed = run.progress * (plan.warmUp + plan.seconds)
        var status =
            if elapsed < plan.warmUp {
                LiveStatus(run.figures, phase: .warmingUp, elapsed: elapsed, length: plan.warmUp)
            } else {
                LiveStatus(
                    run.figures, phase: run.progress < 1 ? .measuring : .ending, elapsed: elapsed - plan.warmUp,
                    length: plan.seconds)
            }
        status.number = index + 1
        status.total = plans.count
        return status
    }
}
