import Glibc
import Load

/// Makes the charts of a report from the figures of its runs.
struct RunCharts {
    let runs: [RunFigures]
    let labels: [String]

    /// Points of one line, at most. With more seconds than that, adjacent ones are combined: to their mean or maximum.
    static let maxPoints = 240

    init(_ runs: [RunFigures]) {
        self.runs = runs
        labels = RunLabels.labels(of: runs)
    }

    /// `A`, `B` and so on; the 27th run is `AA`.
    static func key(_ index: Int) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        let last = String(alphabet[index % alphabet.count])
        return index < alphabet.count ? last : key(index / alphabet.count - 1) + last
    }

    private func line(_ index: Int, pieces: [[LineChart.Point]]) -> LineChart.Line {
        LineChart.Line(run: index, key: Self.key(index), pieces: pieces)
    }

    /// `A sessions: `, or nothing for a run alone.
    private func prefix(_ index: Int) -> String {
        runs.count > 1 ? "\(Self.key(index)) \(labels[index]): " : ""
    }
}

// MARK: - Latency by percentile

extension RunCharts {
    private typealias PercentilePoint = (percentile: Double, microseconds: Double)

    /// Latency over percentiles, on the axis of HdrHistogram's plots: each further nine (90, 99, 99.9) has the same
    /// width.
    func latency() -> LineChart? {
        let measured = runs.indices.filter { runs[$0].latency.count > 0 }
        guard !measured.isEmpty else { return nil }
        let end = max(2, min(7, measured.map { decades(100, runs[$0]) }.max() ?? 2))
        let lines = measured.map { line($0, pieces: [points($0, upTo: end)]) }
        let heights = lines.flatMap { $0.pieces.joined().map(\.y) }
        let ticks = [0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999, 99.99999].map { percentile in
            Axis.Tick(
                value: Self.decades(percentile), label: FigureSheet.name(of: percentile))
        }
        return LineChart(
            id: "latency", title: "Latency by percentile", summary: summary(measured),
            x: Axis(title: "percentile", through: end, ticks: ticks.filter { $0.value <= end + 1e-9 }),
            y: Self.latencyAxis(heights), lines: lines)
    }

    /// Linear, or logarithmic if the largest latency is more than 20 times the smallest.
    private static func latencyAxis(_ microseconds: [Double]) -> Axis {
        let top = microseconds.max() ?? 0
        let bottom = microseconds.filter { $0 > 0 }.min() ?? 0
        guard bottom > 0, top / bottom > 20 else {
            return Axis(title: "latency", upTo: top, label: axisLabel)
        }
        return Axis(title: "latency, log", logarithmicFrom: bottom, to: top, label: axisLabel)
    }

    private static func axisLabel(_ microseconds: Double) -> String {
        switch microseconds {
        case 0: "0"
        case ..<1_000: "\(short(microseconds)) µs"
        case ..<1_000_000: "\(short(microseconds / 1_000)) ms"
        default: "\(short(microseconds / 1_000_000)) s"
        }
    }

    /// A number without trailing zeros, with 3 decimals at most.
    private static func short(_ value: Double) -> String {
        for decimals in 0...2 {
            let scaled = value * pow(10, Double(decimals))
            if abs(scaled - scaled.rounded()) < 1e-6 { return NumberFormat.fixed(value, decimals) }
        }
        return NumberFormat.fixed(value, 3)
    }

    /// The position of a percentile on the axis: 0 for p0, 1 for p90, 2 for p99, 3 for p99.9.
    private static func decades(_ percentile: Double) -> Double {
        -log10(max(1e-9, 1 - percentile / 100))
    }

    /// The same for one run: its maximum is at the percentile of one call in all.
    private func decades(_ percentile: Double, _ run: RunFigures) -> Double {
        percentile < 100 ? Self.decades(percentile) : log10(max(10, Double(run.latency.count)))
    }

    private func points(_ index: Int, upTo end: Double) -> [LineChart.Point] {
        let run = runs[index]
        var percentiles: [PercentilePoint] = run.latency.percentiles.map { ($0.percentile, $0.microseconds) }
        if percentiles.first?.percentile != 0 { percentiles.insert((0, run.latency.minimum), at: 0) }
        if percentiles.last?.percentile != 100 { percentiles.append((100, run.latency.maximum)) }
        let last = decades(100, run)
        return percentiles.filter { $0.percentile == 100 || Self.decades($0.percentile) <= last }.map { place in
            let isMarked = [50, 90, 99, 99.9, 99.99].contains(place.percentile) || place.percentile == 100
            let name = place.percentile == 100 ? "max" : "p\(FigureSheet.name(of: place.percentile))"
            let note = "\(prefix(index))\(name) \(NumberFormat.duration(microseconds: place.microseconds))"
            return LineChart.Point(
                x: min(end, decades(place.percentile, run)), y: place.microseconds, note: isMarked ? note : nil,
                isMarked: isMarked)
        }
    }

    private func summary(_ indices: [Int]) -> String {
        indices.map { index in
            let latency = runs[index].latency
            let values = [50, 99, 99.9].map { percentile in
                "p\(FigureSheet.name(of: percentile)) \(NumberFormat.duration(microseconds: latency.at(percentile)))"
            }
            return prefix(index)
                + (values + ["max \(NumberFormat.duration(microseconds: latency.maximum))"])
                .joined(separator: ", ")
        }.joined(separator: ". ")
    }
}

