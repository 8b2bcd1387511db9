/// Finds the known word that a misspelt one was probably meant to be.
package enum Suggestion {
    /// The candidate nearest to `word` by edit distance; nil if more than a third of its characters differ.
    package static func nearest(to word: String, among candidates: [String]) -> String? {
        let wanted = folded(word)
        let best =
            candidates
            .map { (name: $0, distance: distance(wanted, folded($0))) }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
        guard let best, best.distance <= max(1, min(wanted.count, best.name.count) / 3) else { return nil }
        return best.name
    }

    /// The error message for a command line whose first argument is neither an option nor one of the `known`
    /// subcommands, or that asks for help about none of them; nil for any other.
    ///
    /// - Parameter instead: The command that a word which is no command's name was probably meant for, as it should be
    ///   written.
    package static func unknownCommand(
        in arguments: [String], known: [String], instead: (String) -> String? = { _ in nil }
    ) -> String? {
        let known = known + ["help"]
        let word = arguments.first == "help" && arguments.count > 1 ? arguments[1] : arguments.first
        guard let word, !word.hasPrefix("-"), !known.contains(word) else { return nil }
        if let instead = instead(word) { return "\"\(word)\" is no command; did you mean \"\(instead)\"?" }
        if let nearest = nearest(to: word, among: known) {
            return "unknown command \"\(word)\"; did you mean \"\(nearest)\"?"
        }
        return "unknown command \"\(word)\"; the commands are \(known.joined(separator: ", "))"
    }

    /// The word without differences of case, "-" and "_".
    private static func folded(_ word: String) -> [Character] {
        word.lowercased().filter { $0 != "-" && $0 != "_" }
    }

    /// The edit distance: insertions, deletions, replacements and swaps of adjacent characters.
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        // The table is quadratic; words this long are not spelling mistakes.
        guard left.count <= 64, right.count <= 64 else { return .max }
        var rows = [Array(0...right.count)]
        for row in 0..<left.count {
            var next = [row + 1]
            for column in 0..<right.count {
                let replaced = rows[row][column] + (left[row] == right[column] ? 0 : 1)
                var cost = min(rows[row][column + 1] + 1, next[column] + 1, replaced)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    cost = min(cost, rows[row - 1][column - 1] + 1)
                }
                next.append(cost)
            }
            rows.append(next)
        }
        return rows[left.count][right.count]
    }
}
