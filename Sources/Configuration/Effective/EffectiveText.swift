extension ConfigurationFile {
    /// Every value that the proxy uses, with its origin: a line of the file, or the default. The text is TOML, and
    /// decodes to the same configuration. Secrets are not shown.
    package func effectiveText() -> String {
        var text = EffectiveText(origins: origins)
        text.comment("\(path), every value with its origin")
        write(to: &text)
        return text.result
    }

    /// The same without origins: equal for files that mean the same.
    package func plainText() -> String {
        var text = EffectiveText(origins: nil)
        write(to: &text)
        return text.result
    }

    private func write(to text: inout EffectiveText) {
        text.write(configuration.global)
        text.write(configuration.alerts)
        text.write(configuration.metrics)
        text.writeLogs(configuration.global)
        for (listener, table) in zip(configuration.listeners, listenerTables) {
            text.write(listener, table: table)
        }
        for (index, route) in configuration.routes.enumerated() {
            text.write(route, index, upstream: route.upstream.map { configuration.upstreams[$0].name })
        }
        for upstream in configuration.upstreams {
            text.write(upstream)
        }
    }
}

/// Writes tables and values as TOML, with their origins as comments, or without.
struct EffectiveText {
    /// Nil: they are not shown.
    private let origins: [String: Origin]?
    private var table = ""
    private(set) var result = ""

    /// The column at which comments begin, unless the line is longer.
    private static let column = 44

    init(origins: [String: Origin]?) {
        self.origins = origins
    }

    mutating func comment(_ text: String) {
        result += "# \(text)\n"
    }

    /// Begins a table. `path`: the table's path in `origins`.
    mutating func open(_ header: String, path: String) {
        table = path
        result += "\n\(header)\n"
    }

    mutating func value(_ key: String, _ value: String) {
        line("\(key) = \(value)", origin(of: "\(table).\(key)"))
    }

    /// An optional value. TOML has no null, so a missing value becomes a comment.
    mutating func value(_ key: String, _ value: String?, unset: String) {
        if let value { self.value(key, value) } else { line("# \(key) is not set: \(unset)", nil) }
    }

    mutating func value(_ key: String, _ number: Int) {
        value(key, TOMLText.integer(number))
    }

    mutating func value(_ key: String, _ flag: Bool) {
        value(key, "\(flag)")
    }

    mutating func value(_ key: String, _ duration: Duration) {
        value(key, "\"\(DurationText.text(duration))\"")
    }

    mutating func value(_ key: String, size: Int) {
        value(key, "\"\(ByteSizeText.text(size))\"")
    }

    mutating func value(_ key: String, orOff duration: Duration?) {
        value(key, "\"\(duration.map(DurationText.text) ?? "off")\"")
    }

    /// A line with an optional comment.
    mutating func line(_ text: String, _ comment: String?) {
        guard origins != nil, let comment else {
            result += text + "\n"
            return
        }
        let blanks = max(1, Self.column - text.count)
        result += text + String(repeating: " ", count: blanks) + "# \(comment)\n"
    }

    func origin(of path: String) -> String {
        origins?[path]?.comment ?? "default"
    }
}
