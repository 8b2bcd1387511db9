/// A table of aligned columns: the first is text, the others are numbers.
struct TextTable {
    private var rows: [[String]]

    init(_ head: [String]) {
        rows = [head]
    }

    mutating func add(_ row: [String]) { rows.append(row) }

    /// The lines, each ended.
    var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        var text = ""
        for row in rows {
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += column == 0 ? cell + padding : "  " + padding + cell
            }
            while line.hasSuffix(" ") { line.removeLast() }
            text += line + "\n"
        }
        return text
    }
}

/// Numbers as the tables have them.
enum Wording {
    /// With commas between thousands.
    static func count(_ number: Int) -> String {
        var digits = Array(String(number.magnitude))
        var position = digits.count - 3
        while position > 0 {
            digits.insert(",", at: position)
            position -= 3
        }
        return (number < 0 ? "-" : "") + String(digits)
    }

    /// With so many places behind the point.
    static func decimal(_ number: Double, _ places: Int = 2) -> String {
        var scale = 1
        for _ in 0..<places { scale *= 10 }
        let scaled = Int((number * Double(scale)).rounded())
        guard places > 0 else { return count(scaled) }
        let fraction = String(scaled.magnitude % UInt(scale))
        let zeros = String(repeating: "0", count: places - fraction.count)
        return (scaled < 0 ? "-" : "") + "\(scaled.magnitude / UInt(scale)).\(zeros)\(fraction)"
    }

    /// A part of something in percent.
    static func percent(_ part: Int, of whole: Int) -> String {
        guard part > 0, whole > 0 else { return "0" }
        let percent = Double(part) * 100 / Double(whole)
        return decimal(percent, percent < 0.1 ? 4 : percent < 10 ? 2 : 1) + " %"
    }

    /// Bytes with a unit.
    static func bytes(_ number: Int) -> String {
        if number == 0 { return "0" }
        if number < 1 << 20 { return decimal(Double(number) / 1_024, 0) + " KiB" }
        return decimal(Double(number) / 1_048_576, 1) + " MiB"
    }
}
