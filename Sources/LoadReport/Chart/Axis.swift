import Glibc

/// One axis of a chart: its range of values, their positions, and the ticks.
struct Axis {
    /// A labelled line of the axis.
    struct Tick {
        var value: Double
        var label: String
    }

    /// The title, with the unit.
    var title: String
    private(set) var ticks: [Tick]
    private let low: Double
    private let high: Double
    private let isLogarithmic: Bool

    /// The position of a value, from 0 to 1. Values outside the range are clamped, NaN is 0.
    func position(of value: Double) -> Double {
        let share =
            isLogarithmic
            ? (log10(max(value, low)) - log10(low)) / (log10(high) - log10(low)) : (value - low) / (high - low)
        return share.isFinite ? min(max(share, 0), 1) : 0
    }

    /// From zero to a round number not below `top`, with a tick at every round step.
    init(title: String, upTo top: Double, label: (Double) -> String) {
        let top = top > 0 && top.isFinite ? top : 1
        let step = Self.roundStep(top / 5)
        let count = max(1, Int((top / step - 1e-9).rounded(.up)))
        self.init(
            title: title, low: 0, high: step * Double(count), isLogarithmic: false,
            ticks: (0...count).map { Tick(value: step * Double($0), label: label(step * Double($0))) })
    }

    /// From zero to exactly `end`, with about `lines` ticks.
    init(title: String, endingAt end: Double, lines: Int, label: (Double) -> String) {
        let end = end > 0 && end.isFinite ? end : 1
        let step = Self.roundStep(end / Double(max(1, lines)))
        let ticks = stride(from: 0, through: end * (1 + 1e-9), by: step).map { Tick(value: $0, label: label($0)) }
        self.init(title: title, low: 0, high: end, isLogarithmic: false, ticks: ticks)
    }

    /// Logarithmic, from at most `bottom` to at least `top`, both rounded to 1, 2 or 5 times a power of ten.
    init(title: String, logarithmicFrom bottom: Double, to top: Double, label: (Double) -> String) {
        var values: [Double] = []
        for exponent in -3...15 {
            for factor in [1.0, 2, 5] { values.append(factor * pow(10, Double(exponent))) }
        }
        let low = values.last { $0 <= bottom } ?? values[0]
        let high = values.first { $0 >= top && $0 > low } ?? values[values.count - 1]
        var shown = values.filter { $0 >= low && $0 <= high }
        // With more than nine ticks, only powers of ten.
        if shown.count > 9 { shown = shown.filter { abs(log10($0) - log10($0).rounded()) < 1e-9 } }
        self.init(
            title: title, low: low, high: high, isLogarithmic: true,
            ticks: shown.map { Tick(value: $0, label: label($0)) })
    }

    /// From zero to `high`, with the given ticks.
    init(title: String, through high: Double, ticks: [Tick]) {
        self.init(title: title, low: 0, high: max(high, 1e-9), isLogarithmic: false, ticks: ticks)
    }

    private init(title: String, low: Double, high: Double, isLogarithmic: Bool, ticks: [Tick]) {
        self.title = title
        self.low = low
        self.high = high
        self.isLogarithmic = isLogarithmic
        self.ticks = ticks
    }

    /// 1, 2 or 5 times a power of ten, not below `least`.
    private static func roundStep(_ least: Double) -> Double {
        let power = pow(10, log10(least).rounded(.down))
        for factor in [1.0, 2, 5] where factor * power >= least * (1 - 1e-9) { return factor * power }
        return 10 * power
    }
}
