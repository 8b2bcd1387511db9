/// How a location matches paths.
enum LocationMatch {
    /// `= /path`
    case exact(String)
    /// `/path`; `isFinal`: `^~ /path`, which no regular expression comes before.
    case prefix(String, isFinal: Bool)
    /// `~ expression`, `~* expression`
    case expression(String, ignoresCase: Bool)
    /// `@name`
    case named(String)

    /// Nil if the words behind `location` are none of these.
    init?(_ words: [String]) {
        switch (words.count, words.first) {
        case (2, "="): self = .exact(words[1])
        case (2, "^~"): self = .prefix(words[1], isFinal: true)
        case (2, "~"): self = .expression(words[1], ignoresCase: false)
        case (2, "~*"): self = .expression(words[1], ignoresCase: true)
        case (1, let word?) where word.hasPrefix("@"): self = .named(word)
        case (1, let word?) where word.hasPrefix("="): self = .exact(String(word.dropFirst()))
        case (1, let word?): self = .prefix(word, isFinal: false)
        default: return nil
        }
    }

    /// The beginning of every path that matches; nil if that is not known.
    var stem: String? {
        switch self {
        case .exact(let path), .prefix(let path, _): path
        case .expression, .named: nil
        }
    }

    /// The routes' paths for it; nil if there are none that match the same.
    var paths: [ImportedPath]? {
        switch self {
        case .exact(let path): ImportedPath.exact(written: path).map { [$0] }
        case .prefix(let path, _): Self.prefixes(path)
        case .expression(let expression, _): LiteralPaths(expression)?.paths
        case .named: nil
        }
    }

    /// The two documents of OAuth that "/.well-known/oauth-" stands for.
    private static let documents = ["/.well-known/oauth-protected-resource", "/.well-known/oauth-authorization-server"]

    static func prefixes(_ path: String) -> [ImportedPath]? {
        if path == "/.well-known/oauth" || path == "/.well-known/oauth-" { return documents.map { .prefix($0) } }
        return ImportedPath.prefix(written: path).map { [$0] }
    }

    /// The place among the locations of a server: nginx takes an exact one first, then the longest that is final, then the
    /// first expression, then the longest of the others.
    func order(finalStems: [String]) -> (rank: Int, length: Int) {
        switch self {
        case .exact: return (0, 0)
        case .prefix(let path, let isFinal):
            let isBelowFinal = isFinal || finalStems.contains { path.hasPrefix($0) }
            return (isBelowFinal ? 1 : 3, -path.utf8.count)
        case .expression: return (2, 0)
        case .named: return (4, 0)
        }
    }
}

/// The paths that a regular expression matches, where these are words to choose from: `^/(sse|messages)(/|$)`.
struct LiteralPaths {
    let paths: [ImportedPath]

    /// The most texts that one expression may stand for.
    private static let maximum = 32

    /// One way through an expression.
    private struct Branch {
        var text = ""
        /// Nothing may follow any more: `$` has been read.
        var isEnded = false
        /// Anything may follow: `.*` has been read.
        var isOpen = false
    }

    /// Nil for an expression that is not anchored at its beginning, or that has more in it than words, choices between them,
    /// and "anything" at its end.
    init?(_ expression: String) {
        guard expression.hasPrefix("^"), expression.utf8.count <= 512 else { return nil }
        var reader = Reader(rest: Array(expression.dropFirst()))
        guard let branches = reader.alternatives(from: [Branch()], depth: 0), reader.rest.isEmpty else { return nil }
        var paths: [ImportedPath] = []
        for branch in branches {
            // Without `$` an expression matches whatever follows.
            let isExact = branch.isEnded && !branch.isOpen
            let found =
                isExact
                ? ImportedPath.exact(written: branch.text).map { [$0] } : LocationMatch.prefixes(branch.text)
            guard let found else { return nil }
            paths += found.filter { !paths.contains($0) }
        }
        let all = paths
        self.paths = all.filter { path in !all.contains { $0 != path && $0.covers(path) } }
        if self.paths.isEmpty { return nil }
    }

    private struct Reader {
        /// What is left, first character first.
        var rest: ArraySlice<Character>

        init(rest: [Character]) {
            self.rest = rest[...]
        }

        /// "a|b|c", up to a closing parenthesis or the end.
        mutating func alternatives(from start: [Branch], depth: Int) -> [Branch]? {
            guard depth <= 4 else { return nil }
            var found: [Branch] = []
            while true {
                guard let branches = sequence(from: start, depth: depth) else { return nil }
                found += branches
                guard found.count <= LiteralPaths.maximum else { return nil }
                guard rest.first == "|" else { return found }
                rest = rest.dropFirst()
            }
        }

        private mutating func sequence(from start: [Branch], depth: Int) -> [Branch]? {
            var branches = start
            while let next = rest.first, next != "|", next != ")" {
                rest = rest.dropFirst()
                let before = branches
                switch next {
                case "(":
                    if rest.starts(with: "?:") { rest = rest.dropFirst(2) }
                    guard let inner = alternatives(from: branches, depth: depth + 1), rest.first == ")" else {
                        return nil
                    }
                    rest = rest.dropFirst()
                    branches = inner
                case "$":
                    for index in branches.indices { branches[index].isEnded = true }
                    continue
                case ".":
                    guard rest.first == "*" else { return nil }
                    rest = rest.dropFirst()
                    if rest.first == "?" { rest = rest.dropFirst() }
                    for index in branches.indices where !branches[index].isEnded { branches[index].isOpen = true }
                    continue
                case "\\":
                    guard let escaped = rest.first, !escaped.isLetter, !escaped.isNumber else { return nil }
                    rest = rest.dropFirst()
                    guard append(escaped, &branches) else { return nil }
                case "[", "]", "{", "}", "*", "+", "?", "^": return nil
                default: guard append(next, &branches) else { return nil }
                }
                guard optional(&branches, before) else { return nil }
            }
            return branches
        }

        /// Reads a "?": what was read last may be missing. False for another repetition.
        private mutating func optional(_ branches: inout [Branch], _ before: [Branch]) -> Bool {
            if rest.first == "?" {
                rest = rest.dropFirst()
                branches += before
            }
            return rest.first != "*" && rest.first != "+" && rest.first != "{" && branches.count <= LiteralPaths.maximum
        }

        /// False if something follows what can have no successor.
        private func append(_ character: Character, _ branches: inout [Branch]) -> Bool {
            guard !branches.contains(where: { $0.isEnded || $0.isOpen }) else { return false }
            for index in branches.indices { branches[index].text.append(character) }
            return true
        }
    }
}
