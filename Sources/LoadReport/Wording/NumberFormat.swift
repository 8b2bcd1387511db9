/// Numbers as people read them. Takes any number: a report may be read from a file that somebody else wrote.
enum Figure {
    /// What stands where there is nothing to say.
    static let none = "–"

    /// `1,204,113`
    static func count(_ value: UInt64) -> String { grouped(String(value)) }

    /// `1,204,113` or, of few, `12.4`: so many a second.
    static func rate(_ perSecond: Double) -> String {
        fixed(perSecond, perSecond < 99.95 ? 1 : 0)
    }

    /// `312 µs`, `1.21 ms`, `12.1 ms`, `1.21 s`: three digits in the unit that suits them.
    static func duration(microseconds: Double) -> String {
        if microseconds < 999.5 { return "\(fixed(microseconds, microseconds < 9.995 ? 1 : 0)) µs" }
        if microseconds < 999_500 { return "\(threeDigits(microseconds / 1_000)) ms" }
        return "\(threeDigits(microseconds / 1_000_000)) s"
    }

    /// `1,204.113`: to the microsecond, so that columns of them can be compared.
    static func milliseconds(microseconds: Double) -> String { fixed(microseconds / 1_000, 3) }

    /// `812 B`, `12.3 kB`, `1.21 GB`, in powers of 1000 as networks count.
    static func bytes(_ value: Double) -> String {
        var value = value
        if value < 999.5 { return "\(fixed(value, 0)) B" }
        for unit in ["kB", "MB", "GB", "TB"] {
            value /= 1_000
            if value < 999.5 { return "\(threeDigits(value)) \(unit)" }
        }
        return "\(threeDigits(value / 1_000)) PB"
    }

    /// `33.3 %`, of a share from 0 to 1.
    static func percent(_ share: Double, decimals: Int = 1) -> String { "\(fixed(share * 100, decimals)) %" }

    /// `0:07`, `12:34`, `1:02:03`
    static func clock(seconds: Double) -> String {
        let whole = Int(bounded(seconds).rounded(.down))
        let (hours, minutes, rest) = (whole / 3_600, whole / 60 % 60, whole % 60)
        let tail = rest < 10 ? "0\(rest)" : "\(rest)"
        if hours == 0 { return "\(minutes):\(tail)" }
        return "\(hours):\(minutes < 10 ? "0" : "")\(minutes):\(tail)"
    }

    /// A number with so many decimals, rounded, its thousands grouped.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
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

    /// `1.21`, `12.1`, `121`
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

    /// Within what an `Int` holds after a million times itself.
    private static func bounded(_ value: Double) -> Double {
        value.isFinite ? min(max(value, 0), 1e12) : 0
    }
}
