/// The results of decoding a file besides its values: errors, warnings, the origins of values, the known keys.
///
/// A class, since the readers of all tables share it.
final class Findings {
    let source: SourceText
    let checks: ConfigurationChecks
    private(set) var errors: [ConfigurationError] = []
    /// Warnings, in the order they were found.
    private(set) var warnings: [ConfigurationError] = []
    /// The lines of values that the file sets, by path ("upstream.mcp.pool.max").
    private(set) var origins: [String: Origin] = [:]
    /// Every key that decoding has looked for, with "*" for names and indices ("upstream.*.pool.max").
    private(set) var knownKeys: Set<String> = []
    /// What their values may be, as far as a reader has said so.
    private(set) var shapes: [String: [KeyShape]] = [:]
    private var unknownKeys: [UnknownKey] = []
    /// The host names of servers, with the bytes of the addresses that have them.
    private var serverNames: [(host: String, range: Range<Int>)] = []

    /// A key of the file that no reader has looked for.
    private struct UnknownKey {
        var name: String
        var key: Range<Int>
        /// The table as errors name it ("[upstream.mcp]").
        var table: String
        /// The table's path with "*" for names.
        var pattern: String
        var siblings: [String]
    }

    init(_ source: SourceText, checks: ConfigurationChecks) {
        self.source = source
        self.checks = checks
    }

    /// Reports an error at some bytes of the file. `range`: nil if it has no position, empty if its line must not be
    /// shown. An equal error is reported once, however often an inherited value is read.
    func report(_ range: Range<Int>?, _ message: String, because reason: String, help: String? = nil) {
        let error = located(range, message, reason, help)
        if !errors.contains(error) { errors.append(error) }
    }

    /// Reports a warning at some bytes of the file.
    func warn(_ range: Range<Int>, _ message: String, because reason: String) {
        var warning = located(range, message, reason, nil)
        warning.isWarning = true
        warnings.append(warning)
    }

    private func located(
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

    func recordOrigin(_ origin: Origin, of path: String) {
        origins[path] = origin
    }

    func recordKnownKey(_ pattern: String) {
        knownKeys.insert(pattern)
    }

    func recordShapes(_ found: [KeyShape], of pattern: String) {
        for shape in found where shapes[pattern]?.contains(shape) != true { shapes[pattern, default: []].append(shape) }
    }

    func reportUnknown(_ entry: LocatedTable.Entry, in path: TablePath, siblings: [String]) {
        unknownKeys.append(
            UnknownKey(
                name: entry.name, key: entry.key, table: path.shown, pattern: path.pattern, siblings: siblings))
    }

    /// Records that a server is known by a name, which must resolve at some time.
    func noteServerName(_ host: String, at range: Range<Int>) {
        serverNames.append((host, range))
    }

    private func warnOfUnresolvedNames() {
        guard !serverNames.isEmpty else { return }
        let unresolved = checks.unresolvedHosts(Array(Set(serverNames.map(\.host))).sorted())
        for (host, range) in serverNames where unresolved.contains(host) {
            warn(
                range, "\(TOMLText.quoted(host)) does not resolve",
                because:
                    "no address was found for it here and now; Berth starts all the same, counts the server as down "
                    + "and looks again every five seconds")
        }
    }

    /// Reports unknown keys, when the keys of all tables are known, and names that do not resolve. Called at the end.
    func finish() {
        warnOfUnresolvedNames()
        for unknownKey in unknownKeys {
            let help = similarKey(to: unknownKey) ?? otherTable(with: unknownKey) ?? validKeys(insteadOf: unknownKey)
            report(
                unknownKey.key, "unknown key \(TOMLText.quoted(unknownKey.name))",
                because: "\(unknownKey.table) has no such key, and ignoring it would hide what it was meant to do",
                help: help)
        }
        errors.sort { ($0.line, $0.column) < ($1.line, $1.column) }
        warnings.sort { ($0.line, $0.column) < ($1.line, $1.column) }
    }

    private func similarKey(to unknownKey: UnknownKey) -> String? {
        let name = KeyAliases.berthName(for: unknownKey.name, among: unknownKey.siblings)
        let nearest = name ?? Suggestion.nearest(to: unknownKey.name, among: unknownKey.siblings)
        return nearest.map { "did you mean \(TOMLText.quoted($0))?" }
    }

    /// The help that names other tables which have the key.
    private func otherTable(with unknownKey: UnknownKey) -> String? {
        let tables =
            knownKeys
            .filter { $0.hasSuffix(".\(unknownKey.name)") && !$0.hasPrefix("defaults.") }
            .map { TablePath.shown(pattern: String($0.dropLast(unknownKey.name.count + 1))) }
            .sorted { ($0.count, $0) < ($1.count, $1) }
        guard !tables.isEmpty else { return nil }
        return "\(TOMLText.quoted(unknownKey.name)) belongs in \(tables.prefix(3).joined(separator: " or "))"
    }

    private func validKeys(insteadOf unknownKey: UnknownKey) -> String? {
        guard !unknownKey.siblings.isEmpty else { return nil }
        return "the keys of \(unknownKey.table) are \(unknownKey.siblings.joined(separator: ", "))"
    }
}

/// Where a value was set. A value without an origin is a default.
enum Origin: Equatable {
    /// A line of the file.
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
