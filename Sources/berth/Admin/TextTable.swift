/// A table of text for a terminal or a file.
struct TextTable {
    private var rows: [[String]]
    /// Columns that begin at their left edge; the others end at their right edge.
    private let leading: Set<Int>

    /// A table with these headings.
    init(_ headings: [String], leading: Set<Int>) {
        rows = [headings]
        self.leading = leading
    }

    /// Adds a row with a cell for each heading.
    mutating func append(_ row: [String]) { rows.append(row) }

    /// All rows, each with a newline.
    var text: String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.indices.map { column in
                let blanks = String(repeating: " ", count: widths[column] - row[column].count)
                return leading.contains(column) ? row[column] + blanks : blanks + row[column]
            }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
