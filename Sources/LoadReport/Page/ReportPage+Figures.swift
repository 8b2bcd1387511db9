import Load

extension ReportPage {
    /// All figures in a table, with a column for each run.
    var figures: Markup {
        let sheet = FigureSheet(runs)
        let titles = runs.indices.map { index in
            "<th scope=\"col\">\(badge(index)) \(labels[index])</th>" as Markup
        }
        let groups = sheet.sections.map { section in
            """
            <tbody><tr><th scope="rowgroup" colspan="\(runs.count + 1)">\(section.title)</th></tr>
            \(section.rows.map(row))</tbody>

            """ as Markup
        }
        return """
            <section class="card"><h2 id="figures">All figures</h2>
            <div class="scroll" role="region" aria-labelledby="figures" tabindex="0">
            <table class="figures" style="min-width: \(140 + 150 * runs.count)px; max-width: \(240 + 280 * runs.count)px"><thead><tr><td></td>\(titles)</tr></thead>
            \(groups)</table></div></section>

            """
    }

    private func row(_ row: FigureSheet.Row) -> Markup {
        let cells = row.cells.map { cell in "<td\(Self.tone(cell.tone))>\(cell.text)</td>" as Markup }
        return "<tr><th scope=\"row\"\(row.isPart ? " class=\"part\"" : "" as Markup)>\(row.label)</th>\(cells)</tr>\n"
    }

    private static func tone(_ tone: Tone) -> Markup {
        switch tone {
        case .plain: ""
        case .strong: " class=\"strong\""
        case .quiet: " class=\"quiet\""
        case .good: " class=\"good\""
        case .bad: " class=\"bad\""
        case .warning: " class=\"warning\""
        }
    }

    /// Wrong answers and failures by kind, with their meaning and the first examples.
    var problems: Markup {
        .joined(
            runs.enumerated().compactMap { index, run in
                guard run.wrongCount > 0 || run.failedCount > 0 || !run.examples.isEmpty else { return nil }
                let wrong = WrongAnswer.allCases.filter { (run.wrong[$0] ?? 0) > 0 }.map { kind in
                    problemRow(kind.label, run.wrong[kind] ?? 0, kind.meaning)
                }
                let failed = run.failed.filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                    .map { reason, count in
                        problemRow(
                            reason, count,
                            reason.hasPrefix("HTTP ") ? "the response had this status" : "the call got no response")
                    }
                let examples = run.distinctExamples.map { "<li>\($0)</li>" as Markup }
                let list: Markup =
                    examples.isEmpty ? "" : "<p>The first ones:</p><ul class=\"examples\">\(examples)</ul>"
                return """
                    <section class="card"><h2>Wrong answers and failures\(runs.count > 1 ? ": \(labels[index])" : "")</h2>
                    <div class="scroll"><table class="kinds"><thead><tr><th scope="col">kind</th>
                    <th scope="col">count</th><th scope="col">meaning</th></tr></thead>
                    <tbody>\(wrong)\(failed)</tbody></table></div>\(list)</section>

                    """
            })
    }

    private func problemRow(_ kind: String, _ count: UInt64, _ meaning: String) -> Markup {
        "<tr><th scope=\"row\">\(kind)</th><td class=\"number bad\">\(NumberFormat.count(count))</td><td>\(meaning)</td></tr>\n"
    }

    /// The share of calls that each replica answered.
    var replicaShares: Markup {
        .joined(
            runs.indices.filter { runs[$0].replicas.count > 1 }.map { index in
                let run = runs[index]
                let most = run.replicas.values.max() ?? 0
                let rows = run.replicas.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(64).map {
                    name, count in
                    """
                    <tr><th scope="row">\(name)</th><td>\(NumberFormat.count(count))</td>
                    <td>\(NumberFormat.percent(run.share(of: name)))</td><td>\(bar(count, of: most))</td></tr>

                    """ as Markup
                }
                let rest = run.replicas.count > 64 ? "The 64 with most of \(run.replicas.count)." : ""
                return """
                    <section class="card \(Self.colour(index))"><h2>\(badge(index)) Calls by replica\
                    \(runs.count > 1 ? ": \(labels[index])" : "")</h2><p>\(rest)</p>
                    <table class="spread"><thead><tr><th scope="col">replica</th><th scope="col">calls</th>
                    <th scope="col">share</th><td></td></tr></thead><tbody>\(rows)</tbody></table></section>

                    """
            })
    }

    private func bar(_ count: UInt64, of most: UInt64) -> Markup {
        let share = most > 0 ? Double(count) / Double(most) * 100 : 0
        return """
            <svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true" xmlns="http://www.w3.org/2000/svg">\
            <rect class="back" width="100" height="12" rx="2"/><rect width="\(share)" height="12" rx="2"/></svg>
            """
    }

    /// Explanations of the report's terms.
    var notes: Markup {
        """
        <section class="card"><h2>Reading this report</h2><dl class="notes">
        <dt>Wrong answers</dt><dd>Responses that failed a check: from another replica than the session's, with an event \
        lost or repeated, or with an error inside a 200. Every response is checked; a wrong one does not count as \
        completed.</dd>
        <dt>Open and closed loop</dt><dd>With a rate (open loop) calls are due at fixed times, and latency counts from \
        the due time: calls that wait because the server stalls have their wait included. In a closed loop each \
        connection waits for the response before its next call, so a slow server gets fewer calls.</dd>
        <dt>Percentiles</dt><dd>Computed over all calls of the run, with three significant digits. The chart over time \
        shows the percentile of each second.</dd>
        <dt>Generator</dt><dd>The CPU time that the load generator itself used for each call. If it used nearly all of \
        its cores, it limits the throughput and raises the highest percentiles.</dd>
        </dl></section>

        """
    }
}
