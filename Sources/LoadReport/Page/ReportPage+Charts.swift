import Load

extension ReportPage {
    var charts: Markup {
        let charts = RunCharts(runs)
        let latency = charts.latency().map { chart in
            """
            <section class="card chart"><h2>\(chart.title)</h2>
            <p>At 99: the time within which 99 of 100 had their answer. Each step to the right is ten times rarer; \
            the last mark is the slowest of all.</p>
            \(legend(chart))\(LineChart.Size.allCases.map(chart.svg))</section>

            """ as Markup
        }
        let overTime = charts.throughput() + (charts.tail().map { [$0] } ?? [])
        let pair = overTime.map { chart in
            """
            <div class="card chart"><h2>\(chart.title)</h2>
            \(legend(chart))\([LineChart.Size.small, .medium].map(chart.svg))</div>

            """ as Markup
        }
        let times: Markup = pair.isEmpty ? "" : "<section class=\"pair\" aria-label=\"Over time\">\n\(pair)</section>\n"
        return "\(latency ?? "")\(times)"
    }

    /// Which letter and colour is which run, and what else is drawn.
    private func legend(_ chart: LineChart) -> Markup {
        var entries: [Markup] = []
        if runs.count > 1 {
            entries = chart.lines.map { line in
                "<li>\(badge(line.run))<span>\(labels[line.run])</span></li>"
            }
        }
        if chart.lines.contains(where: { $0.goal != nil }) { entries.append("<li>dashed: the rate asked for</li>") }
        if !chart.alarms.isEmpty { entries.append("<li class=\"bad\">▲ wrong or failed in that second</li>") }
        return entries.isEmpty ? "" : "<ul class=\"legend\">\(entries)</ul>\n"
    }
}
