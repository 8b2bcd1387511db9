import FoundationEssentials
package import Load

/// The figures of runs as one self-contained HTML page without scripts, fonts, images or links.
package struct ReportPage {
    let runs: [RunFigures]
    let labels: [String]
    let title: String

    /// `title`: the page's heading; if empty, made from the runs' names.
    package init(_ runs: [RunFigures], title: String = "") {
        self.runs = runs
        labels = RunLabels.labels(of: runs)
        self.title = title.isEmpty ? "Load test: \(Self.list(labels))" : title
    }

    /// The whole document, to be encoded as UTF-8.
    package func html() -> String {
        let body: [Markup] = runs.isEmpty ? ["<p>There are no runs in this report.</p>"] : sections
        let page: Markup = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
            <title>\(title)</title>
            <style>
            \(PageStyle.sheet)</style>
            </head>
            <body>
            <header><h1>\(title)</h1><p class="about">\(subtitle)</p></header>
            <main>
            \(body)</main>
            <footer><p>Made by berth-load.</p></footer>
            </body>
            </html>

            """
        return page.text
    }

    /// Names as in `a`, `a and b`, `a, b and c`; `5 runs` for more than three.
    private static func list(_ names: [String]) -> String {
        guard let last = names.last, names.count <= 3 else { return "\(names.count) runs" }
        return names.count == 1 ? last : "\(names.dropLast().joined(separator: ", ")) and \(last)"
    }

    private var sections: [Markup] {
        [verdict, cards, charts, figures, problems, replicaShares, notes]
    }

    /// The URL of the endpoint and the time of the first run.
    private var subtitle: String {
        let addresses = Set(runs.map(\.plan.url))
        let place = addresses.count == 1 ? addresses.first ?? "" : "\(addresses.count) addresses"
        guard let began = runs.map(\.began).min() else { return "" }
        return "\(place), \(Self.date(began))"
    }

    /// A time as in `2026-03-01 12:34:56 UTC`. `seconds`: since 1970.
    static func date(_ seconds: Double) -> String {
        guard (0...253_402_300_799).contains(seconds) else { return "" }
        let text = Date(timeIntervalSince1970: seconds.rounded(.down)).formatted(.iso8601)
        return text.replacing("T", with: " ").replacing("Z", with: " UTC")
    }

    /// The CSS class with the colour of a run.
    static func colour(_ index: Int) -> Markup { "run\(index % PageStyle.runColours.count)" }

    /// The run's key on its colour; empty for a single run.
    func badge(_ index: Int) -> Markup {
        guard runs.count > 1 else { return "" }
        return "<span class=\"badge-text \(Self.colour(index))\">\(RunCharts.key(index))</span>"
    }
}
