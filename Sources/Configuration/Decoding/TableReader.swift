/// Hands out the entries of one table, each once. What nobody asks for is a mistake of the operator's, reported by
/// `finish()`; so each key is named in one place, where it is decoded.
///
/// A table that the file lacks reads as empty: every key then has its default.
package struct TableReader {
    let path: TablePath
    let findings: Findings
    /// Where the table stands; nil if the file has none.
    package let range: Range<Int>?
    private let table: LocatedTable
    /// Entries that stand in for those the table lacks: `[defaults]` for an upstream.
    private let inherited: LocatedTable
    /// Whether the table itself stands in `[defaults]`.
    private let isInherited: Bool
    private var asked: [String] = []
    private var unavailable: Set<String> = []

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

    /// The entry of that name, and a note of where it stands.
    mutating func find(_ key: String) -> Found? {
        asked.append(key)
        findings.know(path.key(key).pattern)
        let isOwn = table[key] != nil
        guard let entry = table[key] ?? inherited[key] else { return nil }
        let line = findings.source.line(of: entry.key.lowerBound)
        let comesFromDefaults = isInherited || !isOwn
        findings.note(comesFromDefaults ? .defaults(line: line) : .line(line), of: path.key(key).name)
        return (entry, comesFromDefaults)
    }

    package mutating func take(_ key: String) -> LocatedTable.Entry? {
        find(key)?.entry
    }

    /// The table's own entry of that name, without taking it.
    func entry(_ key: String) -> LocatedTable.Entry? { table[key] }

    /// The table itself, without taking anything.
    var located: LocatedTable { table }

    package func has(_ key: String) -> Bool { table[key] != nil }

    /// Counts a key as asked for: its error has been reported.
    package mutating func settle(_ key: String) {
        unavailable.insert(key)
    }

    /// Every entry in the order of the file, for a table whose keys the operator chooses.
    package mutating func takeAll() -> [LocatedTable.Entry] {
        asked += table.entries.map(\.name)
        return table.entries
    }

    /// Refuses keys that Berth's configuration language has and this version does not.
    mutating func refuse(_ keys: String..., because reason: String = "this version would not act on it") {
        for key in keys {
            unavailable.insert(key)
            guard let entry = table[key] else { continue }
            findings.report(
                entry.key, "\(TOMLText.quoted(key)) is not available in this version",
                because: "the key is right, but \(reason)", help: "remove it until you run a version that has it")
        }
    }

    /// Reports every entry that nobody asked for.
    package func finish() {
        for entry in table.entries where !asked.contains(entry.name) && !unavailable.contains(entry.name) {
            findings.reportUnknown(entry, in: path, siblings: asked)
        }
    }

    /// "key = value" as the file has it, cut to fit a line.
    package func quote(_ entry: LocatedTable.Entry) -> String {
        let raw = findings.source.text(entry.value.range)
        let line = raw.prefix { !$0.isNewline }
        let isCut = line.count < raw.count || line.count > 60
        return "\(entry.name) = \(line.prefix(60))\(isCut ? "..." : "")"
    }
}
