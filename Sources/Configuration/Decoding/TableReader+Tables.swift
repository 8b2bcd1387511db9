extension TableReader {
    /// The tables of a list `[[key]]`, in the order of the file; entries that one lacks are those of `shared`. Anything
    /// but a list of tables is reported.
    package mutating func tables(_ key: String, inheriting shared: TableReader? = nil) -> [TableReader] {
        guard let entry = take(key) else { return [] }
        guard case .array(let values) = entry.value.content, !values.isEmpty else {
            wrongType(entry, "a list of tables", "each of them is a table in double brackets", help: "[[\(key)]]")
            return []
        }
        let path = path.key(key)
        return values.enumerated().compactMap { index, value in
            guard case .table(let table) = value.content else {
                findings.report(value.range, "this \(key) is \(value.kind)", because: "a \(key) is a table [[\(key)]]")
                return nil
            }
            return TableReader(
                table, at: value.range, path: path.element(index), findings: findings, inherited: shared?.located)
        }
    }

    /// Notes an error at some bytes of the file; nil when it stands nowhere.
    package func report(_ range: Range<Int>?, _ message: String, because reason: String, help: String? = nil) {
        findings.report(range, message, because: reason, help: help)
    }
}
