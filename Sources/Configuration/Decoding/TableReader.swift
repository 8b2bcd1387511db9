/// Reads the entries of one table. `finish()` reports the entries that were not read as unknown keys, so that each key
/// is named only where it is decoded.
///
/// A table that the file lacks is empty: every key has its default.
package struct TableReader {
    let path: TablePath
    let findings: Findings
    /// The bytes of the table or its header; nil if the file lacks the table.
    package let range: Range<Int>?
    private let table: LocatedTable
    /// Entries for keys that the table lacks: those of `[defaults]` for an upstream.
    private let inherited: LocatedTable
    /// Whether the table itself is in `[defaults]`.
    private let isInherited: Bool
    /// Keys that were read.
    private var requestedKeys: [String] = []
    /// Keys that `finish()` must not report, since they were reported otherwise.
    private var handledKeys: Set<String> = []

    init(
        _ table: LocatedTable?, at range: Range<Int>?, path: TablePath, findings: Findings,
        inherited: LocatedTable? = nil, isInherited: Bool = false
    ) {
        self.table = table ?? LocatedTable()
        self.range = range
        self.path = path
        self.findings = findings
        self.inherited = inherited ?? LocatedTable()
        self.isInherited = isInherited
    }

    /// An entry and whether it was inherited.
    typealias Found = (entry: LocatedTable.Entry, isInherited: Bool)

    /// Reads the entry of that name, its own or an inherited one, and records its origin.
    mutating func find(_ key: String) -> Found? {
        requestedKeys.append(key)
        findings.recordKnownKey(path.key(key).pattern)
        let isOwn = table[key] != nil
        guard let entry = table[key] ?? inherited[key] else { return nil }
        let line = findings.source.line(of: entry.key.lowerBound)
        let comesFromDefaults = isInherited || !isOwn
        findings.recordOrigin(comesFromDefaults ? .defaults(line: line) : .line(line), of: path.key(key).name)
        return (entry, comesFromDefaults)
    }

    /// Reads the entry of that name; nil if there is none.
    package mutating func take(_ key: String) -> LocatedTable.Entry? {
        find(key)?.entry
    }

    /// The table's own entry of that name; it does not count as read.
    func entry(_ key: String) -> LocatedTable.Entry? { table[key] }

    /// The table itself; nothing counts as read.
    var located: LocatedTable { table }

    /// Whether the table itself has the key; it does not count as read.
    package func has(_ key: String) -> Bool { table[key] != nil }

    /// Marks a key as handled, so that `finish()` does not report it.
    package mutating func markHandled(_ key: String) {
        handledKeys.insert(key)
    }

    /// Reads all entries, in the order of the file, of a table whose keys the operator chooses.
    package mutating func takeAll() -> [LocatedTable.Entry] {
        requestedKeys += table.entries.map(\.name)
        return table.entries
    }

    /// Reports keys that are planned for later versions.
    mutating func rejectUnavailable(_ keys: String..., because reason: String = "this version would not act on it") {
        for key in keys {
            handledKeys.insert(key)
            guard let entry = table[key] else { continue }
            findings.report(
                entry.key, "\(TOMLText.quoted(key)) is not available in this version",
                because: "the key is right, but \(reason)", help: "remove it until you run a version that has it")
        }
    }

    /// Reports every entry that was not read as an unknown key.
    package func finish() {
        for entry in table.entries where !requestedKeys.contains(entry.name) && !handledKeys.contains(entry.name) {
            findings.reportUnknown(entry, in: path, siblings: requestedKeys)
        }
    }

    /// "key = value" as the file writes it, cut to one line.
    package func quote(_ entry: LocatedTable.Entry) -> String {
        let raw = findings.source.text(entry.value.range)
        let line = raw.prefix { !$0.isNewline }
        let isCut = line.count < raw.count || line.count > 60
        return "\(entry.name) = \(line.prefix(60))\(isCut ? "..." : "")"
    }
}
