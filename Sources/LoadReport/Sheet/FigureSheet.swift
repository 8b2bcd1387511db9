import Load

/// The figures of runs in rows, a column a run: what the terminal's table and the page's both show.
struct FigureSheet {
    struct Section {
        var title: String
        var rows: [Row]
    }

    struct Row {
        var label: String
        var cells: [Cell]
        /// A part of the row above.
        var isPart = false
    }

    struct Cell {
        var text: String
        var tone = Tone.plain
        /// Shown beside what is counted: never alone.
        var isNumber = true
    }

    let labels: [String]
    private(set) var sections: [Section] = []
    private let runs: [RunFigures]

    /// More replicas than that are summed up in a row instead of having one each.
    private static let replicasShown = 12
    static let percentiles = [50, 75, 90, 99, 99.9, 99.99]

    init(_ runs: [RunFigures]) {
        self.runs = runs
        labels = RunLabels.labels(of: runs)
        sections = [load(), throughput(), latency(), truth(), replicas(), generator()]
            .filter { !$0.rows.isEmpty }
    }

    private func row(_ label: String, isPart: Bool = false, _ text: (RunFigures) -> String) -> Row {
        Row(label: label, cells: runs.map { Cell(text: text($0)) }, isPart: isPart)
    }

    private func words(_ label: String, _ text: (RunFigures) -> String) -> Row {
        Row(label: label, cells: runs.map { Cell(text: text($0), isNumber: false) })
    }

    /// The unit of all runs, or a word for any.
    private var unit: String {
        let units = Set(runs.map(\.plan.unit))
        return units.count == 1 ? units.first ?? "" : "completed"
    }
}

// MARK: - Sections

extension FigureSheet {
    private func load() -> Section {
        let rows = [
            words("workload") { $0.plan.workload },
            words("transport") { $0.plan.transport },
            words("connections") { $0.plan.loadText },
            words("rate") { $0.plan.rateText },
            words("measured") { "\(Figure.fixed($0.seconds, 1)) s" },
        ]
        return Section(title: "load", rows: rows)
    }

    private func throughput() -> Section {
        var rows = [
            Row(
                label: "\(unit)/s",
                cells: runs.map { Cell(text: Figure.rate($0.perSecond), tone: .strong) }),
            row(unit) { Figure.count($0.completed) },
            row("received") { run in "\(Figure.bytes(run.seconds > 0 ? Double(run.bytesReceived) / run.seconds : 0))/s"
            },
            row("sent") { run in "\(Figure.bytes(run.seconds > 0 ? Double(run.bytesSent) / run.seconds : 0))/s" },
            row("connections opened") { Figure.count($0.connectionsOpened) },
        ]
        if runs.contains(where: { $0.handshakesResumed > 0 }) {
            rows.append(row("handshakes resumed") { Figure.count($0.handshakesResumed) })
        }
        if unit == "completed" {
            rows[1].cells = runs.map { Cell(text: "\(Figure.count($0.completed)) \($0.plan.unit)") }
        }
        return Section(title: "throughput", rows: rows)
    }

    private func latency() -> Section {
        func value(_ run: RunFigures, _ microseconds: Double) -> String {
            run.latency.count == 0 ? Figure.none : Figure.milliseconds(microseconds: microseconds)
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

    private func truth() -> Section {
        let kinds = WrongAnswer.allCases.filter { kind in runs.contains { ($0.wrong[kind] ?? 0) > 0 } }
        let reasons = Set(runs.flatMap { $0.failed.filter { $0.value > 0 }.keys }).sorted()
        let wrong = kinds.map { kind in part(kind.label) { $0.wrong[kind] ?? 0 } }
        let failed = reasons.map { reason in part(reason) { $0.failed[reason] ?? 0 } }
        return Section(
            title: "truth",
            rows: [Row(label: "wrong answers", cells: runs.map { alarm($0.wrongCount) })] + wrong
                + [Row(label: "failed", cells: runs.map { alarm($0.failedCount) })] + failed)
    }

    private func replicas() -> Section {
        let names = Set(runs.flatMap(\.replicas.keys)).sorted()
        guard !names.isEmpty else { return Section(title: "replicas", rows: []) }
        func share(_ run: RunFigures, _ name: String) -> String {
            run.replicas[name] == nil ? Figure.none : Figure.percent(run.share(of: name))
        }
        guard names.count > Self.replicasShown else {
            return Section(title: "replicas", rows: names.map { name in row(name) { share($0, name) } })
        }
        return Section(
            title: "replicas",
            rows: [
                row("how many") { Figure.count(UInt64($0.replicas.count)) },
                row("least of one") { run in run.replicas.min { $0.value < $1.value }.map { share(run, $0.key) } ?? ""
                },
                row("most of one") { run in run.replicas.max { $0.value < $1.value }.map { share(run, $0.key) } ?? "" },
            ])
    }

    private func generator() -> Section {
        let busy = runs.map { run in
            Cell(text: Figure.percent(run.busy, decimals: 0), tone: run.busy > RunFigures.tooBusy ? .warning : .plain)
        }
        return Section(
            title: "generator",
            rows: [
                row("CPU a call, µs") { $0.completed == 0 ? Figure.none : Figure.fixed($0.microsecondsPerCall, 1) },
                Row(label: runs.contains { $0.plan.threads > 1 } ? "of its cores" : "of its core", cells: busy),
            ])
    }

    private func alarm(_ count: UInt64) -> Cell {
        Cell(text: Figure.count(count), tone: count > 0 ? .bad : .good)
    }

    private func part(_ label: String, _ count: (RunFigures) -> UInt64) -> Row {
        Row(
            label: label,
            cells: runs.map { Cell(text: Figure.count(count($0)), tone: count($0) > 0 ? .bad : .quiet) }, isPart: true)
    }

    /// `99.9`, `50`
    static func name(of percentile: Double) -> String {
        percentile == percentile.rounded() ? Figure.fixed(percentile, 0) : "\(percentile)"
    }
}
