import Load

/// The figures of runs in rows, with a column for each run. Both the terminal's table and the page show it.
struct FigureSheet {
    /// Rows under a heading.
    struct Section {
        var title: String
        var rows: [Row]
    }

    /// One figure of all runs.
    struct Row {
        var label: String
        var cells: [Cell]
        /// Whether it is a part of the row above, and indented.
        var isPart = false
    }

    /// The figure of one run.
    struct Cell {
        var text: String
        var tone = Tone.plain
        /// Whether the text is a number.
        var isNumber = true
    }

    let labels: [String]
    private(set) var sections: [Section] = []
    private let runs: [RunFigures]

    /// Replicas with a row of their own, at most. With more, their number and the smallest and largest share are shown.
    private static let replicasShown = 12
    static let percentiles = [50, 75, 90, 99, 99.9, 99.99]

    init(_ runs: [RunFigures]) {
        self.runs = runs
        labels = RunLabels.labels(of: runs)
        sections = [load(), throughput(), latency(), errors(), replicas(), generator()]
            .filter { !$0.rows.isEmpty }
    }

    private func row(_ label: String, isPart: Bool = false, _ text: (RunFigures) -> String) -> Row {
        Row(label: label, cells: runs.map { Cell(text: text($0)) }, isPart: isPart)
    }

    private func textRow(_ label: String, _ text: (RunFigures) -> String) -> Row {
        Row(label: label, cells: runs.map { Cell(text: text($0), isNumber: false) })
    }

    /// The unit of all runs; `completed` if they differ.
    private var unit: String {
        let units = Set(runs.map(\.plan.unit))
        return units.count == 1 ? units.first ?? "" : "completed"
    }
}

// MARK: - Sections

extension FigureSheet {
    private func load() -> Section {
        let rows = [
            textRow("workload") { $0.plan.workload },
            textRow("transport") { $0.plan.transport },
            textRow("connections") { $0.plan.loadText },
            textRow("rate") { $0.plan.rateText },
            textRow("measured") { "\(NumberFormat.fixed($0.seconds, 1)) s" },
        ]
        return Section(title: "load", rows: rows)
    }

    private func throughput() -> Section {
        var rows = [
            Row(
                label: "\(unit)/s",
                cells: runs.map { Cell(text: NumberFormat.rate($0.perSecond), tone: .strong) }),
            row(unit) { NumberFormat.count($0.completed) },
            row("received") { run in
                "\(NumberFormat.bytes(run.seconds > 0 ? Double(run.bytesReceived) / run.seconds : 0))/s"
            },
            row("sent") { run in "\(NumberFormat.bytes(run.seconds > 0 ? Double(run.bytesSent) / run.seconds : 0))/s" },
            row("connections opened") { NumberFormat.count($0.connectionsOpened) },
        ]
        if runs.contains(where: { $0.handshakesResumed > 0 }) {
            rows.append(row("handshakes resumed") { NumberFormat.count($0.handshakesResumed) })
        }
        if unit == "completed" {
            rows[1].cells = runs.map { Cell(text: "\(NumberFormat.count($0.completed)) \($0.plan.unit)") }
        }
        return Section(title: "throughput", rows: rows)
    }

    private func latency() -> Section {
        func value(_ run: RunFigures, _ microseconds: Double) -> String {
            run.latency.count == 0 ? NumberFormat.none : NumberFormat.milliseconds(microseconds: microseconds)
        }
        var rows = [
            row("min") { value($0, $0.latency.minimum) },
            row("mean") { value($0, $0.latency.mean) },
        ]
        rows += Self.percentiles.map { percentile in
            row("p\(Self.name(of: percentile))") { value($0, $0.latency.at(percentile)) }
        }
        rows.append(row("max") { value($0, $0.latency.maximum) })
        return Section(title: "latency, ms", rows: rows)
    }

    private func errors() -> Section {
        let kinds = WrongAnswer.allCases.filter { kind in runs.contains { ($0.wrong[kind] ?? 0) > 0 } }
        let reasons = Set(runs.flatMap { $0.failed.filter { $0.value > 0 }.keys }).sorted()
        let wrong = kinds.map { kind in part(kind.label) { $0.wrong[kind] ?? 0 } }
        let failed = reasons.map { reason in part(reason) { $0.failed[reason] ?? 0 } }
        return Section(
            title: "errors",
            rows: [Row(label: "wrong answers", cells: runs.map { errorCount($0.wrongCount) })] + wrong
                + [Row(label: "failed", cells: runs.map { errorCount($0.failedCount) })] + failed)
    }

    private func replicas() -> Section {
        let names = Set(runs.flatMap(\.replicas.keys)).sorted()
        guard !names.isEmpty else { return Section(title: "replicas", rows: []) }
        func share(_ run: RunFigures, _ name: String) -> String {
            run.replicas[name] == nil ? NumberFormat.none : NumberFormat.percent(run.share(of: name))
        }
        guard names.count > Self.replicasShown else {
            return Section(title: "replicas", rows: names.map { name in row(name) { share($0, name) } })
        }
        return Section(
            title: "replicas",
            rows: [
                row("number") { NumberFormat.count(UInt64($0.replicas.count)) },
                row("smallest share") { run in run.replicas.min { $0.value < $1.value }.map { share(run, $0.key) } ?? ""
                },
                row("largest share") { run in run.replicas.max { $0.value < $1.value }.map { share(run, $0.key) } ?? ""
                },
            ])
    }

    private func generator() -> Section {
        let cpuShare = runs.map { run in
            Cell(
                text: NumberFormat.percent(run.cpuShare, decimals: 0),
                tone: run.cpuShare > RunFigures.busyLimit ? .warning : .plain)
        }
        return Section(
            title: "generator",
            rows: [
                row("CPU per call, µs") {
                    $0.completed == 0 ? NumberFormat.none : NumberFormat.fixed($0.microsecondsPerCall, 1)
                },
                Row(label: runs.contains { $0.plan.threads > 1 } ? "of its cores" : "of its core", cells: cpuShare),
            ])
    }

    private func errorCount(_ count: UInt64) -> Cell {
        Cell(text: NumberFormat.count(count), tone: count > 0 ? .bad : .good)
    }

    private func part(_ label: String, _ count: (RunFigures) -> UInt64) -> Row {
        Row(
            label: label,
            cells: runs.map { Cell(text: NumberFormat.count(count($0)), tone: count($0) > 0 ? .bad : .quiet) },
            isPart: true)
    }

    /// A percentile as in `99.9` or `50`.
    static func name(of percentile: Double) -> String {
        percentile == percentile.rounded() ? NumberFormat.fixed(percentile, 0) : "\(percentile)"
    }
}
