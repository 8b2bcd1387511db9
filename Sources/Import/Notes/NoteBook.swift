/// What has become of each line of the source, and why.
struct NoteBook {
    /// A verdict with its reason.
    struct Entry: Sendable, Equatable {
        let verdict: Verdict
        /// A sentence without a period, or nothing. It may quote the source, and is on one line all the same.
        let reason: String

        init(verdict: Verdict, reason: String) {
            self.verdict = verdict
            self.reason = Statement.onOneLine(reason)
        }
    }

    private var entries: [Int: Entry] = [:]
    /// What is known of lines by their names alone.
    private var known: [Int: Entry] = [:]
    private var additions: [Int: [Entry]] = [:]

    /// Notes a verdict. One that is less grave than an earlier one of the same line changes nothing; of two that are alike
    /// the first stands.
    mutating func note(_ statement: Statement, _ verdict: Verdict, _ reason: String = "") {
        if let earlier = entries[statement.id], earlier.verdict >= verdict { return }
        entries[statement.id] = Entry(verdict: verdict, reason: reason)
    }

    /// Notes what is known of a line by its name alone, and stands until something else is noted.
    mutating func presume(_ statement: Statement, _ verdict: Verdict, _ reason: String = "") {
        known[statement.id] = Entry(verdict: verdict, reason: reason)
    }

    /// Notes a verdict in the place of any earlier one but that a line is left out.
    mutating func replace(_ statement: Statement, _ verdict: Verdict, _ reason: String) {
        if entries[statement.id]?.verdict == .leftOut { return }
        entries[statement.id] = Entry(verdict: verdict, reason: reason)
    }

    /// Notes in a block what the source does not say in any line.
    mutating func add(to block: Statement, _ verdict: Verdict, _ reason: String) {
        let entry = Entry(verdict: verdict, reason: reason)
        if additions[block.id]?.contains(entry) != true { additions[block.id, default: []].append(entry) }
    }

    func entry(of statement: Statement) -> Entry {
        entries[statement.id] ?? known[statement.id] ?? Entry(verdict: .leftOut, reason: "Berth has nothing for this")
    }

    func isNoted(_ statement: Statement) -> Bool { entries[statement.id] != nil }

    func additions(to block: Statement) -> [Entry] { additions[block.id] ?? [] }
}
