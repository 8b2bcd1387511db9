/// What an import has come to: the comment that the file begins with, and what is said about it.
struct ImportSummary {
    private(set) var counts: [Verdict: Int] = [:]
    /// What was repaired, then what cannot be carried over.
    private(set) var findings: [String] = []
    private var losses: [(place: String, text: String, reason: String)] = []

    init(_ configuration: ImportedConfiguration) {
        let blocks =
            configuration.blocks + configuration.listeners.flatMap(\.blocks) + configuration.routes.flatMap(\.blocks)
            + configuration.upstreams.flatMap(\.blocks)
        var repairs: [String] = []
        for block in blocks {
            let heading = configuration.notes.isNoted(block.heading) ? [block.heading] : []
            for statement in heading + block.statements {
                let entry = configuration.notes.entry(of: statement)
                // The head of a block counts only if something became of it.
                if statement == block.heading, entry.verdict < .repaired { continue }
                count(entry, statement, &repairs)
            }
            for entry in configuration.notes.additions(to: block.heading) where entry.verdict >= .repaired {
                count(entry, block.heading, &repairs)
            }
        }
        findings = repairs + losses.map { "\($0.place): left out: \($0.text): \($0.reason)" }
    }

    private mutating func count(_ entry: NoteBook.Entry, _ statement: Statement, _ repairs: inout [String]) {
        counts[entry.verdict, default: 0] += 1
        switch entry.verdict {
        case .byDefault, .kept: break
        case .repaired: repairs.append("\(statement.place): repaired: \(statement.text): \(entry.reason)")
        case .leftOut: losses.append((statement.place, statement.text, entry.reason))
        }
    }

    /// The first lines of the file.
    func head(file: String) -> String {
        let name = Statement.onOneLine(file)
        let kept = counts[.kept, default: 0]
        let byDefault = counts[.byDefault, default: 0]
        let repaired = counts[.repaired, default: 0]
        let sentence =
            "From \(name) by \"berth import\": \(kept) kept, \(byDefault) are Berth's default, \(repaired) repaired, "
            + "\(losses.count) left out. Above each table stand the lines that it comes from, with their numbers."
        var lines = sentence.wrapped(to: 118)
        if !losses.isEmpty {
            lines += ["", "LEFT OUT, so look at these first:"]
            let places = losses.map(\.place.count).max() ?? 0
            for loss in losses.prefix(50) {
                lines.append("  \(loss.place.padding(to: places))  \(loss.text)")
            }
            if losses.count > 50 { lines.append("  and \(losses.count - 50) more") }
        }
        return lines.map { $0.isEmpty ? "#\n" : "# \($0)\n" }.joined()
    }
}
