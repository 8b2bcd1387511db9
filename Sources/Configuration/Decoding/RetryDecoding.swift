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
        let share = share(
            key, of: "the requests", default: Double(fallback) / 100, example: "0.2 for one in five")
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
