/// Durations as the file writes them: "250ms", "30s", "5m", "24h", "7d", and sums such as "1m30s".
package enum DurationText {
    private static let units: [(name: String, milliseconds: Int)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    /// The duration; nil for other text. No sign, fraction or blank; units in descending order, each once.
    package static func parse(_ text: String) -> Duration? {
        var rest = Substring(text)
        var total = 0
        var unitsLeft = units[...]
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(name.count)
            guard let count = Int(digits), let index = unitsLeft.firstIndex(where: { $0.name == name }) else {
                return nil
            }
            let (product, tooLarge) = count.multipliedReportingOverflow(by: units[index].milliseconds)
            let (sum, overflow) = total.addingReportingOverflow(product)
            guard !tooLarge, !overflow else { return nil }
            total = sum
            unitsLeft = unitsLeft[(index + 1)...]
        }
        return .milliseconds(total)
    }

    /// The duration in the largest unit without a fraction.
    package static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000)
        // Hours are preferred to days up to a week.
        let fitting = milliseconds < 7 * 86_400_000 ? units.dropFirst() : units[...]
        guard milliseconds != 0, let unit = fitting.first(where: { milliseconds % $0.milliseconds == 0 })
        else { return "0s" }
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }
}
