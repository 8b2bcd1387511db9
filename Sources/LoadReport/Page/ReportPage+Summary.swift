import Load

extension ReportPage {
    /// The verdict on all runs, and cautions about their figures.
    var verdict: Markup {
        let wrong = runs.reduce(0) { $0 + $1.wrongCount }
        let failed = runs.reduce(0) { $0 + $1.failedCount }
        let completed = NumberFormat.count(runs.reduce(0) { $0 + $1.completed })
        let isGood = wrong == 0 && failed == 0
        let sign: Markup =
            isGood
            ? "<circle cx=\"12\" cy=\"12\" r=\"10\"/><path d=\"M7.5 12.5l3 3 6-6.5\"/>"
            : "<circle cx=\"12\" cy=\"12\" r=\"10\"/><path d=\"M12 6.5v6.5M12 17v.3\"/>"
        var words = wrong == 1 ? "1 answer was wrong" : "\(NumberFormat.count(wrong)) answers were wrong"
        if wrong == 0 { words = failed == 0 ? "Every answer was correct" : "No answer was wrong, but calls failed" }
        let failures = failed == 0 ? "none failed" : "\(NumberFormat.count(failed)) failed"
        return """
            <section aria-label="Verdict"><div class="verdict \(isGood ? "good" : "bad")">
            <svg viewBox="0 0 24 24" aria-hidden="true" xmlns="http://www.w3.org/2000/svg">\(sign)</svg>
            <p>\(words): <span class="more">\(NumberFormat.count(wrong)) wrong among \(completed) \(unit), \(failures).</span></p>
            </div>\(cautions)</section>

            """
    }

    private var unit: String {
        let units = Set(runs.map(\.plan.unit))
        return units.count == 1 ? units.first ?? "" : "answers"
    }

    private var cautions: Markup {
        let cautions = zip(labels, runs).flatMap { label, run in
            run.cautions.map { "<li>\(runs.count > 1 ? "\(label): " : "")\($0).</li>\n" as Markup }
        }
        return cautions.isEmpty ? "" : "<div class=\"caution\"><strong>Caution</strong><ul>\n\(cautions)</ul></div>"
    }

    /// A card for each run.
    var cards: Markup {
        """
        <section class="runs\(runs.count == 1 ? " alone" : "")" aria-label="Runs">
        \(runs.indices.map(card))</section>

        """
    }

    private func card(_ index: Int) -> Markup {
        let (run, plan) = (runs[index], runs[index].plan)
        let about = [
            plan.workload, plan.transport, plan.loadText, plan.rateText, "\(NumberFormat.fixed(run.seconds, 1)) s",
        ]
        // Spaces inside a part are non-breaking.
        let distinct = about.filter { $0 != labels[index] }.map { $0.replacing(" ", with: "\u{A0}") }
            .joined(separator: " · ")
        func percentile(_ value: Double) -> String {
            run.latency.count == 0 ? NumberFormat.none : NumberFormat.duration(microseconds: value)
        }
        return """
            <article class="card run \(Self.colour(index))"><h2>\(badge(index))\(labels[index])</h2>
            <p class="about">\(distinct)</p>
            <dl class="facts"><div class="wide"><dt>\(plan.unit) per second</dt>
            <dd>\(NumberFormat.rate(run.perSecond)) \(comparison(index))</dd></div>
            <div><dt>p50</dt><dd>\(percentile(run.latency.at(50)))</dd></div>
            <div><dt>p99</dt><dd>\(percentile(run.latency.at(99)))</dd></div>
            <div><dt>p99.9</dt><dd>\(percentile(run.latency.at(99.9)))</dd></div>
            <div><dt>wrong</dt><dd class="\(run.wrongCount > 0 ? "bad" : "good")">\(NumberFormat.count(run.wrongCount))</dd></div>
            <div><dt>failed</dt><dd class="\(run.failedCount > 0 ? "bad" : "good")">\(NumberFormat.count(run.failedCount))</dd></div>
            </dl></article>

            """
    }

    /// The throughput as a multiple of the first run's.
    private func comparison(_ index: Int) -> Markup {
        let (run, first) = (runs[index], runs[0])
        // In an open loop the throughput is the intended rate, so a comparison has no meaning.
        let isComparable = run.plan.unit == first.plan.unit && run.plan.rate == nil && first.plan.rate == nil
        guard index > 0, isComparable, first.perSecond > 0 else { return "" }
        let factor = NumberFormat.fixed(run.perSecond / first.perSecond, 2)
        return "<small>\(factor) × \(RunCharts.key(0))</small>"
    }
}
