import Load
package import LoadReport

/// Formats the results of a trial as a table.
package enum VerdictTable {
    private struct Row {
        var label: String
        var value: String
        var note = ""
        var tone = Tone.plain
    }

    /// The table and the verdict, each line with a newline.
    package static func text(_ figures: ProveFigures, style: TerminalStyle) -> String {
        let verdict = Verdict(figures)
        let rows = rows(figures, verdict)
        let labelWidth = rows.map(\.label.count).max() ?? 0
        let valueWidth = rows.map(\.value.count).max() ?? 0
        var lines = [style.tint(title(figures), .strong)]
        lines += rows.map { row in
            let note = row.note.isEmpty ? "" : "   " + style.tint(row.note, .quiet)
            return "  \(row.label.padded(to: labelWidth))  "
                + style.tint(row.value.rightAligned(in: valueWidth), row.tone) + note
        }
        lines += examples(figures, verdict, style)
        lines += ["", style.tint(verdict.sentence + ".", verdict.holds ? .good : .bad)]
        if figures.disturbances.isEmpty {
            lines.append("Nothing was disturbed: the load was over before the first disturbance.")
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func title(_ figures: ProveFigures) -> String {
        let mode = figures.onLost.map { ", on_lost = \($0)" } ?? ""
        return "\(figures.front) (\(figures.affinity)\(mode)), seed \(figures.seed), "
            + "\(NumberFormat.clock(seconds: figures.load.seconds)) of load"
    }

    private static func rows(_ figures: ProveFigures, _ verdict: Verdict) -> [Row] {
        let load = figures.load
        let trial = load.trial ?? TrialFigures()
        var rows = [
            Row(label: "disturbances", value: count(figures.disturbances.values.reduce(0, +)), note: done(figures))
        ]
        rows.append(
            Row(
                label: "calls", value: NumberFormat.count(trial.calls),
                note: "\(NumberFormat.rate(load.seconds > 0 ? Double(trial.calls) / load.seconds : 0)) a second"))
        rows.append(counted("wrong answers", verdict.wrong, parts(load.wrong.map { ($0.key.label, $0.value) })))
        rows.append(
            counted(
                "lost sessions", verdict.lost,
                verdict.lostWithServer > 0
                    ? "and \(NumberFormat.count(verdict.lostWithServer)) with their server, as asked" : ""))
        if let executions = figures.executions {
            rows.append(
                counted(
                    "executed twice", executions.duplicates,
                    "of \(NumberFormat.count(executions.calls)) executed calls; \(NumberFormat.count(executions.readOnlyDuplicates)) of read-only tools besides"
                ))
        } else {
            rows.append(Row(label: "executed twice", value: NumberFormat.none, note: "these servers keep no account"))
        }
        rows.append(counted("failed without cause", verdict.unexplainedCount, parts(verdict.unexplained)))
        rows.append(
            Row(
                label: "failed on a server that was killed or stopped",
                value: NumberFormat.count(verdict.explained.values.reduce(0, +)), note: parts(verdict.explained)))
        rows.append(Row(label: "sessions recovered", value: NumberFormat.count(trial.recovered)))
        rows.append(Row(label: "event streams resumed", value: NumberFormat.count(trial.streamsResumed)))
        rows.append(
            Row(
                label: "longest silence of a stream", value: seconds(trial.silence),
                note: "\(seconds(trial.disturbedSilence)) where its server was killed or stopped"))
        rows.append(latency("latency, quiet", trial.quiet))
        rows.append(latency("latency, disturbed", trial.disturbed))
        return rows
    }

    private static func counted(_ label: String, _ number: UInt64, _ note: String) -> Row {
        Row(label: label, value: NumberFormat.count(number), note: note, tone: number > 0 ? .bad : .good)
    }

    private static func latency(_ label: String, _ latency: LatencyFigures) -> Row {
        guard latency.count > 0 else { return Row(label: label, value: NumberFormat.none) }
        func at(_ percentile: Double) -> String { NumberFormat.duration(microseconds: latency.at(percentile)) }
        return Row(
            label: label, value: at(50),
            note: "p99 \(at(99)), longest \(NumberFormat.duration(microseconds: latency.maximum))")
    }

    private static func count(_ number: Int) -> String { NumberFormat.count(UInt64(max(0, number))) }

    private static func seconds(_ value: Double) -> String {
        value == 0 ? NumberFormat.none : "\(NumberFormat.fixed(value, 1)) s"
    }

    /// What was done, the most frequent first; then what was not.
    private static func done(_ figures: ProveFigures) -> String {
        let done = sorted(figures.disturbances.map { ($0.key, UInt64(max(0, $0.value))) })
        return done.map { "\($0.1) \($0.1 == 1 ? String($0.0.dropLast()) : $0.0)" }.joined(separator: ", ")
    }

    private static func parts(_ counts: [String: UInt64]) -> String { parts(counts.map { ($0.key, $0.value) }) }

    private static func parts(_ counts: [(String, UInt64)]) -> String {
        sorted(counts).map { "\($0.0.sanitized): \(NumberFormat.count($0.1))" }.joined(separator: ", ")
    }

    private static func sorted(_ counts: [(String, UInt64)]) -> [(String, UInt64)] {
        counts.sorted { ($1.1, $0.0) < ($0.1, $1.0) }
    }

    private static func examples(_ figures: ProveFigures, _ verdict: Verdict, _ style: TerminalStyle) -> [String] {
        var lines = figures.skipped.sorted { $0.key < $1.key }.map {
            style.tint("  left out \($0.value == 1 ? "once" : "\($0.value) times"): \($0.key)", .warning)
        }
        if verdict.notSent > 0 {
            lines.append(
                style.tint(
                    "  \(NumberFormat.count(verdict.notSent)) calls were not made in time: the machine is too slow for this rate",
                    .warning))
        }
        guard !verdict.holds else { return lines }
        lines.append("  first of what went wrong")
        for example in figures.load.examples.prefix(6) {
            lines += example.sanitized.wrapped(to: max(20, style.width - 4)).map { style.tint("    \($0)", .bad) }
        }
        return lines
    }
}
