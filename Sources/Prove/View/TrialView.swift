import Load
package import LoadReport

/// Formats the status of a trial as text.
package enum TrialView {
    private static let labelWidth = 22
    private static let columnWidth = 20

    /// The status in a few lines, each with a newline: a row for each server and figure, a column for each balancer.
    package static func text(_ status: TrialStatus, style: TerminalStyle) -> String {
        var lines = ["", heading(status, style)]
        for server in status.servers {
            let tone: Tone = server.state == "running" ? .good : .warning
            let label = "  " + server.name.padded(to: 8) + style.tint(server.state.padded(to: labelWidth - 10), tone)
            lines.append(label + server.calls.map { column(NumberFormat.count($0) + " calls", style, .plain) }.joined())
        }
        lines += figures(status, style)
        return lines.map { $0 + "\n" }.joined()
    }

    /// The status in one line without a newline, for output that cannot be redrawn.
    package static func line(_ status: TrialStatus) -> String {
        let fronts = status.fronts.map { front in
            let counts = FrontCounts(front.figures)
            return
                "\(front.name): \(NumberFormat.count(counts.calls)) calls, \(counts.wrong) wrong, \(counts.lost) sessions lost, "
                + "\(counts.failed) failed, \(counts.recovered) recovered"
        }
        return "\(NumberFormat.clock(seconds: status.elapsed).rightAligned(in: 6))  " + fronts.joined(separator: " | ")
    }

    private static func heading(_ status: TrialStatus, _ style: TerminalStyle) -> String {
        let bar = Bars.progress(status.progress, width: labelWidth - 8, blocks: style.blocks)
        let clock = NumberFormat.clock(seconds: status.elapsed).padded(to: 6)
        let columns = status.fronts.map { front in
            column(status.fronts.count > 1 ? front.name : "\(front.name), pid \(front.pid)", style, .strong)
        }
        return style.tint(clock, .quiet) + style.tint(bar.done, .good) + style.tint(bar.left, .quiet) + "  "
            + columns.joined()
    }

    private static func figures(_ status: TrialStatus, _ style: TerminalStyle) -> [String] {
        let counts = status.fronts.map { FrontCounts($0.figures) }
        func row(_ label: String, _ value: (FrontCounts) -> (String, Tone)) -> String {
            "  " + label.padded(to: labelWidth - 2)
                + counts.map { value($0) }.map { column($0.0, style, $0.1) }.joined()
        }
        func counted(_ number: UInt64) -> (String, Tone) { (NumberFormat.count(number), number > 0 ? .bad : .good) }
        return [
            row("calls a second") { (NumberFormat.rate($0.perSecond), .plain) },
            row("median, p99") { ("\($0.p50), \($0.p99)", .plain) },
            row("wrong answers") { counted($0.wrong) },
            row("sessions lost") { counted($0.lost) },
            row("failed without cause") { counted($0.failed) },
            row("failed with a server") { (NumberFormat.count($0.explained), .plain) },
            row("sessions recovered") { (NumberFormat.count($0.recovered), .plain) },
            row("") { (Bars.sparkline($0.history, width: columnWidth - 4, blocks: style.blocks), .quiet) },
        ]
    }

    private static func column(_ text: String, _ style: TerminalStyle, _ tone: Tone) -> String {
        style.tint(text.cut(to: columnWidth - 1).rightAligned(in: columnWidth), tone)
    }
}

/// The counts of one balancer that a live view shows.
struct FrontCounts {
    let calls: UInt64
    let wrong: UInt64
    let lost: UInt64
    /// Failed calls that nothing explains.
    let failed: UInt64
    let explained: UInt64
    let recovered: UInt64
    let perSecond: Double
    let p50: String
    let p99: String
    let history: [Double]

    init(_ figures: RunFigures) {
        let trial = figures.trial ?? TrialFigures()
        let lost = figures.failed[Verdict.lostSession] ?? 0
        calls = trial.calls
        wrong = figures.wrongCount
        self.lost = lost
        failed = trial.unexplained(figures.failed).reduce(0) { $0 + (Verdict.isCall($1.key) ? $1.value : 0) }
        explained = trial.explained.reduce(0) { $0 + (Verdict.isCall($1.key) ? $1.value : 0) }
        recovered = trial.recovered
        let last = figures.series.last
        perSecond = Double(last?.completed ?? 0)
        p50 = last.map { NumberFormat.duration(microseconds: $0.p50) } ?? NumberFormat.none
        p99 = last.map { NumberFormat.duration(microseconds: $0.p99) } ?? NumberFormat.none
        history = figures.series.map { Double($0.completed) }
    }
}
