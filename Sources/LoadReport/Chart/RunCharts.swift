import Glibc
import Load

/// The charts of a report: which figures of the runs become which lines.
struct RunCharts {
    let runs: [RunFigures]
    let labels: [String]

    /// More points than that on a line are drawn as the means, or the worst, of neighbours.
    static let mostPoints = 240

    init(_ runs: [RunFigures]) {
        self.runs = runs
        labels = RunLabels.labels(of: runs)
    }

    /// `A`, `B` and so on; the 27th run is `AA`.
    static func letter(_ index: Int) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        let last = String(letters[index % letters.count])
        return index < letters.count ? last : letter(index / letters.count - 1) + last
    }

    private func line(_ index: Int, pieces: [[LineChart.Point]]) -> LineChart.Line {
        LineChart.Line(run: index, letter: Self.letter(index), pieces: pieces)
    }

    /// `A sessions: `, or nothing for a run alone.
    private func prefix(_ index: Int) -> String {
        runs.count > 1 ? "\(Self.letter(index)) \(labels[index]): " : ""
    }
}

// MARK: - Latency by percentile

extension RunCharts {
    private typealias Place = (percentile: Double, microseconds: Double)

    /// Over an axis on which each "nine" takes as much room as the one before, as HdrHistogram's plots have it.
    func latency() -> LineChart? {
        let measured = runs.indices.filter { runs[$0].latency.count > 0 }
        guard !measured.isEmpty else { return nil }
        let end = max(2, min(7, measured.map { nines(100, runs[$0]) }.max() ?? 2))
        let lines = measured.map { line($0, pieces: [points($0, upTo: end)]) }
        let heights = lines.flatMap { $0.pieces.joined().map(\.y) }
        let ticks = [0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999, 99.99999].map { percentile in
            Axis.Tick(
                value: Self.nines(percentile), label: FigureSheet.name(of: percentile))
        }
        return LineChart(
            id: "latency", title: "Latency by percentile", summary: summary(measured),
            x: Axis(title: "percentile", through: end, ticks: ticks.filter { $0.value <= end + 1e-9 }),
            y: Self.latencyAxis(heights), lines: lines)
    }

    /// Linear, or logarithmic where the slowest would flatten all the others.
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

    /// Without decimals that are zero.
    private static func short(_ value: Double) -> String {
        for decimals in 0...2 {
            let scaled = value * pow(10, Double(decimals))
            if abs(scaled - scaled.rounded()) < 1e-6 { return Figure.fixed(value, decimals) }
        }
        return Figure.fixed(value, 3)
    }

    /// 0 for the minimum, 1 for p90, 2 for p99 and so on.
    private static func nines(_ percentile: Double) -> Double {
        -log10(max(1e-9, 1 - percentile / 100))
    }

    /// The maximum lies where its one call is the share of all.
    private func nines(_ percentile: Double, _ run: RunFigures) -> Double {
        percentile < 100 ? Self.nines(percentile) : log10(max(10, Double(run.latency.count)))
    }

    private func points(_ index: Int, upTo end: Double) -> [LineChart.Point] {
        let run = runs[index]
        var places: [Place] = [(0, run.latency.minimum)]
        places += run.latency.percentiles.map { ($0.percentile, $0.microseconds) }
        if places.last?.percentile != 100 { places.append((100, run.latency.maximum)) }
        let last = nines(100, run)
        return places.filter { $0.percentile == 100 || Self.nines($0.percentile) <= last }.map { place in
            let isMarked = [50, 90, 99, 99.9, 99.99].contains(place.percentile) || place.percentile == 100
            let name = place.percentile == 100 ? "max" : "p\(FigureSheet.name(of: place.percentile))"
            let note = "\(prefix(index))\(name) \(Figure.duration(microseconds: place.microseconds))"
            return LineChart.Point(
                x: min(end, nines(place.percentile, run)), y: place.microseconds, note: isMarked ? note : nil,
                isMarked: isMarked)
        }
    }

