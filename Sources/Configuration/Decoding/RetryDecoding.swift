extension RetryConfiguration {
    init(from reader: consuming TableReader) {
        self.init()
        attempts = reader.integer("attempts", in: 0...10, default: attempts, "; 0 sends no request again")
        budgetPercent = reader.percentage("budget", default: budgetPercent)
        trustsAnnotations = reader.flag("trust_annotations", default: trustsAnnotations)
        reader.finish()
    }
}

extension TableReader {
    /// Reads a share of one, such as 0.2, as a percentage; rounded to whole ones.
    fileprivate mutating func percentage(_ key: String, default fallback: Int) -> Int {
        guard let entry = take(key) else { return fallback }
        let share: Double
        switch entry.value.content {
        case .float(let value): share = value
        case .integer(let value): share = Double(value)
        default:
            wrongType(entry, "a share", "\(key) is a share of the requests, such as 0.2 for one in five")
            return fallback
        }
        guard share >= 0, share <= 1 else {
            findings.report(
                entry.value.range, "\(quote(entry)) is out of range",
                because: "\(key) is a share of the requests, 0.0 to 1.0",
                help: share > 1 && share <= 100 ? "\(key) = \(RetryConfiguration.share(Int(share.rounded())))" : nil)
            return fallback
        }
        return Int((share * 100).rounded())
    }
}

extension RetryConfiguration {
    /// A percentage from 0 to 100 as a share of one, in TOML.
    static func share(_ percent: Int) -> String {
        if percent >= 100 { return "1.0" }
        let digits = percent < 10 ? "0\(percent)" : "\(percent)"
        return "0.\(digits.hasSuffix("0") ? String(digits.dropLast()) : digits)"
    }
}
