/// Rates as the file writes them: "100/s", "30/min", "6/h", "1000/d".
package struct RateText: Sendable, Equatable {
    /// Requests in the time; at least 1.
    package var count: Int
    /// The time in seconds: a second, a minute, an hour or a day.
    package var seconds: Int

    private static let units: [(name: String, seconds: Int)] = [("s", 1), ("min", 60), ("h", 3_600), ("d", 86_400)]

    /// So many requests in so many seconds.
    package init(_ count: Int, per seconds: Int) {
        self.count = count
        self.seconds = seconds
    }

    /// The rate; nil for other text.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Self.number(parts[0]), count > 0,
            let unit = Self.units.first(where: { $0.name == parts[1] })
        else { return nil }
        self.init(count, per: unit.seconds)
    }

    /// Digits, with underscores between them as TOML has them.
    private static func number(_ text: Substring) -> Int? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x5F }), text.first != "_" else { return nil }
        return Int(text.filter { $0 != "_" })
    }

    /// The rate as a file has it.
    package var text: String {
        "\(count)/\(Self.units.first { $0.seconds == seconds }?.name ?? "s")"
    }

    /// The probable meaning of "30/m", "30 per minute" or "30rpm".
    static func correction(of text: String) -> String? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int(digits), count > 0 else { return nil }
        var unit = text.dropFirst(digits.count).lowercased().filter { $0 != " " && $0 != "/" }
        if unit.hasPrefix("per") { unit = String(unit.dropFirst(3)) }
        let names = [
            "sec": "s", "second": "s", "rps": "s", "r/s": "s", "rs": "s", "s": "s", "m": "min", "minute": "min",
            "rpm": "min", "rm": "min", "min": "min", "hour": "h", "hr": "h", "h": "h", "day": "d", "d": "d",
        ]
        return names[unit].map { "\(count)/\($0)" }
    }
}
