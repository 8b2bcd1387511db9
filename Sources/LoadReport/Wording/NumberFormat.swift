/// Formats numbers for people. Accepts any number, since a report may be read from any file.
package enum NumberFormat {
    /// The text for a missing number.
    package static let none = "–"

    /// A count as in `1,204,113`.
    package static func count(_ value: UInt64) -> String { grouped(String(value)) }

    /// A rate per second as in `1,204,113` or, below 100, `12.4`.
    package static func rate(_ perSecond: Double) -> String {
        fixed(perSecond, perSecond < 99.95 ? 1 : 0)
    }

    /// A duration with three digits as in `312 µs`, `1.21 ms`, `12.1 ms`, `1.21 s`.
    package static func duration(microseconds: Double) -> String {
        if microseconds < 999.5 { return "\(fixed(microseconds, microseconds < 9.995 ? 1 : 0)) µs" }
        if microseconds < 999_500 { return "\(threeDigits(microseconds / 1_000)) ms" }
        return "\(threeDigits(microseconds / 1_000_000)) s"
    }

    /// Milliseconds as in `1,204.113`, to the microsecond.
    static func milliseconds(microseconds: Double) -> String { fixed(microseconds / 1_000, 3) }

    /// A number of bytes as in `812 B`, `12.3 kB`, `1.21 GB`, in powers of 1000.
    static func bytes(_ value: Double) -> String {
        var value = value
        if value < 999.5 { return "\(fixed(value, 0)) B" }
        for unit in ["kB", "MB", "GB", "TB"] {
            value /= 1_000
            if value < 999.5 { return "\(threeDigits(value)) \(unit)" }
        }
        return "\(threeDigits(value / 1_000)) PB"
    }

    /// A share from 0 to 1 as in `33.3 %`.
    static func percent(_ share: Double, decimals: Int = 1) -> String { "\(fixed(share * 100, decimals)) %" }

    /// A time span as in `0:07`, `12:34`, `1:02:03`.
    package static func clock(seconds: Double) -> String {
        let whole = Int(bounded(seconds).rounded(.down))
        let (hours, minutes, rest) = (whole / 3_600, whole / 60 % 60, whole % 60)
        let tail = rest < 10 ? "0\(rest)" : "\(rest)"
        if hours == 0 { return "\(minutes):\(tail)" }
        return "\(hours):\(minutes < 10 ? "0" : "")\(minutes):\(tail)"
    }

    /// A number rounded to `decimals`, with grouped thousands; `none` if it is not finite.
    package static func fixed(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite else { return none }
        var scale = 1
        for _ in 0..<min(max(decimals, 0), 6) { scale *= 10 }
        let scaled = Int((bounded(abs(value)) * Double(scale)).rounded())
        let whole = grouped(String(scaled / scale))
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard scale > 1 else { return sign + whole }
        let fraction = String(scaled % scale)
        let zeros = String(repeating: "0", count: min(max(decimals, 0), 6) - fraction.count)
        return "\(sign)\(whole).\(zeros)\(fraction)"
    }

    /// Three digits as in `1.21`, `12.1`, `121`.
    private static func threeDigits(_ value: Double) -> String {
        fixed(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0)
    }

    private static func grouped(_ digits: String) -> String {
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { result.append(",") }
            result.append(digit)
        }
        return result
    }

    /// Clamped to 0...1e12, so that a million times the value fits an `Int`.
    private static func bounded(_ value: Double) -> Double {
        value.isFinite ? min(max(value, 0), 1e12) : 0
    }
}
