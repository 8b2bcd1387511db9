import Load

extension ReportPage {
    /// The charts of latency by percentile, throughput and p99 over time.
    var charts: Markup {
        let charts = RunCharts(runs)
        let latency = charts.latency().map { chart in
            """
            <section class="card chart"><h2>\(chart.title)</h2>
            <p>At 99: 99 of 100 calls took this time or less. Each further step has a tenth of the calls; the last mark is \
            the maximum.</p>
            \(legend(chart))\(LineChart.Size.allCases.map(chart.svg))</section>

            """ as Markup
        }
        let overTime = charts.throughput() + (charts.p99OverTime().map { [$0] } ?? [])
        let pair = overTime.map { chart in
            """
            <div class="card chart"><h2>\(chart.title)</h2>
            \(legend(chart))\([LineChart.Size.small, .medium].map(chart.svg))</div>

            """ as Markup
        }
        let times: Markup = pair.isEmpty ? "" : "<section class=\"pair\" aria-label=\"Over time\">\n\(pair)</section>\n"
        return "\(latency ?? "")\(times)"
    }

    /// The keys and colours of runs, and the meaning of other marks.
    private func legend(_ chart: LineChart) -> Markup {
        var entries: [Markup] = []
        if runs.count > 1 {
            entries = chart.lines.map { line in
                "<li>\(badge(line.run))<span>\(labels[line.run])</span></li>"
            }
        }
        if chart.lines.contains(where: { $0.targetRate != nil }) {
            entries.append("<li>dashed: the intended rate</li>")
        }
        if !chart.alarms.isEmpty { entries.append("<li class=\"bad\">▲ wrong answers or failures in that second</li>") }
        return entries.isEmpty ? "" : "<ul class=\"legend\">\(entries)</ul>\n"
    }
}