// MARK: - Over time

extension RunCharts {
    /// Throughput over time: one chart for each unit, since calls and events cannot share an axis.
    func throughput() -> [LineChart] {
        var units: [String] = []
        for run in runs where !units.contains(run.plan.unit) { units.append(run.plan.unit) }
        return units.enumerated().compactMap { number, unit in
            let indices = runs.indices.filter { runs[$0].plan.unit == unit }
            let lines = indices.map { index in
                var line = line(
                    index,
                    pieces: pieces(index, worst: false) {
                        $0.rate
                    } note: {
                        "\(prefix(index))\(NumberFormat.rate($0.rate)) \(unit)/s at \(NumberFormat.clock(seconds: $0.second.at))"
                    })
                line.targetRate = runs[index].plan.rate
                return line
            }
            let summary = indices.map { index in
                "\(prefix(index))\(NumberFormat.rate(runs[index].perSecond)) \(unit) a second on average"
            }
            return overTime(
                "throughput-\(number)", "\(unit.prefix(1).uppercased() + unit.dropFirst()) per second", summary, lines,
                alarms: indices.flatMap(alarms)
            ) { heights in
                Axis(title: "\(unit)/s", upTo: (heights + lines.compactMap(\.targetRate)).max() ?? 0, label: Self.short)
            }
        }
    }

    /// The 99th percentile of each second.
    func p99OverTime() -> LineChart? {
        let lines = runs.indices.map { index in
            line(
                index,
                pieces: pieces(index, worst: true) {
                    $0.second.maximum > 0 ? $0.second.p99 : nil
                } note: {
                    let (p99, p50) = (
                        NumberFormat.duration(microseconds: $0.second.p99),
                        NumberFormat.duration(microseconds: $0.second.p50)
                    )
                    return "\(prefix(index))p99 \(p99), p50 \(p50) at \(NumberFormat.clock(seconds: $0.second.at))"
                })
        }.filter { !$0.pieces.isEmpty }
        let summary = lines.compactMap { line in
            line.pieces.joined().map(\.y).max().map { worst in
                "\(prefix(line.run))at worst \(NumberFormat.duration(microseconds: worst))"
            }
        }
        return overTime("tail", "p99 of each second", summary, lines, alarms: runs.indices.flatMap(alarms)) {
            Self.latencyAxis($0)
        }
    }

    private typealias RatedSecond = (second: SecondFigures, rate: Double)

    private func overTime(
        _ id: String, _ title: String, _ summary: [String], _ lines: [LineChart.Line], alarms: [LineChart.Alarm],
        axis: ([Double]) -> Axis
    ) -> LineChart? {
        let points = lines.flatMap { $0.pieces.joined() }
        // The axis covers the whole run, even if a line ends earlier.
        guard points.count > 1, let end = (points.map(\.x) + lines.map { runs[$0.run].seconds }).max() else {
            return nil
        }
        return LineChart(
            id: id, title: title, summary: summary.joined(separator: ". "),
            x: Axis(title: "seconds", endingAt: end, lines: 8, label: Self.short), y: axis(points.map(\.y)),
            lines: lines, alarms: alarms, isShaded: true)
    }

    /// The seconds of a run with their rates. An incomplete last second is left out, as its rate is noise, and so is
    /// what came after the end of measuring.
    private func ratedSeconds(_ index: Int) -> [RatedSecond] {
        let run = runs[index]
        var before = 0.0
        return run.series.compactMap { second in
            let span = second.at - before
            before = second.at
            guard second.at < run.seconds + 0.5, span >= 0.5 || run.seconds <= 2 else { return nil }
            return (second, span > 0 ? Double(second.completed) / span : 0)
        }
    }

    /// The line of a value over time, interrupted where `value` is nil. `worst`: combine seconds to their maximum, not
    /// their mean.
    private func pieces(
        _ index: Int, worst: Bool, _ value: (RatedSecond) -> Double?, note: (RatedSecond) -> String
    ) -> [[LineChart.Point]] {
        let seconds = ratedSeconds(index)
        let stride = max(1, (seconds.count + Self.maxPoints - 1) / Self.maxPoints)
        var pieces: [[LineChart.Point]] = [[]]
        for start in Swift.stride(from: 0, to: seconds.count, by: stride) {
            let group = seconds[start..<min(start + stride, seconds.count)]
            let known = group.compactMap { second in value(second).map { (second, $0) } }
            guard let greatest = known.max(by: { $0.1 < $1.1 }), let last = group.last else {
                pieces.append([])
                continue
            }
            let mean = known.reduce(0) { $0 + $1.1 } / Double(known.count)
            pieces[pieces.count - 1].append(
                LineChart.Point(
                    x: last.second.at, y: worst ? greatest.1 : mean, note: stride == 1 ? note(greatest.0) : nil))
        }
        return pieces.filter { !$0.isEmpty }
    }

    private func alarms(_ index: Int) -> [LineChart.Alarm] {
        runs[index].series.filter { $0.wrong > 0 || $0.failed > 0 }.prefix(Self.maxPoints).map { second in
            LineChart.Alarm(
                x: second.at, run: index,
                note:
                    "\(prefix(index))\(NumberFormat.count(second.wrong)) wrong, \(NumberFormat.count(second.failed)) failed at "
                    + NumberFormat.clock(seconds: second.at))
        }
    }
}
