import Load

extension ReportPage {
    /// Whether it went well, first of all.
    var verdict: Markup {
        let wrong = runs.reduce(0) { $0 + $1.wrongCount }
        let failed = runs.reduce(0) { $0 + $1.failedCount }
        let completed = Figure.count(runs.reduce(0) { $0 + $1.completed })
        let isGood = wrong == 0 && failed == 0
        let sign: Markup =
            isGood
            ? "<circle cx=\"12\" cy=\"12\" r=\"10\"/><path d=\"M7.5 12.5l3 3 6-6.5\"/>"
            : "<circle cx=\"12\" cy=\"12\" r=\"10\"/><path d=\"M12 6.5v6.5M12 17v.3\"/>"
        var words = wrong == 0 ? "Every answer was true" : "\(Figure.count(wrong)) answers were not true"
        if wrong == 1 { words = "One answer was not true" }
        let trouble = failed == 0 ? "none failed" : "\(Figure.count(failed)) failed"
        return """
            <section aria-label="Verdict"><div class="verdict \(isGood ? "good" : "bad")">
            <svg viewBox="0 0 24 24" aria-hidden="true" xmlns="http://www.w3.org/2000/svg">\(sign)</svg>
            <p>\(words): <span class="more">\(Figure.count(wrong)) wrong among \(completed) \(unit), \(trouble).</span></p>
            </div>\(cautions)</section>

            """
    }

    private var unit: String {
        let units = Set(runs.map(\.plan.unit))
        return units.count == 1 ? units.first ?? "" : "answers"
    }

    private var cautions: Markup {
        .joined(
            runs.enumerated().flatMap { index, run in
                run.cautions.map { caution in
                    let of = runs.count > 1 ? "\(labels[index]): " : ""
                    return "<p class=\"caution\"><strong>Caution.</strong> \(of)\(caution).</p>" as Markup
                }
            })
    }

    /// A card a run.
    var cards: Markup {
        """
        <section class="runs\(runs.count == 1 ? " alone" : "")" aria-label="Runs">
        \(runs.indices.map(card))</section>

        """
    }

    private func card(_ index: Int) -> Markup {
        let (run, plan) = (runs[index], runs[index].plan)
        let about = [plan.workload, plan.transport, plan.loadText, plan.rateText, "\(Figure.fixed(run.seconds, 1)) s"]
        let distinct = about.filter { $0 != labels[index] }.joined(separator: " · ")
        func percentile(_ value: Double) -> String {
            run.latency.count == 0 ? Figure.none : Figure.duration(microseconds: value)
        }
        return """
            <article class="card run \(Self.colour(index))"><h2>\(badge(index))\(labels[index])</h2>
            <p class="about">\(distinct)</p>
            <dl class="facts"><div class="wide"><dt>\(plan.unit) per second</dt>
            <dd>\(Figure.rate(run.perSecond)) \(comparison(index))</dd></div>
            <div><dt>p50</dt><dd>\(percentile(run.latency.at(50)))</dd></div>
            <div><dt>p99</dt><dd>\(percentile(run.latency.at(99)))</dd></div>
            <div><dt>p99.9</dt><dd>\(percentile(run.latency.at(99.9)))</dd></div>
            <div><dt>wrong</dt><dd class="\(run.wrongCount > 0 ? "bad" : "good")">\(Figure.count(run.wrongCount))</dd></div>
            <div><dt>failed</dt><dd class="\(run.failedCount > 0 ? "bad" : "good")">\(Figure.count(run.failedCount))</dd></div>
            </dl></article>

            """
    }

    /// What the first run did in the same time, as a factor.
    private func comparison(_ index: Int) -> Markup {
        let (run, first) = (runs[index], runs[0])
        // What was asked for at a rate says nothing about who is faster.
        let isComparable = run.plan.unit == first.plan.unit && run.plan.rate == nil && first.plan.rate == nil
        guard index > 0, isComparable, first.perSecond > 0 else { return "" }
        let factor = Figure.fixed(run.perSecond / first.perSecond, 2)
        return "<small>\(factor) × \(RunCharts.letter(0))</small>"
    }
}
