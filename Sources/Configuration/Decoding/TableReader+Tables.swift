extension TableReader {
    /// Reads the tables of a list `[[key]]`, in the order of the file. Keys that a table lacks are taken from `shared`.
    /// Any other value is reported.
    package mutating func tables(_ key: String, inheriting shared: TableReader? = nil) -> [TableReader] {
        note(key, .tables)
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

    /// Reports an error at some bytes of the file. `range`: nil if it has no position.
    package func report(_ range: Range<Int>?, _ message: String, because reason: String, help: String? = nil) {
        findings.report(range, message, because: reason, help: help)
    }
}
