import Load
package import LoadReport

/// The end of a demo: both sides in a table, and where to go next.
package enum DemoSummary {
    private static let labelWidth = 46

    /// The text, each line with a newline.
    package static func text(_ outcome: DemoRun.Outcome, style: TerminalStyle) -> String {
        let counts = outcome.figures.map { FrontCounts($0.load) }
        var lines = [
            String(repeating: " ", count: labelWidth)
                + outcome.figures.map { style.tint($0.front.rightAligned(in: 14), .strong) }.joined()
        ]
        func row(_ label: String, _ value: (FrontCounts) -> UInt64, isBad: Bool = false) {
            let cells = counts.map { counts in
                let tone: Tone = isBad ? (value(counts) > 0 ? .bad : .good) : .plain
                return style.tint(NumberFormat.count(value(counts)).rightAligned(in: 14), tone)
            }
            lines.append("  " + label.padded(to: labelWidth - 2) + cells.joined())
        }
        row("calls", \.calls)
        row("wrong answers", \.wrong, isBad: true)
        row("sessions lost", \.lost, isBad: true)
        row("failed without cause", \.failed, isBad: true)
        row("failed on a server that was killed or stopped", \.explained)
        row("sessions recovered", \.recovered)
        lines += outcome.figures.first.map { leftOut($0, style) } ?? []
        lines.append("")
        lines += verdict(outcome, style) + [""]
        lines += next(outcome, style)
        return lines.map { $0 + "\n" }.joined()
    }

    private static func leftOut(_ figures: ProveFigures, _ style: TerminalStyle) -> [String] {
        figures.skipped.keys.sorted().map { style.tint("  left out: \($0)", .warning) }
    }

    private static func verdict(_ outcome: DemoRun.Outcome, _ style: TerminalStyle) -> [String] {
        guard let figures = outcome.figures.first else { return [] }
        let verdict = Verdict(figures)
        let about =
            "Round-robin is Berth with affinity = \"off\": it stands for any balancer that does not know MCP sessions, "
            + "where a session that meets the wrong server is answered 404."
        return [style.tint(verdict.sentence + ".", verdict.holds ? .good : .bad)] + about.wrapped(to: style.width)
    }

    private static func next(_ outcome: DemoRun.Outcome, _ style: TerminalStyle) -> [String] {
        var lines = ["This is the file it ran with, to begin with yours:", ""]
        lines += outcome.file.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map {
            $0.isEmpty ? "" : style.tint("    \($0)", .quiet)
        }
        lines += ["", "  berth check berth.toml    find what is wrong with it", "  berth run berth.toml      run it"]
        lines.append("  berth prove               the same for as long as you like, from a seed, with a verdict")
        return lines
    }
}
