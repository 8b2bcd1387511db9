package import Load

/// Formats the figures of runs as a table for the terminal, side by side.
package enum RunTable {
    /// The table, each line with a newline. As many runs are side by side as the width allows; the others follow below.
    /// Examples of wrong answers and failures, and cautions, come last.
    package static func text(_ runs: [RunFigures], style: TerminalStyle) -> String {
        guard !runs.isEmpty else { return "no runs\n" }
        let sheet = FigureSheet(runs)
        var lines: [String] = []
        for columns in columns(of: sheet, width: style.width) {
            if !lines.isEmpty { lines.append("") }
            lines += table(sheet, columns: columns, style)
        }
        for (label, run) in zip(sheet.labels, runs) { lines += remarks(run, runs.count > 1 ? label : nil, style) }
        lines += ["", verdict(runs, style)]
        return lines.map { $0 + "\n" }.joined()
    }

    private static let gap = 3
    private static let widestLabel = 24

    private static func labelWidth(_ sheet: FigureSheet) -> Int {
        let labels = sheet.sections.flatMap { section in
            section.rows.map { $0.label.count + ($0.isPart ? 4 : 2) } + [section.title.count]
        }
        return min(widestLabel, labels.max() ?? 0)
    }

    /// The width of a column: that of its widest cell, or of its title up to 28 characters.
    private static func width(of column: Int, in sheet: FigureSheet) -> Int {
        let cells = sheet.sections.flatMap { $0.rows.map { $0.cells[column].text.count } }
        return max(10, cells.max() ?? 0, min(sheet.labels[column].count, 28))
    }

    /// The columns in groups that fit the width, at least one in each.
    private static func columns(of sheet: FigureSheet, width: Int) -> [Range<Int>] {
        var groups: [Range<Int>] = []
        var start = 0
        var used = labelWidth(sheet)
        for column in sheet.labels.indices {
            let needed = gap + self.width(of: column, in: sheet)
            if column > start, used + needed > width {
                groups.append(start..<column)
                start = column
                used = labelWidth(sheet)
            }
            used += needed
        }
        return groups + [start..<sheet.labels.count]
    }

    private static func table(_ sheet: FigureSheet, columns: Range<Int>, _ style: TerminalStyle) -> [String] {
        let labelWidth = labelWidth(sheet)
        let widths = columns.map { width(of: $0, in: sheet) }
        let space = String(repeating: " ", count: gap)
        let titles = zip(columns, widths).map { column, width in
            space + style.tint(sheet.labels[column].sanitized.cut(to: width).rightAligned(in: width), .strong)
        }
        var lines = [String(repeating: " ", count: labelWidth) + titles.joined()]
        for section in sheet.sections {
            lines.append(style.tint(section.title, .quiet))
            for row in section.rows {
                let label = ((row.isPart ? "    " : "  ") + row.label.sanitized).cut(to: labelWidth)
                let cells = zip(columns, widths).map { column, width in
                    let cell = row.cells[column]
                    return space + style.tint(cell.text.sanitized.rightAligned(in: width), cell.tone)
                }
                lines.append(label.padded(to: labelWidth) + cells.joined())
            }
        }
        return lines
    }

    private static func remarks(_ run: RunFigures, _ label: String?, _ style: TerminalStyle) -> [String] {
        let of = label.map { "\($0.sanitized): " } ?? ""
        var lines = run.distinctExamples.flatMap { example in
            example.sanitized.wrapped(to: style.width - 2).map { style.tint("  \($0)", .bad) }
        }
        if !lines.isEmpty { lines = "\(of)first wrong answers and failures".wrapped(to: style.width) + lines }
        lines += run.cautions.flatMap { caution in
            "\(of)caution: \(caution)".wrapped(to: style.width).map { style.tint($0, .warning) }
        }
        return lines.isEmpty ? [] : [""] + lines
    }

    private static func verdict(_ runs: [RunFigures], _ style: TerminalStyle) -> String {
        let wrong = runs.reduce(0) { $0 + $1.wrongCount }
        let failed = runs.reduce(0) { $0 + $1.failedCount }
        let all = runs.reduce(0) { $0 + $1.completed }
        let units = Set(runs.map(\.plan.unit))
        let unit = units.count == 1 ? units.first ?? "" : "answers"
        let text =
            "\(NumberFormat.count(all)) \(unit), \(NumberFormat.count(wrong)) wrong, \(NumberFormat.count(failed)) failed"
        return style.tint(text.sanitized, wrong > 0 || failed > 0 ? .bad : .good)
    }
}
