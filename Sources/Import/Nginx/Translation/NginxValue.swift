/// Values as nginx writes them.
enum NginxValue {
    /// "60", "60s", "1h 30m" (in quotes), "500ms"; nil for other text.
    static func duration(_ text: String?) -> Duration? {
        guard let text, !text.isEmpty, text.utf8.count < 64 else { return nil }
        var total = 0
        var rest = Substring(text)
        while !rest.isEmpty {
            rest = rest.drop { $0 == " " }
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let number = Int(digits), let factor = milliseconds(unit) else { return nil }
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: factor)
            let (sum, overflows) = total.addingReportingOverflow(product)
            // A year and more is for ever; what no clock can count is not a time.
            guard !isTooLarge, !overflows, sum < 1 << 50 else { return nil }
            total = sum
        }
        return .milliseconds(total)
    }

    private static func milliseconds(_ unit: Substring) -> Int? {
        switch unit {
        case "ms": 1
        case "", "s": 1_000
        case "m": 60_000
        case "h": 3_600_000
        case "d": 86_400_000
        case "w": 7 * 86_400_000
        case "M": 30 * 86_400_000
        case "y": 365 * 86_400_000
        default: nil
        }
    }

    /// "10m", "512k", "1g", "8192"; nil for other text.
    static func size(_ text: String?) -> Int? {
        guard let text else { return nil }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let shift: Int
        switch text.dropFirst(digits.count).lowercased() {
        case "": shift = 0
        case "k": shift = 10
        case "m": shift = 20
        case "g": shift = 30
        default: return nil
        }
        guard let number = Int(digits), number < 1 << 32 else { return nil }
        return min(number << shift, 1 << 40)
    }

    /// A whole number in a range; nil for other text.
    static func integer(_ text: String?, in range: ClosedRange<Int>) -> Int? {
        guard let text, let number = Int(text), range.contains(number) else { return nil }
        return number
    }
}

extension Duration {
    /// The duration, or the nearest one in a range.
    func clamped(to range: ClosedRange<Duration>) -> Duration { min(max(self, range.lowerBound), range.upperBound) }
}
