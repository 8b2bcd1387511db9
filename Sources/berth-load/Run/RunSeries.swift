import Kernel
import Load
import LoadReport

/// Runs of plans, one after the other, shown while they go on. A signal ends the one that runs, and the series.
struct RunSeries {
    let plans: [LoadPlan]
    /// The figures of the runs that began, in order.
    private(set) var figures: [RunFigures] = []

    /// Often enough for the smoothest picture.
    private static let turnMilliseconds: CInt = 50

    init(_ plans: [LoadPlan]) { self.plans = plans }

    mutating func perform(on screen: consuming LiveScreen, until signals: borrowing Signals) throws(LoadError) {
        for (index, plan) in plans.enumerated() {
            let run = try LoadRun(plan)
            let wasStopped = watch(run, index, on: &screen, until: signals)
            screen.clear()
            figures.append(try run.finish())
            if wasStopped { return }
        }
    }

    /// Whether a signal ended it.
    private func watch(
        _ run: LoadRun, _ index: Int, on screen: inout LiveScreen, until signals: borrowing Signals
    ) -> Bool {
        let start = Instant.now()
        while !run.isOver {
            if signals.wait(milliseconds: Self.turnMilliseconds) != nil {
                run.stop()
                return true
            }
            if screen.isDue(at: Double((Instant.now() - start).nanoseconds) / 1_000_000_000) {
                screen.show(moment(run, index))
            }
        }
        return false
    }

    private func moment(_ run: LoadRun, _ index: Int) -> LiveMoment {
        let plan = run.plan
        let elapsed = run.progress * (plan.warmUp + plan.seconds)
        var moment =
            if elapsed < plan.warmUp {
                LiveMoment(run.figures, phase: .warmingUp, elapsed: elapsed, length: plan.warmUp)
            } else {
                LiveMoment(
                    run.figures, phase: run.progress < 1 ? .measuring : .ending, elapsed: elapsed - plan.warmUp,
                    length: plan.seconds)
            }
        moment.number = index + 1
        moment.total = plans.count
        return moment
    }
}
