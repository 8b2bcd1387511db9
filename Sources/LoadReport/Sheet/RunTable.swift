package import Load

/// The figures of runs as a table of text, side by side.
package enum RunTable {
    /// Many lines, each ended by a newline. As many runs stand beside each other as the width allows; the others follow
    /// below. Wrong answers and failures in words, and what to know before trusting the figures, come last.
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

    /// A column is as wide as its widest cell, but for its title no wider than need be.
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
            space + style.tint(sheet.labels[column].plain.cut(to: width).rightAligned(in: width), .strong)
        }
        var lines = [String(repeating: " ", count: labelWidth) + titles.joined()]
        for section in sheet.sections {
            lines.append(style.tint(section.title, .quiet))
            for row in section.rows {
                let label = ((row.isPart ? "    " : "  ") + row.label.plain).cut(to: labelWidth)
                let cells = zip(columns, widths).map { column, width in
                    let cell = row.cells[column]
                    return space + style.tint(cell.text.plain.rightAligned(in: width), cell.tone)
                }
                lines.append(label.padded(to: labelWidth) + cells.joined())
            }
        }
        return lines
    }

    private static func remarks(_ run: RunFigures, _ label: String?, _ style: TerminalStyle) -> [String] {
        let of = label.map { "\($0.plain): " } ?? ""
        var lines = run.examples.flatMap { example in
            example.plain.wrapped(to: style.width - 2).map { style.tint("  \($0)", .bad) }
        }
        if !lines.isEmpty { lines = "\(of)the first that were not right".wrapped(to: style.width) + lines }
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
        let text = "\(Figure.count(all)) \(unit), \(Figure.count(wrong)) wrong, \(Figure.count(failed)) failed"
        return style.tint(text.plain, wrong > 0 || failed > 0 ? .bad : .good)
    }
}
