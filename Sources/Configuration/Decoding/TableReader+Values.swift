extension TableReader {
    /// Reads a text that is not empty; nil if the key is missing or the value, which is reported, is not one.
    package mutating func text(_ key: String) -> (value: String, entry: LocatedTable.Entry)? {
        note(key, .text)
        return located(text: key)
    }

    private mutating func located(text key: String) -> (value: String, entry: LocatedTable.Entry)? {
        guard let entry = take(key) else { return nil }
        guard let text = plainText(entry.value, quoted: quote(entry)) else { return nil }
        return (text, entry)
    }

    /// The text of a value that is not a secret: `${NAME}` and `file:` are reported.
    func plainText(_ value: LocatedValue, quoted: String) -> String? {
        guard case .string(let text) = value.content else {
            let raw = findings.source.text(value.range).prefix { !$0.isNewline }
            var help: String?
            if case .integer = value.content { help = "write it in quotes: \"\(raw)\"" }
            findings.report(
                value.range, "\(quoted) is \(value.kind), not text", because: "text is expected here", help: help)
            return nil
        }
        guard !text.isEmpty else {
            findings.report(value.range, "\(quoted) is empty", because: "an empty text means nothing here")
            return nil
        }
        if text.contains("${") {
            findings.report(
                value.range, "\(quoted) names an environment variable",
                because: "variables are expanded in secrets only, so that a file says by itself what it does")
            return nil
        }
        if text.hasPrefix("file:") {
            findings.report(
                value.range, "\(quoted) names a file", because: "\"file:\" is for secrets only",
                help: "if a path is meant, write \(TOMLText.quoted(String(text.dropFirst(5))))")
            return nil
        }
        return text
    }

    /// Reads an integer; a value of another type or out of range is reported. `meaning` is appended to the sentence
    /// "key may be 0 to 9".
    package mutating func integer(
        _ key: String, in range: ClosedRange<Int>, default fallback: Int, _ meaning: String = ""
    )
        -> Int
    {
        note(key, .integer(range))
        guard let entry = take(key) else { return fallback }
        return integer(entry, in: range, meaning) ?? fallback
    }

    /// The integer of an entry; nil, and reported, if it is of another type or out of range.
    package func integer(_ entry: LocatedTable.Entry, in range: ClosedRange<Int>, _ meaning: String) -> Int? {
        let bounds =
            "\(entry.name) may be \(TOMLText.integer(range.lowerBound)) to \(TOMLText.integer(range.upperBound))"
        guard case .integer(let number) = entry.value.content else {
            var help: String?
            if case .string(let text) = entry.value.content, let number = Int(text) {
                help = "write it without quotes: \(entry.name) = \(number)"
            }
            if case .float(let value) = entry.value.content, let number = Int(exactly: value) {
                help = "\(entry.name) = \(TOMLText.integer(number))"
            }
            wrongType(entry, "a whole number", bounds + meaning, help: help)
            return nil
        }
        guard range.contains(number) else {
            findings.report(entry.value.range, "\(quote(entry)) is out of range", because: bounds + meaning)
            return nil
        }
        return number
    }

    /// Reads a boolean; a value of another type is reported.
    package mutating func flag(_ key: String, default fallback: Bool) -> Bool {
        note(key, .flag)
        guard let entry = take(key) else { return fallback }
        guard case .boolean(let flag) = entry.value.content else {
            wrongType(entry, "a boolean", "\(key) is either true or false, without quotes")
            return fallback
        }
        return flag
    }

    /// Reads a duration; a value that is none, or out of range, is reported. `cannotBeOff`: why "off" is rejected.
    mutating func duration(
        _ key: String, in range: ClosedRange<Duration> = .milliseconds(1) ... .seconds(366 * 86_400),
        default fallback: Duration, cannotBeOff reason: String = ""
    ) -> Duration {
        note(key, .duration)
        guard let entry = take(key) else { return fallback }
        if case .string("off") = entry.value.content {
            findings.report(
                entry.value.range, "\(quote(entry)) is not possible",
                because: reason.isEmpty ? "\(key) must end some time" : reason,
                help: "the longest is \"\(DurationText.text(range.upperBound))\"")
            return fallback
        }
        return duration(entry, in: range) ?? fallback
    }

    /// Reads a duration; nil for "off".
    mutating func durationOrOff(
        _ key: String, in range: ClosedRange<Duration> = .milliseconds(1) ... .seconds(366 * 86_400),
        default fallback: Duration?
    ) -> Duration? {
        note(key, .duration, .off)
        guard let entry = take(key) else { return fallback }
        switch entry.value.content {
        case .string("off"): return nil
        case .boolean(false), .integer(0):
            findings.report(
                entry.value.range, "\(quote(entry)) is \(entry.value.kind), not a duration",
                because: "what has no limit is written \"off\"", help: "\(key) = \"off\"")
            return nil
        default: return duration(entry, in: range, offIsAllowed: true) ?? fallback
        }
    }

    /// The duration of an entry; nil, and reported, if it is none or out of range.
    func duration(
        _ entry: LocatedTable.Entry, in range: ClosedRange<Duration>, offIsAllowed: Bool = false
    ) -> Duration? {
        let examples = "a duration is a number with its unit, such as \"250ms\", \"30s\", \"5m\" or \"24h\""
        switch entry.value.content {
        case .string(let text):
            guard let duration = DurationText.parse(text) else {
                let help = durationHelp(text)
                findings.report(
                    entry.value.range, "\(quote(entry)) is not a duration",
                    because: examples + (offIsAllowed ? ", or \"off\"" : ""),
                    help: help.map { "\(entry.name) = \"\($0)\"" })
                return nil
            }
            guard range.contains(duration) else {
                findings.report(
                    entry.value.range, "\(quote(entry)) is out of range",
                    because: "\(entry.name) may be \"\(DurationText.text(range.lowerBound))\" to "
                        + "\"\(DurationText.text(range.upperBound))\"")
                return nil
            }
            return duration
        case .integer(let number):
            findings.report(
                entry.value.range, "\(quote(entry)) has no unit",
                because: "it could be seconds or milliseconds: \(examples)", help: "\(entry.name) = \"\(number)s\"")
            return nil
        default:
            wrongType(entry, "a duration", examples)
            return nil
        }
    }

    /// The probable meaning of "30 s", "30sec", "5min" or "30".
    private func durationHelp(_ text: String) -> String? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).trimmingBlanks().lowercased()
        guard let count = Int(digits) else { return nil }
        let units = [
            "": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "s": "s", "min": "m", "mins": "m",
            "minute": "m", "minutes": "m", "m": "m", "hour": "h", "hours": "h", "hr": "h", "h": "h", "day": "d",
            "days": "d", "d": "d", "ms": "ms", "msec": "ms", "millis": "ms", "milliseconds": "ms",
        ]
        if unit == "w" || unit == "week" || unit == "weeks" {
            let (days, tooMany) = count.multipliedReportingOverflow(by: 7)
            return tooMany ? nil : "\(days)d"
        }
        return units[unit].map { "\(count)\($0)" }
    }

    /// Reads a size in bytes, as a number or a text such as "8MiB"; a value that is none, or out of range, is reported.
    package mutating func size(_ key: String, in range: ClosedRange<Int>, default fallback: Int, _ meaning: String = "")
        -> Int
    {
        note(key, .size)
        guard let entry = take(key) else { return fallback }
        let bounds =
            "\(key) may be \"\(ByteSizeText.text(range.lowerBound))\" to \"\(ByteSizeText.text(range.upperBound))\""
        let bytes: Int
        switch entry.value.content {
        case .integer(let number): bytes = number
        case .string(let text):
            guard let number = ByteSizeText.parse(text) else {
                findings.report(
                    entry.value.range, "\(quote(entry)) is not a size",
                    because: "a size is a number of bytes, or a number with B, KiB, MiB, GiB or TiB",
                    help: ByteSizeText.correction(of: text).map { "\(key) = \"\($0)\"" })
                return fallback
            }
            bytes = number
        default:
            wrongType(entry, "a size", "a size is written \"64KiB\", \"8MiB\" or as a number of bytes")
            return fallback
        }
        guard range.contains(bytes) else {
            findings.report(entry.value.range, "\(quote(entry)) is out of range", because: bounds + meaning)
            return fallback
        }
        return bytes
    }

    /// Reads a size in bytes; nil if the key is missing.
    mutating func sizeIfThere(_ key: String, in range: ClosedRange<Int>, _ meaning: String = "") -> Int? {
        let isThere = has(key)
        let size = size(key, in: range, default: range.upperBound, meaning)
        return isThere ? size : nil
    }

    /// Reads one of the values of an enumeration; any other value is reported. `aliases`: other names, in lower case,
    /// that are suggested. `explaining` may return a special explanation for a value.
    package mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, default fallback: Choice, aliases: [String: Choice] = [:],
        explaining: (String) -> Explanation? = { _ in nil }
    ) -> Choice {
        note(key, .choice(Choice.allCases.map(\.rawValue)))
        guard let (text, entry) = located(text: key) else { return fallback }
        if let choice = Choice(rawValue: text) { return choice }
        if let explanation = explaining(text) {
            findings.report(
                entry.value.range, "\(quote(entry)) \(explanation.verdict)", because: explanation.reason,
                help: explanation.help)
            return fallback
        }
        let names = Choice.allCases.map(\.rawValue)
        let meant = aliases[text.lowercased()]?.rawValue ?? Suggestion.nearest(to: text, among: names)
        findings.report(
            entry.value.range, "\(quote(entry)) is not known", because: "\(key) is \(Self.alternatives(names))",
            help: meant.map { "did you mean \(TOMLText.quoted($0))?" })
        return fallback
    }

    /// An error message for a value that is not possible: `verdict` follows "key = value".
    package struct Explanation {
        var verdict: String
        var reason: String
        var help: String?
    }

    /// Names as in `"a", "b" or "c"`.
    static func alternatives(_ names: [String]) -> String {
        let quoted = names.map(TOMLText.quoted)
        guard let last = quoted.last, quoted.count > 1 else { return quoted.joined() }
        return "\(quoted.dropLast().joined(separator: ", ")) or \(last)"
    }

    /// The reader of a table within this one; empty if there is none.
    package mutating func table(_ key: String) -> TableReader {
        note(key, .table)
        let found = find(key)
        var inner: LocatedTable?
        if let entry = found?.entry {
            if case .table(let table) = entry.value.content {
                inner = table
            } else {
                wrongType(
                    entry, "a table", "\(key) has keys of its own",
                    help: "write \(key) = { ... } or a table [\(path.key(key).header)]")
            }
        }
        return TableReader(
            inner, at: inner == nil ? nil : found?.entry.value.range, path: path.key(key), findings: findings,
            isInherited: found?.isInherited ?? false)
    }

    /// Reads a list; nil if the key is missing or the value, which is reported, is not one.
    package mutating func list(_ key: String) -> (values: [LocatedValue], entry: LocatedTable.Entry)? {
        list(key, of: .list)
    }

    /// The same for a key that the schema has with another shape.
    mutating func list(_ key: String, of shape: KeyShape) -> (values: [LocatedValue], entry: LocatedTable.Entry)? {
        note(key, shape)
        guard let entry = take(key) else { return nil }
        guard case .array(let values) = entry.value.content else {
            var help: String?
            if case .string = entry.value.content {
                help = "\(key) = [\(findings.source.text(entry.value.range))]"
            }
            wrongType(entry, "a list", "\(key) is a list in brackets, even of one", help: help)
            return nil
        }
        return (values, entry)
    }

    /// Reports that an entry has another type than `expected`, which has an article.
    package func wrongType(_ entry: LocatedTable.Entry, _ expected: String, _ reason: String, help: String? = nil) {
        findings.report(
            entry.value.range, "\(quote(entry)) is \(entry.value.kind), not \(expected)", because: reason, help: help)
    }
}
