/// One directive of nginx: a name with words, and perhaps a block.
struct NginxDirective: Sendable {
    let statement: Statement
    let name: String
    /// The words behind the name.
    let words: [String]
    /// What stands between its braces; nil if it ends with a semicolon.
    var block: [NginxDirective]?
    /// For `include`: what came of it.
    var inclusion: Inclusion?

    enum Inclusion: Equatable, Sendable {
        /// So many files, whose directives follow.
        case files(Int)
        case missing
    }

    var first: String? { words.first }

    /// The value of the word "name=value".
    func parameter(_ name: String) -> String? {
        words.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    /// The words of a condition in parentheses, without these.
    var condition: [String] {
        var words = words
        if let first = words.first, first.hasPrefix("(") { words[0] = String(first.dropFirst()) }
        if let last = words.last, last.hasSuffix(")") { words[words.count - 1] = String(last.dropLast()) }
        return words.filter { !$0.isEmpty }
    }
}
