/// What an import has come to: the comment that the file begins with, and what is said about it.
struct ImportSummary {
    private(set) var counts: [Verdict: Int] = [:]
    /// What was repaired, then what cannot be carried over.
    private(set) var findings: [ImportFinding] = []
    private var losses: [ImportFinding] { findings.filter { $0.verdict == .leftOut } }

    init(_ configuration: ImportedConfiguration) {
        let blocks =
            configuration.blocks + configuration.listeners.flatMap(\.blocks) + configuration.routes.flatMap(\.blocks)
            + configuration.upstreams.flatMap(\.blocks)
        for block in blocks {
            let heading = configuration.notes.isNoted(block.heading) ? [block.heading] : []
            for statement in heading + block.statements {
                let entry = configuration.notes.entry(of: statement)
                // The head of a block counts only if something became of it.
                if statement == block.heading, entry.verdict < .repaired { continue }
                count(entry, statement)
            }
            for entry in configuration.notes.additions(to: block.heading) where entry.verdict >= .repaired {
                count(entry, block.heading)
            }
        }
        findings = findings.filter { $0.verdict == .repaired } + losses
    }

    private mutating func count(_ entry: NoteBook.Entry, _ statement: Statement) {
        counts[entry.verdict, default: 0] += 1
        guard entry.verdict >= .repaired else { return }
        findings.append(
            ImportFinding(
                place: statement.place, text: statement.text, verdict: entry.verdict,
                reason: NoteWriter.sentence(entry.reason)))
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
        let losses = losses
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
