/// The errors that the proxy answers itself stand in one table of the documentation, each by its reason, and that table names
/// no other.
enum ReasonRule {
    static func offences(errors: SourceFile, table: SourceFile) -> [Offence] {
        var defined: Set<String> = []
        var offences: [Offence] = []
        let rows = table.lines.indices.filter { isRow(table.lines[$0]) }
        let told = Set(rows.flatMap { table.code[$0].split(whereSeparator: { !isName($0) }).map(String.init) })
        for (index, line) in errors.lines.enumerated() {
            guard let start = line.firstRange(of: "reason: \"")?.upperBound else { continue }
            let reason = String(line[start...].prefix { $0 != "\"" })
            defined.insert(reason)
            if !told.contains(reason) {
                offences.append(errors.offence(index, "no row about `\(reason)` in \(table.path)"))
            }
        }
        for index in rows {
            let cells = table.lines[index].split(separator: "|")
            for part in cells[1].split(separator: "`").map(String.init) where part.allSatisfy(isName) {
                if !defined.contains(part) { offences.append(table.offence(index, "there is no reason `\(part)`")) }
            }
        }
        return offences
    }

    /// A row of the table of reasons begins with a status.
    private static func isRow(_ line: String) -> Bool {
        let cells = line.split(separator: "|")
        guard line.hasPrefix("| "), cells.count > 2, cells[1].contains("`") else { return false }
        return UInt16(cells[0].filter { $0 != " " }).map { 400...599 ~= $0 } ?? false
    }

    private static func isName(_ character: Character) -> Bool {
        character == "_" || character.isASCII && character.isLetter && character.isLowercase
    }
}