    private func summary(_ indices: [Int]) -> String {
        indices.map { index in
            let latency = runs[index].latency
            let values = [50, 99, 99.9].map { percentile in
                "p\(FigureSheet.name(of: percentile)) \(Figure.duration(microseconds: latency.at(percentile)))"
            }
            return prefix(index)
                + (values + ["max \(Figure.duration(microseconds: latency.maximum))"])
                .joined(separator: ", ")
        }.joined(separator: ". ")
    }
}

// MARK: - Over time

extension RunCharts {
    /// One for each unit that runs count in: calls and events do not share an axis.
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
                        "\(prefix(index))\(Figure.rate($0.rate)) \(unit)/s at \(Figure.clock(seconds: $0.second.at))"
                    })
                line.goal = runs[index].plan.rate
                return line
            }
            let summary = indices.map { index in
                "\(prefix(index))\(Figure.rate(runs[index].perSecond)) \(unit) a second on average"
            }
            return overTime(
                "throughput-\(number)", "\(unit.prefix(1).uppercased() + unit.dropFirst()) per second", summary, lines,
                alarms: indices.flatMap(alarms)
            ) { heights in
                Axis(title: "\(unit)/s", upTo: (heights + lines.compactMap(\.goal)).max() ?? 0, label: Self.short)
            }
        }
    }

    /// The 99th percentile of each second.
    func tail() -> LineChart? {
        let lines = runs.indices.map { index in
            line(
                index,
                pieces: pieces(index, worst: true) {
                    $0.second.completed > 0 ? $0.second.p99 : nil
                } note: {
                    let (p99, p50) = (
                        Figure.duration(microseconds: $0.second.p99), Figure.duration(microseconds: $0.second.p50)
                    )
                    return "\(prefix(index))p99 \(p99), p50 \(p50) at \(Figure.clock(seconds: $0.second.at))"
                })
        }.filter { !$0.pieces.isEmpty }
        let summary = lines.compactMap { line in
            line.pieces.joined().map(\.y).max().map { worst in
                "\(prefix(line.run))at worst \(Figure.duration(microseconds: worst))"
            }
        }
        return overTime("tail", "p99 of each second", summary, lines, alarms: runs.indices.flatMap(alarms)) {
            Self.latencyAxis($0)
        }
    }

    private typealias Moment = (second: SecondFigures, rate: Double)

    private func overTime(
        _ id: String, _ title: String, _ summary: [String], _ lines: [LineChart.Line], alarms: [LineChart.Alarm],
        axis: ([Double]) -> Axis
    ) -> LineChart? {
        let points = lines.flatMap { $0.pieces.joined() }
        guard points.count > 1, let end = points.map(\.x).max() else { return nil }
        return LineChart(
            id: id, title: title, summary: summary.joined(separator: ". "),
            x: Axis(title: "seconds", endingAt: end, lines: 8, label: Self.short), y: axis(points.map(\.y)),
            lines: lines, alarms: alarms, isShaded: true)
    }

    /// The seconds of a run with their rates. A last bit of a second would show no more than chance.
    private func moments(_ index: Int) -> [Moment] {
        var before = 0.0
        return runs[index].series.compactMap { second in
            let span = second.at - before
            before = second.at
            return span < 0.5 && runs[index].seconds > 2
                ? nil : (second, span > 0 ? Double(second.completed) / span : 0)
        }
    }

    /// Values over time, broken where there are none.
    private func pieces(
        _ index: Int, worst: Bool, _ value: (Moment) -> Double?, note: (Moment) -> String
    ) -> [[LineChart.Point]] {
        let moments = moments(index)
        let stride = max(1, (moments.count + Self.mostPoints - 1) / Self.mostPoints)
        var pieces: [[LineChart.Point]] = [[]]
        for start in Swift.stride(from: 0, to: moments.count, by: stride) {
            let group = moments[start..<min(start + stride, moments.count)]
            let known = group.compactMap { moment in value(moment).map { (moment, $0) } }
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
        runs[index].series.filter { $0.wrong > 0 || $0.failed > 0 }.prefix(Self.mostPoints).map { second in
            LineChart.Alarm(
                x: second.at, run: index,
                note: "\(prefix(index))\(Figure.count(second.wrong)) wrong, \(Figure.count(second.failed)) failed at "
                    + Figure.clock(seconds: second.at))
        }
    }
}
