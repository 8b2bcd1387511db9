/// What decoding one file brings to light besides its values: errors, where values came from, which keys there are.
///
/// A class, because every reader of every table adds to the same findings.
final class Findings {
    let source: SourceText
    let checks: ConfigurationChecks
    private(set) var errors: [ConfigurationError] = []
    /// What is doubtful and no error.
    private(set) var warnings: [ConfigurationError] = []
    /// Where each value that the file gives stands, by path ("upstream.mcp.pool.max").
    private(set) var origins: [String: Origin] = [:]
    /// Every key that decoding asked for, "*" standing for names and indices ("upstream.*.pool.max").
    private(set) var knownKeys: Set<String> = []
    private var unknownKeys: [UnknownKey] = []

    /// A key that no reader asked for.
    private struct UnknownKey {
        var name: String
        var key: Range<Int>
        /// The table as it is written in errors ("[upstream.mcp]"), and with "*" for its name.
        var table: String
        var pattern: String
        var siblings: [String]
    }

    init(_ source: SourceText, checks: ConfigurationChecks) {
        self.source = source
        self.checks = checks
    }

    /// Notes an error at some bytes of the file; nil when it stands nowhere, an empty range when its line must not be
    /// shown. The same error is noted once, however often an inherited value is read.
    func report(_ range: Range<Int>?, _ message: String, because reason: String, help: String? = nil) {
        let error = placed(range, message, reason, help)
        if !errors.contains(error) { errors.append(error) }
    }

    /// Notes a warning at some bytes of the file.
    func warn(_ range: Range<Int>, _ message: String, because reason: String) {
        var warning = placed(range, message, reason, nil)
        warning.isWarning = true
        warnings.append(warning)
    }

    private func placed(
        _ range: Range<Int>?, _ message: String, _ reason: String, _ help: String?
    ) -> ConfigurationError {
        let offset = range?.lowerBound ?? 0
        return ConfigurationError(
            file: source.file, line: source.line(of: offset), column: source.column(of: offset),
            length: range.map { $0.isEmpty ? 0 : source.visibleLength(of: $0) } ?? 0, message: message, reason: reason,
            help: help)
    }

    /// Whether an error begins within a range.
    func hasError(in range: Range<Int>) -> Bool {
        errors.contains { range.contains(source.offset(line: $0.line, column: $0.column)) }
    }

    func note(_ origin: Origin, of path: String) {
        origins[path] = origin
    }

    func know(_ pattern: String) {
        knownKeys.insert(pattern)
    }

    func reportUnknown(_ entry: LocatedTable.Entry, in path: TablePath, siblings: [String]) {
        unknownKeys.append(
            UnknownKey(
                name: entry.name, key: entry.key, table: path.shown, pattern: path.pattern, siblings: siblings))
    }

    /// Turns unknown keys into errors. Waits for the end, when every key of every table is known.
    func finish() {
        for unknownKey in unknownKeys {
            let help = spelling(of: unknownKey) ?? home(of: unknownKey) ?? listing(of: unknownKey)
            report(
                unknownKey.key, "unknown key \(TOMLText.quoted(unknownKey.name))",
                because: "\(unknownKey.table) has no such key, and ignoring it would hide what it was meant to do",
                help: help)
        }
        errors.sort { ($0.line, $0.column) < ($1.line, $1.column) }
    }

    private func spelling(of unknownKey: UnknownKey) -> String? {
        let name = KeyAliases.ours(for: unknownKey.name, among: unknownKey.siblings)
        let nearest = name ?? Suggestion.nearest(to: unknownKey.name, among: unknownKey.siblings)
        return nearest.map { "did you mean \(TOMLText.quoted($0))?" }
    }

    /// Another table that has the key.
    private func home(of unknownKey: UnknownKey) -> String? {
        let homes =
            knownKeys
            .filter { $0.hasSuffix(".\(unknownKey.name)") && !$0.hasPrefix("defaults.") }
            .map { TablePath.shown(pattern: String($0.dropLast(unknownKey.name.count + 1))) }
            .sorted { ($0.count, $0) < ($1.count, $1) }
        guard !homes.isEmpty else { return nil }
        return "\(TOMLText.quoted(unknownKey.name)) belongs in \(homes.prefix(3).joined(separator: " or "))"
    }

    private func listing(of unknownKey: UnknownKey) -> String? {
        guard !unknownKey.siblings.isEmpty else { return nil }
        return "the keys of \(unknownKey.table) are \(unknownKey.siblings.joined(separator: ", "))"
    }
}

/// Where a value came from; what has no origin is a default of Berth's own.
enum Origin: Equatable {
    case line(Int)
    /// A line of `[defaults]`.
    case defaults(line: Int)

    var comment: String {
        switch self {
        case .line(let line): "line \(line)"
        case .defaults(let line): "[defaults], line \(line)"
        }
    }
}
